#include "quality/fasttext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A model's file, and what a model that passes says of texts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const TEXTS[] = {"", "red blue\nred", "</s>",
                                        "__label__hq na\xc3\xafve \xff"};
    struct fasttext *m;
    struct winnow_error err;
    if (fasttext_read((struct str){(const char *)data, size}, "fuzz", &m, &err) != WINNOW_OK) {
        return 0;
    }
    struct fasttext_scratch *s = fasttext_scratch_new(m);
    volatile double sum = 0;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (fasttext_score(m, str_of(TEXTS[i]), s)) {
            sum += s->scores[0];
        }
    }
    fasttext_scratch_free(s);
    fasttext_free(m);
    return 0;
}
