/* A line of a file of pages: read, derived from, executed, measured, made examples. */
#include "base/json_write.h"
#include "base/utf8.h"
#include "teach/examples.h"
#include "teach/outcome.h"

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

/* One token a byte; made once, as a fuzzer calls often. */
static const struct tokenizer *byte_tokenizer(void)
{
    static struct tokenizer *t;
    if (!t) {
        struct buf json = {0};
        buf_add_text(&json, "{\"model\": {\"type\": \"BPE\", \"merges\": [], \"vocab\": {");
        for (uint32_t i = 0; i < 256; i++) { /* GPT-2's byte alphabet */
            uint32_t shown = (i > 32 && i < 127) || (i > 160 && i != 173) ? i
                             : i < 33                                     ? 256 + i
                             : i < 161                                    ? 256 + i - 94
                                                                          : 256 + 67;
            struct buf c = {0};
            utf8_add(&c, shown);
            json_quote(&json, buf_str(&c));
            buf_addf(&json, ": %u%s", i, i < 255 ? ", " : "");
            buf_release(&c);
        }
        buf_add_text(&json,
                     "}}, \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": "
                     "false}, \"decoder\": {\"type\": \"ByteLevel\"}}");
        struct winnow_error err;
        winnow_status st = tokenizer_parse(buf_str(&json), &t, &err);
        assert(st == WINNOW_OK);
        buf_release(&json);
    }
    return t;
}

static void take(void *ctx, const struct example *e)
{
    assert(e->prompt >= 1 && e->prompt < e->count && e->count <= 400);
    (*(size_t *)ctx)++;
}

static void make_examples(const struct pair *p)
{
    struct example_options opt = EXAMPLE_OPTIONS_INIT;
    opt.chunk.tokens = 60;
    opt.chunk.long_lines = LONG_LINES_TRUNCATE;
    opt.sequence_max = 400;
    opt.answer_max = 200;
    opt.levels = EXAMPLES_BOTH;
    struct winnow_error err;
    struct example_maker *m;
    size_t count = 0;
    winnow_status st = example_maker_new(byte_tokenizer(), &opt, &m, &err);
    assert(st == WINNOW_OK);
    (void)example_maker_page(m, p, take, &count, &err);
    assert(count == example_maker_counts(m)->examples);
    example_maker_free(m);
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
        make_examples(&p);
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
