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
    struct structure_line rows[2] = {{.end = 4, .node = 1, .link = 4}, {.start = 5, .end = 36}};
    struct structure_node nodes[2] = {{.lines = 2, .text = 35}, {.kind = 1, .lines = 1, .text = 4}};
    struct structure_kind kinds[2] = {{STR_LIT("html"), STR_LIT("a"), STR_LIT("")},
                                      {STR_LIT("nav"), STR_LIT("menu"), STR_LIT("")}};
    const struct page_structure page = {rows, nodes, kinds, 2, 2, 2};
    line_reader_scores(r, lines, NULL, 2, scores);
    line_reader_scores(r, lines, &page, 2, scores);
    line_reader_free(r);
    line_model_free(m);
    return 0;
}
