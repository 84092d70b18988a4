/* rules_dump.c -- all that the filters find out about each document on standard
 * input, for bench/rules_vs_datatrove.py:
 *
 *     rules_dump        a JSON object a document: values, verdicts, words, C4's text
 *     rules_dump -s S   nothing but the speed of the sets named S (all: "all")
 */
#include "base/file.h"
#include "base/json_write.h"
#include "corpus/shard_reader.h"
#include "rules/rules.h"
#include "rules/rules_unicode.h"
#include "rules/rules_words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const unsigned ALL = RULES_GOPHER | RULES_REPETITION | RULES_C4 | RULES_FINEWEB;

static void write_words(struct json_writer *w, struct str text)
{
    size_t at = 0;
    struct rules_word word;
    json_member_open(w, "words", '[');
    while (rules_words_next(text, &at, &word)) {
        json_str(w, str_sub(text, word.start, word.start + word.bytes));
    }
    json_close(w, ']');
}

static void write_verdicts(struct json_writer *w, const struct winnow_rules_limits *limits,
                           const double *values)
{
    json_member_open(w, "verdicts", '{');
    for (unsigned set = 1; set <= RULES_FINEWEB; set *= 2) {
        const struct rules_limit *broken = rules_judge(set, limits, values);
        json_member_text(w, rules_set_name((enum rules_set)set), broken ? broken->name : "");
    }
    json_close(w, '}');
}

static winnow_status dump(struct rules_gauge *g, const struct document *d, struct buf *out,
                          struct winnow_error *err)
{
    struct winnow_rules_limits limits = WINNOW_RULES_LIMITS_INIT;
    double values[RULES_VALUES];
    TRY(rules_measure(g, ALL, &limits, d->text, values, err));
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_str(&w, "id", d->id);
    json_member_open(&w, "values", '{');
    for (int v = 0; v < RULES_VALUES; v++) {
        json_member_double(&w, rules_value_info((enum rules_value)v)->name, values[v]);
    }
    json_close(&w, '}');
    write_verdicts(&w, &limits, values);
    write_words(&w, d->text);
    json_member_str(&w, "c4_text", rules_c4_text(g));
    json_key(&w, "c4_sentences"); /* of each line that is left */
    json_open(&w, '[');
    for (struct str rest = rules_c4_text(g), line; rules_next_line(&rest, &line);) {
        json_u64(&w, rules_sentences(line));
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
    return WINNOW_OK;
}

/* Processor seconds: what else the machine does matters little to them. */
static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Adds up what measuring the block's documents takes. */
static winnow_status speed(struct rules_gauge *g, unsigned sets, struct block_parser *parser,
                           const struct shard_block *block, double *seconds, uint64_t *bytes,
                           struct winnow_error *err)
{
    struct winnow_rules_limits limits = WINNOW_RULES_LIMITS_INIT;
    double values[RULES_VALUES];
    struct parsed item;
    block_parser_start(parser, block);
    for (;;) {
        TRY(block_parser_next(parser, &item, err));
        if (item.kind == PARSED_END) {
            return WINNOW_OK;
        }
        double start = cpu_seconds();
        TRY(rules_measure(g, sets, &limits, item.document.text, values, err));
        *seconds += cpu_seconds() - start;
        *bytes += item.document.text.len;
    }
}

static winnow_status run(const char *set, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader;
    struct shard_block block = {0};
    struct document_keys keys = {0};
    struct block_parser *parser = block_parser_new(&keys);
    struct rules_gauge *g = rules_gauge_new();
    struct buf out = {0};
    double seconds = 0;
    uint64_t bytes = 0;
    bool more = true;
    unsigned sets = set ? rules_set_of(str_of(set)) : 0;
    TRY(shard_reader_open(&reader, "-", "-", &opt, err));
    for (;;) {
        TRY(shard_reader_next(reader, &block, &more, err));
        if (!more) {
            break;
        }
        if (set) {
            TRY(speed(g, sets ? sets : ALL, parser, &block, &seconds, &bytes, err));
            continue;
        }
        struct parsed item;
        block_parser_start(parser, &block);
        for (;;) {
            TRY(block_parser_next(parser, &item, err));
            if (item.kind == PARSED_END) {
                break;
            }
            TRY(dump(g, &item.document, &out, err));
        }
        TRY(file_write_fd(STDOUT_FILENO, buf_str(&out), "standard output", err));
        buf_clear(&out);
    }
    if (set) {
        printf("%s: %.1f MB of text, %.3f s, %.1f MB/s\n", set, (double)bytes / 1e6, seconds,
               (double)bytes / 1e6 / seconds);
    }
    buf_release(&out);
    rules_gauge_free(g);
    block_parser_free(parser);
    shard_block_release(&block);
    shard_reader_close(reader);
    return WINNOW_OK;
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    if (run(argc == 3 && strcmp(argv[1], "-s") == 0 ? argv[2] : NULL, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "rules_dump: %s\n", err.text);
        return 1;
    }
    return 0;
}
