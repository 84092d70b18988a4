/* ranking.c -- rows in order, and what their documents are called, from a second reading. */
#include "correct/ranking.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/texts.h"

#include <math.h>

void ranking_release(struct ranking *r)
{
    mem_free(r->order);
    *r = (struct ranking){0};
}

/* ---- order ---- */

struct placed {
    double influence;
    uint32_t row;
};

static int by_influence(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->influence != y->influence) {
        return x->influence < y->influence ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *sorted, size_t n)
{
    return n % 2 > 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* From placed[count] in order; distances is scratch. */
static void find_spread(struct ranking *r, const struct placed *placed, double *distances)
{
    for (size_t i = 0; i < r->count; i++) {
        distances[i] = placed[r->count - 1 - i].influence;
    }
    r->median = middle(distances, r->count);
    for (size_t i = 0; i < r->count; i++) {
        distances[i] = fabs(placed[i].influence - r->median);
    }
    sort(distances, r->count, sizeof *distances, by_size);
    r->spread = 1.4826 * middle(distances, r->count);
    while (r->stand_out < r->count && ranking_height(r, r->stand_out) >= RANKING_STANDS_OUT) {
        r->stand_out++;
    }
}

winnow_status ranking_make(const struct feature_texts *texts, const struct influence *influence,
                           struct ranking *out, struct winnow_error *err)
{
    *out = (struct ranking){.texts = texts, .influence = influence};
    struct placed *placed = mem_try_alloc((texts->count + 1) * sizeof *placed);
    double *distances = mem_try_alloc((texts->count + 1) * sizeof *distances);
    out->order = mem_try_alloc((texts->count + 1) * sizeof *out->order);
    winnow_status st = WINNOW_OK;
    if (!placed || !distances || !out->order) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory to rank %zu documents", texts->count);
    }
    for (size_t i = 0; st == WINNOW_OK && i < texts->count; i++) {
        if (isfinite(influence[i].all)) {
            placed[out->count++] = (struct placed){influence[i].all, (uint32_t)i};
        }
    }
    if (st == WINNOW_OK && out->count == 0) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "no document has an influence: none has anything to predict, or the "
                       "model's numbers are not finite on them");
    }
    if (st == WINNOW_OK) {
        sort(placed, out->count, sizeof *placed, by_influence);
        for (size_t i = 0; i < out->count; i++) {
            out->order[i] = placed[i].row;
        }
        find_spread(out, placed, distances);
    }
    mem_free(placed);
    mem_free(distances);
    return st;
}

double ranking_height(const struct ranking *r, size_t rank)
{
    double above = r->influence[r->order[rank]].all - r->median;
    return r->spread > 0 ? above / r->spread : above > 0 ? (double)INFINITY : 0;
}

/* ---- the list ---- */

struct listing {
    const struct ranking *r;
    const struct ranking_list *list;
    uint32_t *rank_of; /* by row, from 1; 0: not listed */
    struct buf *lines; /* by rank */
    size_t count;
    struct tune_batch passage;
    struct buf text;
};

/* What stands in the passage that has the most influence. */
static winnow_status spell_passage(struct listing *l, uint32_t row, struct winnow_error *err)
{
    passages_clear(&l->passage);
    passages_add(l->r->texts, row, (uint32_t)l->r->influence[row].passage, l->list->context,
                 &l->passage);
    buf_clear(&l->text);
    return tokenizer_decode(l->list->tokenizer, l->passage.tokens.ptr, l->passage.tokens.len,
                            TOKENIZER_SKIP_SPECIAL, &l->text, err);
}

static void add_line(const struct listing *l, size_t rank, const struct document *d,
                     const char *shard)
{
    const struct ranking *r = l->r;
    uint32_t row = r->order[rank];
    struct json_writer w = {.out = &l->lines[rank]};
    json_open(&w, '{');
    json_member_u64(&w, "rank", rank + 1);
    json_member_str(&w, "id", d->id);
    json_member_double(&w, "influence", r->influence[row].all);
    json_member_double(&w, "best", r->influence[row].best);
    json_member_double(&w, "height", ranking_height(r, rank));
    json_member_bool(&w, "unlearned", rank < l->list->top);
    json_member_u64(&w, "tokens", r->texts->rows[row].tokens);
    json_member_text(&w, "shard", file_base(shard));
    json_member_u64(&w, "document", row + 1);
    json_member_u64(&w, "passage", r->influence[row].passage + 1);
    json_member_str(&w, "text", buf_str(&l->text));
    json_close(&w, '}');
    buf_add_char(&l->lines[rank], '\n');
}

static winnow_status read_names(struct listing *l, struct texts *t, struct winnow_error *err)
{
    size_t left = l->count;
    for (size_t row = 0; left > 0 && row < l->r->texts->count; row++) {
        struct document d;
        bool more;
        TRY(texts_next(t, &d, &more, err));
        if (!more) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the corpus has fewer documents than were measured: it changed");
        }
        if (l->rank_of[row] > 0) {
            TRY(spell_passage(l, (uint32_t)row, err));
            add_line(l, l->rank_of[row] - 1, &d, texts_shard(t));
            left--;
        }
    }
    return WINNOW_OK;
}

static winnow_status write_lines(const struct listing *l, struct winnow_error *err)
{
    struct str *parts = mem_alloc((l->count + 1) * sizeof *parts);
    for (size_t i = 0; i < l->count; i++) {
        parts[i] = buf_str(&l->lines[i]);
    }
    winnow_status st = file_write_parts(l->list->path, parts, l->count, err);
    mem_free(parts);
    return st;
}

winnow_status ranking_write(const struct ranking *r, const struct ranking_list *list,
                            const struct winnow_env *env, struct winnow_error *err)
{
    const struct winnow_text_options opt = {.text_key = list->keys.text, .id_key = list->keys.id};
    struct winnow_text_result read = {0};
    struct texts t = {0};
    struct listing l = {.r = r, .list = list};
    l.count = list->listed < r->count ? list->listed : r->count;
    l.rank_of = mem_zalloc((r->texts->count + 1) * sizeof *l.rank_of);
    l.lines = mem_zalloc((l.count + 1) * sizeof *l.lines);
    for (size_t i = 0; i < l.count; i++) {
        l.rank_of[r->order[i]] = (uint32_t)i + 1;
    }
    winnow_status st = texts_open(&t, &opt, list->paths, env, &read, err);
    st = st == WINNOW_OK ? read_names(&l, &t, err) : st;
    st = st == WINNOW_OK ? write_lines(&l, err) : st;
    texts_release(&t);
    for (size_t i = 0; i < l.count; i++) {
        buf_release(&l.lines[i]);
    }
    mem_free(l.lines);
    tune_batch_release(&l.passage);
    buf_release(&l.text);
    mem_free(l.rank_of);
    return st;
}
