/* line_scores.c -- what a line model says of each line of labelled pages.
 *
 *     line_scores MODEL-FOLDER|builtin PAGES.jsonl... > scores.jsonl
 *
 * One line a page: {"id", "chunks": [{"first", "last", "program"}], "scores": [probability
 * or null, ...]}: what `winnow refiner eval --programs` reads, and the numbers for the
 * curves in docs/evidence/refining.md. */
#include "base/buf.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"
#include "lines/line_refiner.h"

#include <stdio.h>

struct scoring {
    struct line_reader *reader;
    struct json_parser *parser;
    struct buf out, text;
    struct arena keep, structure;
    bool alone; /* lines only: what is known of tags is not looked at */
};

static void write_programs(struct scoring *s, const struct page_structure *structure,
                           struct json_writer *w)
{
    struct line_program *programs = NULL;
    arena_reset(&s->keep);
    size_t count =
        line_reader_programs(s->reader, (struct line_text){buf_str(&s->text), structure},
                             (struct line_limits){.keep_above = -1}, &s->keep, &programs);
    json_member_open(w, "chunks", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(w, '{');
        json_member_u64(w, "first", programs[i].first);
        json_member_u64(w, "last", programs[i].last);
        json_member_str(w, "program", programs[i].text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static winnow_status score_page(struct scoring *s, struct str line, struct winnow_error *err)
{
    struct json_value root;
    TRY(json_parse(s->parser, line, &root, err));
    struct json_value lines = json_get(root, "lines");
    size_t count = json_count(lines), i = 0;
    buf_clear(&s->text);
    struct str *views = mem_alloc((count + 1) * sizeof *views), id = {"", 0};
    float *scores = mem_alloc((count + 1) * sizeof *scores);
    for (struct json_iter it = json_walk(lines); json_next(&it); i++) {
        views[i] = (struct str){"", 0};
        (void)json_as_str(it.value, &views[i]);
        buf_add_text(&s->text, i > 0 ? "\n" : "");
        buf_add_str(&s->text, views[i]);
    }
    (void)json_as_str(json_get(root, "id"), &id);
    const struct page_structure *structure = NULL;
    struct page_structure read;
    const char *reason = NULL;
    arena_reset(&s->structure);
    if (!s->alone && structure_read(json_get(root, STRUCTURE_KEY), buf_str(&s->text), &s->structure,
                                    &read, &reason)) {
        structure_sum(&read, buf_str(&s->text), &s->structure);
        structure = &read;
    }
    line_reader_scores(s->reader, views, structure, count, scores);
    struct json_writer w = {.out = &s->out};
    buf_clear(&s->out);
    json_open(&w, '{');
    json_member_str(&w, "id", id);
    write_programs(s, structure, &w);
    json_member_open(&w, "scores", '[');
    for (i = 0; i < count; i++) {
        json_double(&w, (double)scores[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    (void)printf("%.*s\n", STR_ARG(buf_str(&s->out)));
    mem_free(views);
    mem_free(scores);
    return WINNOW_OK;
}

static winnow_status score_file(struct scoring *s, const char *path, struct winnow_error *err)
{
    struct shard_reader *reader = NULL;
    TRY(shard_reader_open(&reader, path, path, &SHARD_READER_OPTIONS_INIT, err));
    struct shard_block block = {0};
    bool more = true;
    winnow_status st = shard_reader_next(reader, &block, &more, err);
    while (st == WINNOW_OK && more) {
        struct str rest = block.lines, line;
        while (st == WINNOW_OK && str_next_line(&rest, &line)) {
            st = score_page(s, line, err);
        }
        st = st == WINNOW_OK ? shard_reader_next(reader, &block, &more, err) : st;
    }
    shard_block_release(&block);
    shard_reader_close(reader);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    struct line_model *m = NULL;
    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: line_scores [--lines-alone] MODEL-FOLDER|builtin PAGES.jsonl...\n");
        return 2;
    }
    bool alone = strcmp(argv[1], "--lines-alone") == 0 && argc > 3;
    argv += alone;
    argc -= alone;
    const char *folder = strcmp(argv[1], "builtin") == 0 ? NULL : argv[1];
    winnow_status st = line_model_load(folder, NULL, &m, &err);
    struct scoring s = {.parser = json_parser_new(), .alone = alone};
    arena_init(&s.keep, (size_t)1 << 20);
    arena_init(&s.structure, (size_t)1 << 20);
    if (st == WINNOW_OK) {
        s.reader = line_reader_new(m);
    }
    for (int i = 2; i < argc && st == WINNOW_OK; i++) {
        st = score_file(&s, argv[i], &err);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "line_scores: %s\n", err.text);
    }
    line_reader_free(s.reader);
    line_model_free(m);
    json_parser_free(s.parser);
    buf_release(&s.out);
    buf_release(&s.text);
    arena_release(&s.keep);
    arena_release(&s.structure);
    return st == WINNOW_OK ? 0 : 1;
}
