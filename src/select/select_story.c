/* select_story.c -- groups among picks, top-k's picks beside them, nearest neighbours by one
 * sweep, and the texts of what is shown. */
#include "select/select_story.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

#define CLUSTER_COSINE 0.5 /* from which on documents are of one cluster */
#define EXCERPT_BYTES  400U

/* ---- groups ---- */

/* How many of the rows are nearer than `cosine` to none before them that was counted. */
static size_t count_leaders(const float *x, size_t count, size_t width, double cosine,
                            const struct kernels *k)
{
    size_t *leaders = mem_alloc((count + 1) * sizeof *leaders), n = 0;
    for (size_t i = 0; i < count; i++) {
        bool near = false;
        for (size_t j = 0; j < n && !near; j++) {
            near = vector_dot(k, x + i * width, x + leaders[j] * width, width) > cosine;
        }
        if (!near) {
            leaders[n++] = i;
        }
    }
    mem_free(leaders);
    return n;
}

static winnow_status find_groups(const struct choice_problem *p, const struct choice_rows *rows,
                                 const struct choice *c, struct story_groups *out,
                                 struct winnow_error *err)
{
    size_t width = vector_rows_width(&rows->rows);
    size_t n = c->count < STORY_SAMPLE ? c->count : STORY_SAMPLE;
    float *x = mem_try_alloc((n * width + 1) * sizeof *x);
    if (!x) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu chosen vectors", n);
    }
    for (size_t i = 0; i < n; i++) {
        vector_rows_expand(&rows->rows, c->picks[i].row, x + i * width);
    }
    *out = (struct story_groups){n, count_leaders(x, n, width, p->opt->copy, p->k),
                                 count_leaders(x, n, width, CLUSTER_COSINE, p->k)};
    mem_free(x);
    return WINNOW_OK;
}

/* ---- the course ---- */

static double norm(const struct kernels *k, const float *x, size_t n)
{
    return sqrt(vector_dot(k, x, x, n));
}

static winnow_status find_course(const struct choice_problem *p, const struct choice_rows *rows,
                                 const struct choice *c, struct story_course *out,
                                 struct winnow_error *err)
{
    struct choice_examples e = {0};
    size_t width = vector_rows_width(&rows->rows);
    float *mean = mem_zalloc(width * sizeof *mean), *sum = mem_zalloc(width * sizeof *sum);
    float *x = mem_alloc(width * sizeof *x);
    winnow_status st = choice_examples_make(p, FACTORS_STACKED, &e, err);
    for (size_t i = 0; st == WINNOW_OK && i < e.count; i++) {
        p->k->add(mean, e.x + i * width, width);
    }
    for (size_t i = 0; st == WINNOW_OK && i < c->count; i++) {
        vector_rows_expand(&rows->rows, c->picks[i].row, x);
        for (size_t k = 0; k < width; k++) {
            sum[k] += (float)c->picks[i].weight * x[k];
        }
        if ((i + 1) * STORY_POINTS / c->count > i * STORY_POINTS / c->count) {
            double size = norm(p->k, sum, width) * norm(p->k, mean, width);
            out->picks[out->count] = i + 1;
            out->cosine[out->count++] =
                size > 0 ? vector_dot(p->k, sum, mean, width) / size : (double)NAN;
        }
    }
    choice_examples_release(&e);
    mem_free(mean);
    mem_free(sum);
    mem_free(x);
    return st;
}

/* ---- top-k ---- */

static void compare_with_top(const struct choice_problem *p, const struct choice *c,
                             const struct choice *top, struct story *out)
{
    bool *chosen = mem_zalloc((p->pool->head->rows + 1) * sizeof *chosen);
    for (size_t i = 0; i < c->count; i++) {
        chosen[c->picks[i].row] = true;
    }
    for (size_t i = 0; i < top->count; i++) {
        out->shared += chosen[top->picks[i].row];
        if (!chosen[top->picks[i].row] && out->instead_count < STORY_INSTEAD) {
            out->instead[out->instead_count++] = top->picks[i];
        }
    }
    mem_free(chosen);
}

static winnow_status find_top(const struct choice_problem *p, const struct choice_rows *rows,
                              const struct choice *c, struct story *out, struct winnow_error *err)
{
    struct winnow_select_options opt = *p->opt;
    struct choice_problem other = *p;
    struct choice top;
    opt.method = WINNOW_TOP_K;
    other.opt = &opt;
    winnow_status st = choose(&other, &top, err);
    if (st == WINNOW_OK) {
        out->has_top = true;
        compare_with_top(p, c, &top, out);
        st = find_groups(p, rows, &top, &out->top, err);
        st = st == WINNOW_OK ? find_course(p, rows, &top, &out->top_course, err) : st;
    }
    choice_release(&top);
    return st;
}

/* ---- neighbours ---- */

static void offer_near(struct story_pick *p, struct story_near x)
{
    size_t at = p->near_count;
    while (at > 0 && p->near[at - 1].cosine < x.cosine) {
        at--;
    }
    if (at >= STORY_NEIGHBOURS) {
        return;
    }
    size_t last = p->near_count < STORY_NEIGHBOURS ? p->near_count++ : STORY_NEIGHBOURS - 1;
    memmove(p->near + at + 1, p->near + at, (last - at) * sizeof *p->near);
    p->near[at] = x;
}

/* From the first to the last pick at equal distances. */
static void take_picks(const struct choice *c, struct story *out)
{
    size_t n = c->count < STORY_PICKS ? c->count : STORY_PICKS;
    for (size_t i = 0; i < n; i++) {
        size_t at = n > 1 ? i * (c->count - 1) / (n - 1) : 0;
        const struct choice_pick *p = &c->picks[at];
        out->picks[i] = (struct story_pick){p->row, at + 1, p->weight, p->gain, {{0}}, 0};
    }
    out->pick_count = n;
}

static winnow_status find_neighbours(const struct choice_problem *p, const struct choice_rows *rows,
                                     struct story *out, struct winnow_error *err)
{
    size_t n = rows->rows.count, width = vector_rows_width(&rows->rows);
    float *x = mem_try_alloc((STORY_PICKS * width + 1) * sizeof *x);
    float *cosines = mem_try_alloc((STORY_PICKS * n + 1) * sizeof *cosines);
    if (!x || !cosines) {
        mem_free(x);
        mem_free(cosines);
        return error_set(err, WINNOW_E_NOMEM, "no memory for the neighbours among %zu documents",
                         n);
    }
    for (size_t i = 0; i < out->pick_count; i++) {
        vector_rows_expand(&rows->rows, out->picks[i].row, x + i * width);
    }
    const struct vector_sweep s = {
        .rows = &rows->rows, .n = n, .x = x, .count = out->pick_count, .out = cosines};
    vector_sweep(&s, p->k, p->threads);
    for (size_t i = 0; i < out->pick_count; i++) {
        for (size_t r = 0; r < n; r++) {
            if (r != out->picks[i].row && vector_rows_has(&rows->rows, r)) {
                offer_near(&out->picks[i],
                           (struct story_near){(uint32_t)r, (double)cosines[i * n + r]});
            }
        }
    }
    mem_free(x);
    mem_free(cosines);
    return WINNOW_OK;
}

/* ---- the whole ---- */

static void want_document(struct story *s, uint32_t row)
{
    for (size_t i = 0; i < s->document_count; i++) {
        if (s->documents[i].row == row) {
            return;
        }
    }
    s->documents[s->document_count++] = (struct story_document){row, NULL, NULL};
}

static void want_documents(struct story *s)
{
    for (size_t i = 0; i < s->pick_count; i++) {
        want_document(s, s->picks[i].row);
        for (size_t k = 0; k < s->picks[i].near_count; k++) {
            want_document(s, s->picks[i].near[k].row);
        }
    }
    for (size_t i = 0; i < s->instead_count; i++) {
        want_document(s, s->instead[i].row);
    }
}

static winnow_status find_all(const struct choice_problem *p, const struct choice *c,
                              struct choice_rows *rows, struct story *out, struct winnow_error *err)
{
    TRY(choice_rows_make(p, p->pool, FACTORS_STACKED, rows, err));
    take_picks(c, out);
    if (out->pick_count > 0) {
        TRY(find_neighbours(p, rows, out, err));
    }
    TRY(find_groups(p, rows, c, &out->chosen, err));
    if (p->target_count == 0) {
        return WINNOW_OK;
    }
    TRY(find_course(p, rows, c, &out->course, err));
    return p->opt->method == WINNOW_TOP_K ? WINNOW_OK : find_top(p, rows, c, out, err);
}

winnow_status story_find(const struct choice_problem *p, const struct choice *c, struct story *out,
                         struct winnow_error *err)
{
    struct choice_rows rows = {0};
    winnow_status st = find_all(p, c, &rows, out, err);
    choice_rows_release(&rows);
    want_documents(out);
    out->told = st == WINNOW_OK;
    return st;
}

void story_release(struct story *s)
{
    for (size_t i = 0; i < s->document_count; i++) {
        mem_free(s->documents[i].id);
        mem_free(s->documents[i].text);
    }
    *s = (struct story){0};
}

/* ---- texts ---- */

static void add_member(struct buf *out, struct json_value d, const char *key)
{
    struct str s;
    if (json_as_str(json_get(d, key), &s) && s.len > 0) {
        if (out->len > 0) {
            buf_add_text(out, " \xE2\x86\x92 "); /* an arrow */
        }
        buf_add_str(out, utf8_cut(s, EXCERPT_BYTES / 2));
    }
}

/* The text, or of a row its prompt and response, or what was said. */
static void excerpt(const struct document *d, struct buf *out)
{
    static const char *const KEYS[] = {"prompt",   "instruction", "question",
                                       "response", "output",      "answer"};
    if (d->text_span.len > 0) {
        buf_add_str(out, utf8_cut(d->text, EXCERPT_BYTES));
        return;
    }
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        add_member(out, d->json, KEYS[i]);
    }
    struct json_iter it = json_walk(json_get(d->json, "messages"));
    while (out->len < EXCERPT_BYTES && json_next(&it)) {
        add_member(out, it.value, "content");
    }
}

static char *copy(struct str s)
{
    char *to = mem_alloc(s.len + 1);
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    return to;
}

void story_meet(struct story *s, uint32_t row, const struct document *d)
{
    for (size_t i = 0; i < s->document_count; i++) {
        struct story_document *x = &s->documents[i];
        if (x->row != row) {
            continue;
        }
        struct buf text = {0};
        excerpt(d, &text);
        (void)pthread_mutex_lock(s->lock);
        if (!x->id) {
            x->id = copy(d->id);
            x->text = copy(buf_str(&text));
        }
        (void)pthread_mutex_unlock(s->lock);
        buf_release(&text);
    }
}

/* ---- as JSON ---- */

static void write_document(const struct story *s, uint32_t row, struct json_writer *w)
{
    for (size_t i = 0; i < s->document_count; i++) {
        if (s->documents[i].row == row && s->documents[i].id) {
            json_member_text(w, "id", s->documents[i].id);
            json_member_text(w, "text", s->documents[i].text);
        }
    }
}

static void write_groups(const char *name, const struct story_groups *g, struct json_writer *w)
{
    json_member_open(w, name, '{');
    json_member_u64(w, "picks", g->picks);
    json_member_u64(w, "groups", g->groups);
    json_member_u64(w, "clusters", g->clusters);
    json_close(w, '}');
}

static void write_course(const struct story_course *c, struct json_writer *w)
{
    if (c->count == 0) {
        return;
    }
    json_member_open(w, "course", '[');
    for (size_t i = 0; i < c->count; i++) {
        json_open(w, '[');
        json_u64(w, c->picks[i]);
        json_double(w, c->cosine[i]);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static bool is_chosen(const struct choice *c, uint32_t row)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->picks[i].row == row) {
            return true;
        }
    }
    return false;
}

static void write_pick(const struct story *s, const struct story_pick *p, const struct choice *c,
                       struct json_writer *w)
{
    json_open(w, '{');
    write_document(s, p->row, w);
    json_member_u64(w, "order", p->order);
    json_member_double(w, "weight", p->weight);
    json_member_double(w, "gain", p->gain);
    json_member_open(w, "near", '[');
    for (size_t i = 0; i < p->near_count; i++) {
        json_open(w, '{');
        write_document(s, p->near[i].row, w);
        json_member_double(w, "cosine", p->near[i].cosine);
        json_member_bool(w, "chosen", is_chosen(c, p->near[i].row));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

void story_write(const struct story *s, const struct choice *c, struct json_writer *w)
{
    if (!s->told) {
        return;
    }
    write_groups("groups", &s->chosen, w);
    write_course(&s->course, w);
    json_member_open(w, "shown", '[');
    for (size_t i = 0; i < s->pick_count; i++) {
        write_pick(s, &s->picks[i], c, w);
    }
    json_close(w, ']');
    if (!s->has_top) {
        return;
    }
    json_member_open(w, "top_k", '{');
    write_groups("groups", &s->top, w);
    write_course(&s->top_course, w);
    json_member_u64(w, "shared", s->shared);
    json_member_open(w, "instead", '[');
    for (size_t i = 0; i < s->instead_count; i++) {
        json_open(w, '{');
        write_document(s, s->instead[i].row, w);
        json_member_double(w, "score", s->instead[i].gain);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}
