/* synth_seeds.c -- seeds in two passes: who, then what they say.
 *
 *   draw    (draw, cluster, ordinal) of each document; of them the best are held
 *   seeds   their texts into the store
 *
 * What is held is cut back to as many as are wanted whenever it has doubled.  That is right,
 * since a later document can only push another one back: it never moves one forward. */
#include "synth/synth_seeds.h"

#include "base/env.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/json_file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "corpus/split.h"
#include "mix/mix_rows.h"
#include "mix/mix_value.h"

#include <inttypes.h>

#define SEED_BYTES_LEAST 40U /* of a text: less is nothing to write about */
#define BYTES_A_TOKEN    4U
#define HELD_LEAST       65536U
#define SEEDS_MAX        UINT32_MAX

struct drawn {
    uint64_t draw, cluster, ordinal;
    uint64_t rank; /* in its cluster, then in all */
};

struct drawing {
    const struct winnow_synthesize_options *opt;
    uint64_t seed, most;
    struct drawn *items;
    size_t count, cap, kept; /* kept: when it was cut back last */
    uint64_t documents;
    struct synth_seeds *out;
    struct mix_rows rows; /* of --attributes */
    struct buf scratch, line;
};

uint64_t synth_seeds_memory(uint64_t seeds)
{
    return (2 * seeds + HELD_LEAST) * sizeof(struct drawn) + seeds * sizeof(uint32_t);
}

/* ---- who ---- */

static int by_cluster(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->cluster != y->cluster) {
        return x->cluster < y->cluster ? -1 : 1;
    }
    if (x->draw != y->draw) {
        return x->draw < y->draw ? -1 : 1;
    }
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int by_rank(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->draw != y->draw) {
        return x->draw < y->draw ? -1 : 1;
    }
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int by_ordinal(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* Leaves the `most` best of what is held, in their order. */
static void cut_back(struct drawing *d)
{
    size_t kept = 0;
    sort(d->items, d->count, sizeof *d->items, by_cluster);
    for (size_t i = 0; i < d->count; i++) {
        struct drawn one = d->items[i];
        const struct drawn *before = kept > 0 ? &d->items[kept - 1] : NULL;
        bool same = before && before->cluster == one.cluster;
        if (same && before->draw == one.draw) {
            continue; /* the same text */
        }
        one.rank = same ? before->rank + 1 : 0;
        d->items[kept++] = one;
    }
    sort(d->items, kept, sizeof *d->items, by_rank);
    d->count = d->kept = kept < d->most ? kept : (size_t)d->most;
}

/* The cluster of a document, of itself or (with --attributes) of its row there; often "". */
static struct str cluster_of(const struct drawing *d, struct json_value of, struct buf *scratch)
{
    struct str name = {"", 0};
    const char *key = d->opt->cluster;
    if (key) {
        (void)mix_name(d->opt->attributes ? mix_attribute(of, key) : mix_member(of, key), scratch,
                       &name);
    }
    return name;
}

/* In order, of every document. */
static winnow_status cluster_in_row(struct drawing *d, struct str id, struct str *out,
                                    struct winnow_error *err)
{
    struct json_value row;
    TRY(mix_rows_next(&d->rows, id, &row, err));
    *out = cluster_of(d, row, &d->scratch);
    return WINNOW_OK;
}

static void *scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct buf));
}

static void scratch_free(void *scratch)
{
    buf_release(scratch);
    mem_free(scratch);
}

enum { CARRY_DRAW, CARRY_CLUSTER, CARRY_TAKES_PART };

static winnow_status draw_document(void *state, void *scratch, const struct document *doc,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct drawing *d = state;
    const char *from = d->opt->from;
    if (doc->text.len < SEED_BYTES_LEAST || (from && !str_starts(doc->source, str_of(from)))) {
        return WINNOW_OK;
    }
    struct str cluster =
        d->opt->attributes ? (struct str){"", 0} : cluster_of(d, doc->json, scratch);
    r->carry[CARRY_DRAW] = split_draw(split_key(doc->text), d->seed, "synthesize");
    r->carry[CARRY_CLUSTER] = cluster.len > 0 ? hash64(cluster, 0) : 0;
    r->carry[CARRY_TAKES_PART] = 1;
    return WINNOW_OK;
}

static winnow_status hold_document(void *state, struct str id, uint64_t ordinal,
                                   struct stage_result *r, struct winnow_error *err)
{
    struct drawing *d = state;
    struct str cluster;
    if (d->opt->attributes) {
        TRY(cluster_in_row(d, id, &cluster, err));
        r->carry[CARRY_CLUSTER] = cluster.len > 0 ? hash64(cluster, 0) : 0;
    }
    if (r->carry[CARRY_TAKES_PART] == 0) {
        return WINNOW_OK;
    }
    d->documents++;
    GROW(d->items, d->count, d->cap, 1024);
    d->items[d->count++] =
        (struct drawn){r->carry[CARRY_DRAW], r->carry[CARRY_CLUSTER], ordinal, 0};
    if (d->count >= 2 * d->kept + HELD_LEAST) {
        cut_back(d);
    }
    return WINNOW_OK;
}

static uint64_t held(void *state)
{
    const struct drawing *d = state;
    return d->cap * sizeof *d->items;
}

/* ---- what they say ---- */

/* Its place in the order of asking, or SIZE_MAX. */
static const struct drawn *find(const struct drawing *d, uint64_t ordinal)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->items[middle].ordinal == ordinal) {
            return &d->items[middle];
        }
        if (d->items[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* What is shown ends at a line or a sentence where one ends near by. */
static struct str shown_of(struct str text, uint64_t bytes)
{
    text = str_trim(text);
    if (text.len <= bytes) {
        return text;
    }
    struct str cut = utf8_cut(text, (size_t)bytes);
    for (size_t n = cut.len; n > cut.len / 2; n--) {
        char c = cut.ptr[n - 1];
        bool space = text.ptr[n] == ' ' || text.ptr[n] == '\n';
        if (c == '\n' || ((c == '.' || c == '!' || c == '?') && space)) {
            return str_trim(str_sub(cut, 0, n));
        }
    }
    return cut;
}

static winnow_status read_document(void *state, void *scratch, const struct document *doc,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct drawing *d = state;
    const struct drawn *one = find(d, doc->ordinal);
    if (!one || answer_store_has_passed(d->out->store, (uint64_t)(one - d->items))) {
        return WINNOW_OK;
    }
    struct json_writer w = {.out = &r->detail}; /* which the driver hands to decide() */
    struct str cluster =
        d->opt->attributes ? (struct str){"", 0} : cluster_of(d, doc->json, scratch);
    json_open(&w, '{');
    json_member_u64(&w, "rank", one->rank);
    json_member_str(&w, "id", doc->id);
    if (doc->source.len > 0) {
        json_member_str(&w, "source", doc->source);
    }
    if (cluster.len > 0) {
        json_member_str(&w, "cluster", cluster);
    }
    json_member_str(&w, "text", shown_of(doc->text, (uint64_t)d->opt->seed_tokens * BYTES_A_TOKEN));
    json_close(&w, '}');
    return WINNOW_OK;
}

static winnow_status store_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    struct drawing *d = state;
    struct str cluster = {"", 0};
    if (d->opt->attributes) {
        TRY(cluster_in_row(d, id, &cluster, err));
    }
    if (r->detail.len == 0) {
        return WINNOW_OK;
    }
    if (cluster.len > 0) {
        r->detail.len--; /* the brace */
        buf_add_text(&r->detail, ", \"cluster\": ");
        json_quote(&r->detail, cluster);
        buf_add_char(&r->detail, '}');
    }
    uint64_t number = (uint64_t)(find(d, ordinal) - d->items);
    buf_clear(&d->line);
    answer_store_line(&d->line, number, buf_str(&r->detail));
    return answer_store_add(d->out->store, number, buf_str(&d->line), err);
}

/* ---- order ---- */

static winnow_status write_summary(const struct synth_seeds *s, const char *path,
                                   struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_u64(&w, "documents", s->documents);
    json_member_u64(&w, "ordinals", s->ordinals);
    json_member_u64(&w, "clusters", s->clusters);
    json_member_u64(&w, "seeds", s->count);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}

static winnow_status read_summary(struct synth_seeds *s, const char *path, struct winnow_error *err)
{
    struct json_parser *p = json_parser_new();
    struct json_value root;
    uint64_t count = 0;
    winnow_status st = json_read_file(path, 4096, p, &root, err);
    if (st == WINNOW_OK && (!json_as_u64(json_get(root, "documents"), &s->documents) ||
                            !json_as_u64(json_get(root, "ordinals"), &s->ordinals) ||
                            !json_as_u64(json_get(root, "clusters"), &s->clusters) ||
                            !json_as_u64(json_get(root, "seeds"), &count))) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s does not say how many seeds there are; remove it to draw them anew",
                       path);
    }
    s->count = (size_t)count;
    json_parser_free(p);
    return st;
}

static winnow_status read_line(const struct synth_seeds *s, size_t number,
                               struct synth_seed_reader *r, struct json_value *root,
                               struct winnow_error *err)
{
    if (!r->parser) {
        r->parser = json_parser_new();
    }
    TRY(answer_store_read(s->store, number, &r->line, err));
    winnow_status st = json_parse(r->parser, buf_str(&r->line), root, err);
    return st == WINNOW_OK ? st : error_wrap(err, st, "state/seeds.jsonl: seed %zu", number);
}

/* The ranks in the store's lines are a permutation; anything else is damage. */
static winnow_status find_order(struct synth_seeds *s, struct winnow_error *err)
{
    struct synth_seed_reader r = {0};
    winnow_status st = WINNOW_OK;
    s->order = mem_try_alloc((s->count + 1) * sizeof *s->order);
    if (!s->order) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the order of %zu seeds", s->count);
    }
    memset(s->order, 0xFF, (s->count + 1) * sizeof *s->order);
    for (size_t i = 0; i < s->count && st == WINNOW_OK; i++) {
        struct json_value root;
        uint64_t rank = UINT64_MAX;
        st = read_line(s, i, &r, &root, err);
        if (st == WINNOW_OK && (!json_as_u64(json_get(root, "rank"), &rank) || rank >= s->count ||
                                s->order[rank] != UINT32_MAX)) {
            st = error_set(err, WINNOW_E_FORMAT,
                           "state/seeds.jsonl: seed %zu has no rank of its own; remove the stage's "
                           "folder to draw anew",
                           i);
        }
        if (st == WINNOW_OK) {
            s->order[rank] = (uint32_t)i;
        }
    }
    synth_seed_reader_release(&r);
    return st;
}

/* ---- both ---- */

/* From the first row on, for another pass. */
static winnow_status open_rows(struct stage *stage, struct drawing *d, struct winnow_error *err)
{
    mix_rows_close(&d->rows);
    return d->opt->attributes
               ? mix_rows_open(&d->rows, d->opt->attributes, stage_env(stage)->memory_max, err)
               : WINNOW_OK;
}

static winnow_status run_passes(struct stage *stage, struct drawing *d, struct winnow_error *err)
{
    struct stage_pass pass = {.name = "draw",
                              .state = d,
                              .growth = held,
                              .worker_new = scratch_new,
                              .worker_free = scratch_free,
                              .document = draw_document,
                              .decide = hold_document};
    TRY(open_rows(stage, d, err));
    TRY(stage_run_pass(stage, &pass, err));
    d->out->documents = d->documents;
    d->out->ordinals = stage_ordinals(stage);
    cut_back(d);
    for (size_t i = 0; i < d->count; i++) {
        d->out->clusters += d->items[i].rank == 0;
    }
    for (size_t i = 0; i < d->count; i++) {
        d->items[i].rank = i;
    }
    d->out->count = d->count;
    sort(d->items, d->count, sizeof *d->items, by_ordinal);
    TRY(open_rows(stage, d, err));
    pass.name = "seeds";
    pass.scratch_factor = 1;
    pass.document = read_document;
    pass.decide = store_document;
    return stage_run_pass(stage, &pass, err);
}

static winnow_status draw_all(struct stage *stage, struct drawing *d, struct winnow_error *err)
{
    struct buf path = {0};
    struct synth_seeds *out = d->out;
    winnow_status st = answer_store_open(stage_path(stage, "seeds.jsonl", &path), &out->store, err);
    (void)stage_path(stage, "seeds.json", &path);
    if (st == WINNOW_OK && answer_store_complete(out->store) && file_exists(buf_cstr(&path))) {
        st = read_summary(out, buf_cstr(&path), err);
    } else if (st == WINNOW_OK) {
        st = run_passes(stage, d, err);
        st = st == WINNOW_OK ? write_summary(out, buf_cstr(&path), err) : st;
        st = st == WINNOW_OK ? answer_store_mark(out->store, true, err) : st;
    }
    buf_release(&path);
    return st == WINNOW_OK ? find_order(out, err) : st;
}

winnow_status synth_seeds_draw(struct stage *stage, const struct winnow_synthesize_options *opt,
                               uint64_t most, struct synth_seeds *out, struct winnow_error *err)
{
    struct drawing d = {.opt = opt,
                        .seed = stage_env(stage)->seed,
                        .most = most < SEEDS_MAX ? most : SEEDS_MAX,
                        .out = out};
    winnow_status st = draw_all(stage, &d, err);
    mix_rows_close(&d.rows);
    mem_free(d.items);
    buf_release(&d.scratch);
    buf_release(&d.line);
    return st;
}

void synth_seeds_release(struct synth_seeds *s)
{
    answer_store_close(s->store);
    mem_free(s->order);
    *s = (struct synth_seeds){0};
}

void synth_seed_reader_release(struct synth_seed_reader *r)
{
    json_parser_free(r->parser);
    buf_release(&r->line);
    *r = (struct synth_seed_reader){0};
}

winnow_status synth_seeds_read(const struct synth_seeds *s, size_t i, struct synth_seed_reader *r,
                               struct synth_seed *out, struct winnow_error *err)
{
    struct json_value root;
    *out = (struct synth_seed){{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    TRY(read_line(s, s->order[i], r, &root, err));
    (void)json_as_str(json_get(root, "source"), &out->source);
    (void)json_as_str(json_get(root, "cluster"), &out->cluster);
    if (!json_as_str(json_get(root, "id"), &out->id) ||
        !json_as_str(json_get(root, "text"), &out->text)) {
        return error_set(err, WINNOW_E_FORMAT, "state/seeds.jsonl: seed %" PRIu32 " has no text",
                         s->order[i]);
    }
    return WINNOW_OK;
}
