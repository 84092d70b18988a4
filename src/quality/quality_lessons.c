/* quality_lessons.c -- gradients of texts, of mixtures and of judgements; smoothing. */
#include "quality/quality_lessons.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"

#include <math.h>

#define PIECE 256U /* judgements that one piece of work measures */

void quality_lessons_release(struct quality_lessons *l)
{
    mem_free(l->items);
    mem_free(l->given);
    mem_free(l->held);
    mem_free(l->epochs);
    *l = (struct quality_lessons){0};
}

void quality_lessons_add(struct quality_lessons *l, struct quality_lesson lesson)
{
    GROW(l->items, l->count, l->cap, 1024);
    l->items[l->count++] = lesson;
}

void quality_lessons_hold(struct quality_lessons *l, struct quality_lesson lesson)
{
    GROW(l->held, l->held_count, l->held_cap, 256);
    l->held[l->held_count++] = lesson;
}

void quality_lessons_of(const struct quality_examples *e, struct quality_lessons *out)
{
    for (uint32_t i = 0; i < e->count; i++) {
        if (!e->items[i].held) {
            quality_lessons_add(
                out, (struct quality_lesson){
                         .a = i, .b = LESSON_ONE, .weight = 1, .target = e->items[i].good ? 1 : 0});
        }
    }
}

uint64_t quality_lessons_bytes(const struct quality_lessons *l)
{
    return (l->cap + l->held_cap) * sizeof *l->items + l->count * (sizeof(float) + 4);
}

uint64_t quality_lessons_hash(const struct quality_lessons *l)
{
    uint64_t h = hash64((struct str){(const char *)l->items, l->count * sizeof *l->items},
                        l->judgements ? 1 : 0);
    h = hash64((struct str){(const char *)l->held, l->held_count * sizeof *l->held}, h);
    return hash64((struct str){(const char *)&l->smooth, sizeof l->smooth}, h);
}

/* ---- one lesson ---- */

void lesson_room_init(struct lesson_room *r, uint32_t dim)
{
    *r = (struct lesson_room){0};
    for (unsigned i = 0; i < 2; i++) {
        r->g[i].hidden = mem_alloc((size_t)dim * sizeof(float));
        r->g[i].row = mem_alloc((size_t)dim * sizeof(float));
    }
}

void lesson_room_release(struct lesson_room *r)
{
    for (unsigned i = 0; i < 2; i++) {
        fasttext_ids_release(&r->ids[i]);
        mem_free(r->g[i].hidden);
        mem_free(r->g[i].row);
    }
    fasttext_ids_release(&r->hashes);
    *r = (struct lesson_room){0};
}

static double log_of(double p)
{
    return log(p > 1e-30 ? p : 1e-30);
}

static double cross_entropy(double p, double y)
{
    return (y > 0 ? -y * log_of(p) : 0) - (y < 1 ? (1 - y) * log_of(1 - p) : 0);
}

/* By how much the good label's logit is too high; the bad one's is too low by as much. */
static void take_error(struct quality_gradient *g, double error)
{
    g->labels[0] = (float)error;
    g->labels[1] = (float)-error;
}

static double share_of(const struct fasttext_ids *ids)
{
    return ids->count > 0 ? 1 / (double)ids->count : 0;
}

static void read_text(const struct quality_net *net, const struct quality_lesson *lesson,
                      struct lesson_room *r)
{
    quality_net_gradient(net, r->ids[0].items, r->ids[0].count, lesson->target > 0.5F ? 0 : 1,
                         &r->g[0]);
    r->loss = (double)lesson->weight * r->g[0].loss;
    if (lesson->weight != 1) {
        for (unsigned l = 0; l < QUALITY_LABELS; l++) {
            r->g[0].labels[l] *= lesson->weight;
        }
        quality_net_backward(net, (float)share_of(&r->ids[0]), &r->g[0]);
    }
}

static void read_mixture(const struct quality_net *net, const struct quality_lesson *lesson,
                         struct lesson_room *r)
{
    struct quality_gradient *a = &r->g[0], *b = &r->g[1];
    double mix = (double)lesson->mix;
    (void)quality_net_score(net, r->ids[0].items, r->ids[0].count, a->hidden);
    (void)quality_net_score(net, r->ids[1].items, r->ids[1].count, b->hidden);
    for (uint32_t k = 0; k < net->dim; k++) {
        a->hidden[k] += lesson->mix * (b->hidden[k] - a->hidden[k]);
    }
    a->p_good = 1 / (1 + exp(-quality_net_logit(net, a->hidden)));
    take_error(a, (double)lesson->weight * (a->p_good - (double)lesson->target));
    take_error(b, (double)a->labels[0]);
    quality_net_backward(net, (float)((1 - mix) * share_of(&r->ids[0])), a);
    quality_net_backward(net, (float)(mix * share_of(&r->ids[1])), b);
    r->loss = (double)lesson->weight * cross_entropy(a->p_good, (double)lesson->target);
}

static double belief(const struct quality_net *net, struct lesson_room *r)
{
    double logit[2];
    for (unsigned i = 0; i < 2; i++) {
        (void)quality_net_score(net, r->ids[i].items, r->ids[i].count, r->g[i].hidden);
        logit[i] = quality_net_logit(net, r->g[i].hidden);
    }
    return 1 / (1 + exp(logit[1] - logit[0]));
}

static void read_judgement(const struct quality_net *net, const struct quality_lesson *lesson,
                           struct lesson_room *r)
{
    double p = belief(net, r), y = (double)lesson->target, w = (double)lesson->weight;
    take_error(&r->g[0], w * (p - y));
    take_error(&r->g[1], w * (y - p));
    for (unsigned i = 0; i < 2; i++) {
        quality_net_backward(net, (float)share_of(&r->ids[i]), &r->g[i]);
    }
    r->loss = w * cross_entropy(p, y);
}

static void read_rows(const struct quality_examples *e, const struct fasttext_args *args,
                      const struct quality_lesson *lesson, struct lesson_room *r)
{
    quality_examples_rows(e, &e->items[lesson->a], args, &r->hashes, &r->ids[0]);
    r->texts = lesson->b == LESSON_ONE ? 1 : 2;
    if (r->texts == 2) {
        quality_examples_rows(e, &e->items[lesson->b], args, &r->hashes, &r->ids[1]);
    }
}

void lesson_read(const struct quality_net *net, const struct quality_examples *e,
                 const struct fasttext_args *args, const struct quality_lesson *lesson,
                 bool judgement, struct lesson_room *room)
{
    read_rows(e, args, lesson, room);
    room->outputs = judgement ? 2 : 1;
    if (judgement) {
        read_judgement(net, lesson, room);
    } else if (room->texts == 2) {
        read_mixture(net, lesson, room);
    } else {
        read_text(net, lesson, room);
    }
}

void lesson_move_rows(struct quality_net *net, const struct lesson_room *room, uint32_t shards,
                      uint32_t shard, float rate)
{
    for (unsigned i = 0; i < room->texts; i++) {
        quality_net_move_rows(net, room->ids[i].items, room->ids[i].count, shards, shard,
                              &room->g[i], rate);
    }
}

void lesson_move_output(struct quality_net *net, const struct lesson_room *room, float rate)
{
    for (unsigned i = 0; i < room->outputs; i++) {
        quality_net_move_output(net, &room->g[i], rate);
    }
}

/* ---- the end of an epoch ---- */

struct measuring {
    struct quality_lessons *l;
    const struct quality_net *net;
    const struct quality_examples *e;
    const struct fasttext_args *args;
    struct lesson_room *rooms; /* a worker */
    double *beliefs;           /* of the items, then of those held */
};

static void measure_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct measuring *m = ctx;
    struct lesson_room *room = &m->rooms[worker];
    size_t all = m->l->count + m->l->held_count;
    for (size_t i = piece * PIECE; i < (piece + 1) * PIECE && i < all; i++) {
        const struct quality_lesson *lesson =
            i < m->l->count ? &m->l->items[i] : &m->l->held[i - m->l->count];
        read_rows(m->e, m->args, lesson, room);
        m->beliefs[i] = belief(m->net, room);
    }
}

static struct quality_epoch sums_of(const struct quality_lessons *l, const double *beliefs)
{
    struct quality_epoch at = {0};
    for (size_t i = 0; i < l->count; i++) {
        at.loss += cross_entropy(beliefs[i], (double)l->given[i]) / (double)l->count;
    }
    for (size_t i = 0; i < l->held_count; i++) {
        double p = beliefs[l->count + i], y = (double)l->held[i].target;
        double right = p == 0.5 || y == 0.5 ? 0.5 : (p > 0.5) == (y > 0.5);
        at.held_loss += cross_entropy(p, y) / (double)l->held_count;
        at.held_right += right / (double)l->held_count;
    }
    if (l->held_count == 0) {
        at.held_loss = at.held_right = NAN;
    }
    return at;
}

void quality_lessons_epoch(struct quality_lessons *l, const struct quality_net *net,
                           const struct quality_examples *e, const struct fasttext_args *args,
                           struct pool *pool)
{
    size_t all = l->count + l->held_count;
    uint32_t workers = pool_threads(pool);
    struct measuring m = {.l = l, .net = net, .e = e, .args = args};
    m.beliefs = mem_alloc((all + 1) * sizeof *m.beliefs);
    m.rooms = mem_alloc(workers * sizeof *m.rooms);
    for (uint32_t i = 0; i < workers; i++) {
        lesson_room_init(&m.rooms[i], net->dim);
    }
    pool_run(pool, (all + PIECE - 1) / PIECE, measure_piece, &m);
    l->epochs[l->epoch_count++] = sums_of(l, m.beliefs);
    for (size_t i = 0; i < l->count && l->smooth > 0; i++) {
        double y = (double)l->items[i].target;
        l->items[i].target = (float)(y + l->smooth * (m.beliefs[i] - y));
    }
    for (uint32_t i = 0; i < workers; i++) {
        lesson_room_release(&m.rooms[i]);
    }
    mem_free(m.rooms);
    mem_free(m.beliefs);
}
