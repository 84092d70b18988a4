/* config.json, a NUL, model.safetensors; what loads also runs. */
#include "base/mem.h"
#include "lines/line_refiner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size};
    const char *nul = size > 0 ? memchr(all.ptr, 0, size) : NULL;
    size_t cut = nul ? (size_t)(nul - all.ptr) : size;
    struct line_model *m = NULL;
    struct winnow_error err;
    struct str weights = str_sub(all, nul ? cut + 1 : cut, size);
    if (line_model_parse(str_sub(all, 0, cut), weights, "fuzz", "generic", &m, &err) != WINNOW_OK) {
        return 0;
    }
    struct line_reader *r = line_reader_new(m);
    float scores[2];
    const struct str lines[2] = {STR_LIT("Home"), STR_LIT("It rained all day, and we read.")};
    line_reader_scores(r, lines, NULL, 2, scores);
    line_reader_free(r);
    line_model_free(m);
    return 0;
}
