/* fuzz_options_json.c -- options as JSON, which come from other languages, into tables of every
 * kind of row. */
#include "option/corpus_options.h"
#include "option/option_json.h"
#include "option/tables.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct option_table *const TABLES[] = {&REFINE_TABLE, &RULES_TABLE,
                                                        &REFINER_EVAL_TABLE};
    struct winnow_error err;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        struct arena keep;
        struct buf text = {0};
        struct winnow_corpus_options corpus = WINNOW_CORPUS_OPTIONS_INIT;
        arena_init(&keep, 1024);
        void *values = arena_alloc(&keep, 1, TABLES[i]->size);
        memcpy(values, TABLES[i]->defaults, TABLES[i]->size);
        const struct option_set sets[] = {{TABLES[i], values, NULL},
                                          {&CORPUS_TABLE, &corpus, NULL}};
        if (option_read_json(sets, 2, (struct str){(const char *)data, size}, &keep, &err) ==
            WINNOW_OK) {
            struct json_writer w = {.out = &text}; /* what was taken can be written */
            json_open(&w, '{');
            option_write_json(TABLES[i], values, &w);
            json_close(&w, '}');
            assert(text.len > 2);
        } else {
            assert(err.text[0] != '\0');
        }
        buf_release(&text);
        arena_release(&keep);
    }
    return 0;
}
