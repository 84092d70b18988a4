/* A line of a file of pages: read, derived from, executed, measured. */
#include "refine/outcome.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void derive_and_check(const struct pair *p, bool spaces, struct arena *keep)
{
    const struct derive_options opt = {.spaces = spaces};
    struct winnow_error err;
    struct derived d;
    if (derive_pair(p->raw, p->clean, &opt, keep, &d, &err) != WINNOW_OK) {
        return;
    }
    struct buf out = {0};
    if (derived_execute(&d, p->raw, &out, &err) == WINNOW_OK) {
        assert(out.len <= p->raw.len); /* deletions only */
        assert(!spaces || !d.exact || str_eq(buf_str(&out), p->clean));
    }
    assert(d.removed_chars <= d.raw_chars && d.covered_chars <= d.clean_chars);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena keep;
    arena_init(&keep, 4096);
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    struct pair p;
    struct str text = {(const char *)data, size};
    if (json_parse(parser, text, &root, &err) == WINNOW_OK &&
        pair_read(root, "type", &keep, &p, &err) == WINNOW_OK) {
        struct outcome o;
        struct measure_sums sums;
        for (int dialect = 0; dialect <= WINNOW_DIALECT_PROX; dialect++) {
            if (outcome_of_programs(p.raw, dialect, p.programs, p.program_count, &keep, &o, &err) ==
                WINNOW_OK) {
                (void)outcome_measure(&p, &o, &keep, &sums, &err);
            }
        }
        if (p.clean.ptr) {
            derive_and_check(&p, false, &keep);
            derive_and_check(&p, true, &keep);
        }
    }
    json_parser_free(parser);
    arena_release(&keep);
    return 0;
}
