/* line_pages.c -- reads training pages into one arena.
 *
 * All pages are held (training draws them in random order), each cut to its first
 * LINE_PART_MAX lines with words, as the model sees no more at once.  The memory
 * promise is checked after each block, against what the process really holds. */
#include "lines/line_pages.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "corpus/json_lines.h"
#include "corpus/shard_reader.h"
#include "lines/line_features.h"

#define PAGE_FACTOR   8U   /* of a byte of a long line: raw, parsed, its lines */
#define ARTICLE_LINES 400U /* of an article are read */

struct reading {
    struct line_page_set *set;
    enum line_page_kind kind;
    struct map sources; /* name to template_index */
    struct buf text;    /* of a page, for sums */
};

void line_page_set_release(struct line_page_set *set)
{
    mem_free(set->items);
    arena_release(&set->keep);
}

/* Strings of a parser's are gone with the next page. */
static struct str keep_str(struct line_page_set *set, struct str s)
{
    return (struct str){arena_strndup(&set->keep, s.ptr, s.len), s.len};
}

static void join_lines(struct json_value lines, struct buf *text)
{
    buf_clear(text);
    size_t i = 0;
    for (struct json_iter it = json_walk(lines); json_next(&it); i++) {
        struct str line = {"", 0};
        (void)json_as_str(it.value, &line);
        buf_add_text(text, i > 0 ? "\n" : "");
        buf_add_str(text, line);
    }
}

/* The page's structure, its sums made over all lines. */
static winnow_status read_structure(struct reading *r, struct json_value value,
                                    struct json_value lines, struct line_page *p,
                                    struct winnow_error *err)
{
    const char *reason = NULL;
    struct arena *keep = &r->set->keep;
    struct page_structure *s = ARENA_NEW(keep, struct page_structure, 1);
    join_lines(lines, &r->text);
    if (!structure_read(value, buf_str(&r->text), keep, s, &reason)) {
        return error_set(err, WINNOW_E_FORMAT, "\"structure\" cannot be read: %s", reason);
    }
    for (size_t i = 0; i < s->kind_count; i++) {
        struct structure_kind *k = &s->kinds[i];
        *k = (struct structure_kind){keep_str(r->set, k->tag), keep_str(r->set, k->words),
                                     keep_str(r->set, k->role)};
    }
    structure_sum(s, buf_str(&r->text), keep);
    p->structure = s;
    return WINNOW_OK;
}

static struct line_page *add_page(struct line_page_set *set, size_t lines)
{
    GROW(set->items, set->count, set->cap, 256);
    struct line_page *p = &set->items[set->count++];
    lines = lines < LINE_PART_MAX ? lines : LINE_PART_MAX;
    *p = (struct line_page){.lines = ARENA_NEW(&set->keep, struct str, lines + 1),
                            .labels = ARENA_NEW(&set->keep, unsigned char, lines + 1),
                            .rows = ARENA_NEW(&set->keep, uint32_t, lines + 1),
                            .template_index = UINT32_MAX};
    return p;
}

static void add_line(struct line_page_set *set, struct line_page *p, struct str line,
                     unsigned char label, uint32_t row)
{
    if (p->count < LINE_PART_MAX && line_has_words(line)) {
        p->rows[p->count] = row;
        p->lines[p->count] = (struct str){arena_strndup(&set->keep, line.ptr, line.len), line.len};
        p->labels[p->count++] = label;
    }
}

static winnow_status read_article(struct reading *r, struct json_value root,
                                  struct winnow_error *err)
{
    struct str text, line;
    if (!json_as_str(json_get(root, "text"), &text)) {
        return error_set(err, WINNOW_E_FORMAT, "no string field \"text\"");
    }
    struct line_page *p = add_page(r->set, ARTICLE_LINES);
    while (p->count < ARTICLE_LINES && str_next_line(&text, &line)) {
        add_line(r->set, p, line, LINE_KEEP, 0);
    }
    return WINNOW_OK;
}

static winnow_status read_page(struct reading *r, struct json_value root, struct winnow_error *err)
{
    struct json_value lines = json_get(root, "lines"), labels = json_get(root, "label");
    if (json_kind(lines) != JSON_ARRAY || json_kind(labels) != JSON_ARRAY ||
        json_count(lines) != json_count(labels)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a page needs arrays \"lines\" and \"label\" of one length");
    }
    struct line_page *p = add_page(r->set, json_count(lines));
    struct json_iter label = json_walk(labels);
    struct json_value structure = json_get(root, STRUCTURE_KEY);
    uint32_t row = 0;
    if (json_kind(structure) != JSON_NONE) {
        TRY(read_structure(r, structure, lines, p, err));
    }
    for (struct json_iter it = json_walk(lines); json_next(&it) && json_next(&label);) {
        struct str line;
        int64_t value = -1;
        if (!json_as_str(it.value, &line) || !json_as_i64(label.value, &value)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "\"lines\" holds no string or \"label\" no whole number");
        }
        add_line(r->set, p, line,
                 value == 1   ? LINE_KEEP
                 : value == 0 ? LINE_DROP
                              : LINE_NOT_JUDGED,
                 row++);
    }
    struct str source = {"", 0};
    if (r->kind == LINE_TEMPLATES) {
        bool is_new = false;
        (void)json_as_str(json_get(root, "source"), &source);
        uint64_t *index = map_put(&r->sources, source, &is_new);
        if (is_new) {
            *index = r->set->templates++;
        }
        p->template_index = (uint32_t)*index;
    }
    return WINNOW_OK;
}

static winnow_status read_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct reading *r = ctx;
    TRY(r->kind == LINE_ARTICLES ? read_article(r, line->root, err)
                                 : read_page(r, line->root, err));
    r->set->count -= r->set->items[r->set->count - 1].count == 0; /* nothing to learn */
    return WINNOW_OK;
}

static winnow_status check_memory(void *ctx, struct winnow_error *err)
{
    const struct line_page_set *set = ((const struct reading *)ctx)->set;
    return memory_need(set->memory_max, "to hold the pages, a training beside,",
                       mem_resident() + set->beside, "train on fewer pages", err);
}

winnow_status line_page_set_read(struct line_page_set *set, const char *path,
                                 enum line_page_kind kind, struct winnow_error *err)
{
    if (set->cap == 0) {
        arena_init(&set->keep, (size_t)4 << 20);
    }
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.window_max = set->memory_max / 4;
    opt.budget = (struct line_budget){set->memory_max,
                                      set->memory_max > 0 ? mem_resident() + set->beside : 0,
                                      PAGE_FACTOR, "leave such pages out of the input"};
    struct reading r = {.set = set, .kind = kind};
    const struct json_lines lines = {
        .opt = &opt, .line = read_line, .block = check_memory, .ctx = &r};
    winnow_status st = json_lines_read(path, &lines, err);
    map_release(&r.sources);
    buf_release(&r.text);
    return st;
}
