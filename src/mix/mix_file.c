/* mix_file.c -- state/mix.json: for the report, for people, and for a run that was killed behind
 * the survey.  docs/mix.md has its members. */
#include "base/file.h"
#include "base/json_file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "mix/mix_internal.h"

#include <math.h>

#define FILE_BYTES_MAX ((size_t)1 << 30)

/* Numbers in the order of their bits, back to what they were; the least is none. */
static double score_of(uint32_t bits)
{
    uint32_t raw = bits & UINT32_C(1) << 31 ? bits ^ UINT32_C(1) << 31 : ~bits;
    float f;
    memcpy(&f, &raw, sizeof f);
    return bits == 0 ? (double)NAN : (double)f;
}

static void write_cuts(const struct mix_group *g, bool scored, struct json_writer *w)
{
    json_member_open(w, "cuts", '[');
    for (size_t i = 0; i < g->cut_count; i++) {
        const struct mix_place *cut = &g->cuts[i];
        json_open(w, '{');
        json_member_u64(w, "copies", g->base + i + 1);
        json_member_double(w, "from_score", scored ? score_of(cut->score) : (double)NAN);
        json_member_u64(w, "order", cut->score);
        json_member_u64(w, "draw", cut->draw);
        json_member_u64(w, "ordinal", cut->ordinal);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static double share(double part, double all)
{
    return all > 0 ? part / all : 0;
}

static void write_group(const struct mix_group *g, bool scored, double before, double after,
                        struct json_writer *w)
{
    json_open(w, '{');
    json_member_str(w, "name", g->name);
    json_member_u64(w, "documents", g->documents);
    json_member_u64(w, "units", g->units);
    json_member_double(w, "share", share((double)g->units, before));
    json_member_u64(w, "validation", g->validation);
    json_member_u64(w, "without_score", g->unscored);
    json_member_bool(w, "left_out", g->left_out);
    json_member_double(w, "target", g->target);
    json_member_u64(w, "distinct", g->distinct);
    json_member_u64(w, "documents_after", g->copies);
    json_member_u64(w, "units_after", g->units_after);
    json_member_double(w, "share_after", share((double)g->units_after, after));
    json_member_double(w, "epochs", share((double)g->units_after, (double)g->units));
    json_member_u64(w, "base", g->base);
    write_cuts(g, scored, w);
    json_close(w, '}');
}

static void write_sums(const struct mix *m, uint64_t *before, uint64_t *after,
                       struct json_writer *w)
{
    uint64_t documents = 0, copies = 0, distinct = 0;
    *before = *after = 0;
    for (size_t i = 0; i < m->groups.count; i++) {
        const struct mix_group *g = &m->groups.items[i];
        documents += g->documents;
        *before += g->units;
        distinct += g->distinct;
        copies += g->copies;
        *after += g->units_after;
    }
    json_member_open(w, "before", '{');
    json_member_u64(w, "documents", documents);
    json_member_u64(w, "units", *before);
    json_close(w, '}');
    json_member_open(w, "after", '{');
    json_member_u64(w, "distinct", distinct);
    json_member_u64(w, "documents", copies);
    json_member_u64(w, "units", *after);
    json_close(w, '}');
}

static void write_upsample(const struct winnow_mix_options *opt, struct json_writer *w)
{
    if (!opt->upsample) {
        json_member_null(w, "upsample");
        return;
    }
    json_member_open(w, "upsample", '{');
    json_member_text(w, "by", opt->upsample);
    json_member_u64(w, "copies_max", opt->upsample_max);
    json_member_double(w, "power", opt->upsample_power);
    json_member_double(w, "drop", opt->upsample_drop);
    json_close(w, '}');
}

winnow_status mix_file_write(struct mix *m, const char *path, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    uint64_t before, after;
    json_open(&w, '{');
    json_member_text(&w, "by", m->opt->by);
    json_member_text(&w, "unit", m->opt->tokenizer ? "tokens" : "bytes");
    json_member_double(&w, "units_a_token", m->opt->tokenizer ? 1 : MIX_TOKEN_BYTES);
    json_member_double(&w, "budget", m->budget.budget);
    json_member_double(&w, "planned", m->budget.reached);
    json_member_bool(&w, "epochs_alone_pass_the_budget", m->budget.over_fixed);
    json_member_bool(&w, "named", m->named);
    json_member_u64(&w, "validation", m->validation);
    json_member_u64(&w, "without_score", m->unscored);
    write_upsample(m->opt, &w);
    write_sums(m, &before, &after, &w);
    json_member_open(&w, "groups", '[');
    size_t *sorted = mix_groups_sorted(&m->groups);
    for (size_t i = 0; i < m->groups.count; i++) {
        write_group(&m->groups.items[sorted[i]], m->opt->upsample != NULL, (double)before,
                    (double)after, &w);
    }
    mem_free(sorted);
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}

/* ---- back ---- */

static uint64_t u64_at(struct json_value v, const char *key)
{
    uint64_t n = 0;
    (void)json_as_u64(json_get(v, key), &n);
    return n;
}

static bool read_group(struct mix_groups *groups, struct json_value v)
{
    struct str name;
    if (!json_as_str(json_get(v, "name"), &name)) {
        return false;
    }
    size_t number = mix_groups_number(groups, name);
    struct json_value cuts = json_get(v, "cuts");
    if (number == SIZE_MAX || json_kind(cuts) != JSON_ARRAY) {
        return false;
    }
    struct mix_group *g = &groups->items[number];
    g->documents = u64_at(v, "documents");
    g->units = u64_at(v, "units");
    g->validation = u64_at(v, "validation");
    g->unscored = u64_at(v, "without_score");
    g->distinct = u64_at(v, "distinct");
    g->copies = u64_at(v, "documents_after");
    g->units_after = u64_at(v, "units_after");
    g->base = (uint32_t)u64_at(v, "base");
    (void)json_as_bool(json_get(v, "left_out"), &g->left_out);
    (void)json_as_double(json_get(v, "target"), &g->target);
    mem_free(g->cuts);
    g->cuts = mem_zalloc((json_count(cuts) + 1) * sizeof *g->cuts);
    g->cut_count = 0;
    struct json_iter it = json_walk(cuts);
    while (json_next(&it)) {
        g->cuts[g->cut_count++] =
            (struct mix_place){(uint32_t)u64_at(it.value, "order"), u64_at(it.value, "draw"),
                               u64_at(it.value, "ordinal")};
    }
    return true;
}

winnow_status mix_file_read(struct mix *m, const char *path, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    winnow_status st = json_read_file(path, FILE_BYTES_MAX, parser, &root, err);
    if (st == WINNOW_OK) {
        struct json_iter it = json_walk(json_get(root, "groups"));
        bool good = json_kind(json_get(root, "groups")) == JSON_ARRAY;
        while (good && json_next(&it)) {
            good = read_group(&m->groups, it.value);
        }
        (void)json_as_double(json_get(root, "budget"), &m->budget.budget);
        (void)json_as_double(json_get(root, "planned"), &m->budget.reached);
        (void)json_as_bool(json_get(root, "epochs_alone_pass_the_budget"), &m->budget.over_fixed);
        (void)json_as_bool(json_get(root, "named"), &m->named);
        m->validation = u64_at(root, "validation");
        m->unscored = u64_at(root, "without_score");
        st = good ? WINNOW_OK
                  : error_set(err, WINNOW_E_FORMAT, "%s is no plan of a mix: remove it", path);
    }
    json_parser_free(parser);
    return st;
}
