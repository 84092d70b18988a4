/* What trainings of classifiers learn from: gradients are those of finite differences,
 * smoothing is its formula, and it wins where judgements are wrong and few, not where they are
 * right and many. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quality/quality_pairs.h"
#include "quality/quality_train.h"
#include "scratch.h"

#include <string.h>

static struct scratch scratch;

enum { DIM = 5, BUCKET = 11 };
static const struct fasttext_args SMALL = {.dim = DIM, .word_ngrams = 2, .bucket = BUCKET};

/* ---- gradients ---- */

struct small {
    struct quality_examples e;
    struct quality_net net;
    struct lesson_room room;
};

static void small_open(struct small *s)
{
    *s = (struct small){0};
    quality_examples_add(&s->e, STR_LIT("red blue red"), STR_LIT("s"), true, false);
    quality_examples_add(&s->e, STR_LIT("blue green"), STR_LIT("s"), true, false);
    quality_examples_index(&s->e, 1, STR_LIT("g"), STR_LIT("b"));
    struct quality_train_options opt = {.args = SMALL};
    struct winnow_error err;
    struct rng r;
    uint64_t rows = s->e.row_count + BUCKET;
    assert_ok(quality_net_start(&opt, rows, 1, &s->net, &err), err);
    rng_init(&r, 4, "small");
    for (uint64_t i = 0; i < rows * DIM; i++) {
        s->net.input[i] = (float)rng_normal(&r);
    }
    lesson_room_init(&s->room, DIM);
}

static void small_close(struct small *s)
{
    lesson_room_release(&s->room);
    quality_net_release(&s->net);
    quality_examples_release(&s->e);
}

static double loss_at(struct small *s, const struct quality_lesson *l, bool judgement, float *at,
                      float by)
{
    float was = *at;
    *at += by;
    lesson_read(&s->net, &s->e, &SMALL, l, judgement, &s->room);
    *at = was;
    return s->room.loss;
}

static void check_gradient(const struct quality_lesson *l, bool judgement)
{
    struct small s;
    const float step = 1e-2F;
    small_open(&s);
    for (uint64_t i = 0; i < s.net.rows * DIM; i++) {
        double want = (loss_at(&s, l, judgement, &s.net.input[i], step) -
                       loss_at(&s, l, judgement, &s.net.input[i], -step)) /
                      (2 * (double)step);
        double got = 0;
        lesson_read(&s.net, &s.e, &SMALL, l, judgement, &s.room);
        for (unsigned t = 0; t < s.room.texts; t++) {
            for (size_t k = 0; k < s.room.ids[t].count; k++) {
                got += s.room.ids[t].items[k] == i / DIM ? (double)s.room.g[t].row[i % DIM] : 0;
            }
        }
        assert_near(got, want, 2e-4);
    }
    for (uint32_t i = 0; i < QUALITY_LABELS * DIM; i++) {
        double want = (loss_at(&s, l, judgement, &s.net.output[i], step) -
                       loss_at(&s, l, judgement, &s.net.output[i], -step)) /
                      (2 * (double)step);
        double got = 0;
        lesson_read(&s.net, &s.e, &SMALL, l, judgement, &s.room);
        for (unsigned t = 0; t < s.room.outputs; t++) {
            got += (double)(s.room.g[t].labels[i / DIM] * s.room.g[t].hidden[i % DIM]);
        }
        assert_near(got, want, 2e-4);
    }
    small_close(&s);
}

static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    check_gradient(&(struct quality_lesson){.a = 0, .b = 1, .weight = 1, .target = 1}, true);
    check_gradient(&(struct quality_lesson){.a = 1, .b = 0, .weight = 1, .target = 0.3F}, true);
    check_gradient(&(struct quality_lesson){.a = 0, .b = 1, .mix = 0.3F, .weight = 1, .target = 1},
                   false);
    check_gradient(
        &(struct quality_lesson){.a = 0, .b = 1, .mix = 0.8F, .weight = 2.5F, .target = 0}, false);
    check_gradient(&(struct quality_lesson){.a = 1, .b = LESSON_ONE, .weight = 3, .target = 1},
                   false);
}

static void a_mixture_of_nothing_is_the_text(void **state)
{
    (void)state;
    struct small s;
    small_open(&s);
    const struct quality_lesson one = {.a = 0, .b = LESSON_ONE, .weight = 1, .target = 1};
    const struct quality_lesson mix = {.a = 0, .b = 1, .mix = 0, .weight = 1, .target = 1};
    lesson_read(&s.net, &s.e, &SMALL, &one, false, &s.room);
    double loss = s.room.loss;
    float row[DIM];
    memcpy(row, s.room.g[0].row, sizeof row);
    lesson_read(&s.net, &s.e, &SMALL, &mix, false, &s.room);
    assert_near(s.room.loss, loss, 1e-6);
    for (int k = 0; k < DIM; k++) {
        assert_near((double)s.room.g[0].row[k], (double)row[k], 1e-6);
        assert_near((double)s.room.g[1].row[k], 0, 1e-12);
    }
    small_close(&s);
}

/* ---- smoothing ---- */

static double plain_worth(const struct small *s, uint32_t example)
{
    struct fasttext_ids ids = {0}, hashes = {0};
    double worth = 0;
    quality_examples_rows(&s->e, &s->e.items[example], &SMALL, &hashes, &ids);
    for (uint32_t k = 0; k < DIM; k++) {
        double mean = 0;
        for (size_t i = 0; i < ids.count; i++) {
            mean += (double)s->net.input[ids.items[i] * DIM + k] / (double)ids.count;
        }
        worth += mean * ((double)s->net.output[k] - (double)s->net.output[DIM + k]);
    }
    fasttext_ids_release(&ids);
    fasttext_ids_release(&hashes);
    return worth;
}

static void an_epoch_ends_as_the_formula_says(void **state)
{
    (void)state;
    struct small s;
    struct quality_lessons l = {.judgements = true, .smooth = 0.3};
    small_open(&s);
    struct pool *pool = pool_new(2);
    double p = 1 / (1 + exp(plain_worth(&s, 1) - plain_worth(&s, 0)));
    quality_lessons_add(&l, (struct quality_lesson){.a = 0, .b = 1, .weight = 1, .target = 1});
    quality_lessons_add(&l, (struct quality_lesson){.a = 1, .b = 0, .weight = 1, .target = 0.5F});
    quality_lessons_hold(&l, (struct quality_lesson){.a = 0, .b = 1, .weight = 1, .target = 0});
    l.given = mem_alloc(2 * sizeof(float));
    l.given[0] = 1;
    l.given[1] = 0.5F;
    l.epochs = mem_zalloc(2 * sizeof *l.epochs);
    quality_lessons_epoch(&l, &s.net, &s.e, &SMALL, pool);
    assert_near((double)l.items[0].target, 0.7 + 0.3 * p, 1e-5);
    assert_near((double)l.items[1].target, 0.7 * 0.5 + 0.3 * (1 - p), 1e-5);
    assert_near((double)l.held[0].target, 0, 0);
    assert_near(l.epochs[0].loss, (-log(p) - 0.5 * log(p) - 0.5 * log(1 - p)) / 2, 1e-4);
    assert_near(l.epochs[0].held_loss, -log(1 - p), 1e-4);
    assert_near(l.epochs[0].held_right, p < 0.5 ? 1 : 0, 0);
    quality_lessons_epoch(&l, &s.net, &s.e, &SMALL, pool); /* labels stay moved */
    assert_near((double)l.items[0].target, 0.7 * (0.7 + 0.3 * p) + 0.3 * p, 1e-5);
    assert_near(l.epochs[1].loss, l.epochs[0].loss, 1e-9); /* told against what was given */
    pool_free(pool);
    quality_lessons_release(&l);
    small_close(&s);
}

/* ---- planted judgements ---- */

struct planted {
    struct quality_examples e;
    struct quality_lessons l;
};

static double draw_page(struct planted *p, struct rng *r, double telling, struct buf *text)
{
    double worth = rng_normal(r);
    buf_clear(text);
    for (int k = 0; k < 40; k++) {
        bool good = rng_uniform(r) < 1 / (1 + exp(-worth));
        bool tells = rng_uniform(r) < telling;
        uint64_t word = rng_below(r, tells ? 20 : 2000);
        buf_addf(text, "%s%u ", !tells ? "w" : good ? "good" : "bad", (unsigned)word);
    }
    quality_examples_add(&p->e, buf_str(text), STR_LIT("s"), false, false);
    return worth;
}

/* Judgements of drawn pages; those held out are of other pages, and right. */
static void plant(struct planted *p, uint32_t pages, uint32_t judgements, double wrong,
                  double telling)
{
    enum { HELD = 400 };
    struct rng r;
    struct buf text = {0};
    double *worth = mem_alloc((pages + HELD) * sizeof *worth);
    *p = (struct planted){.l.judgements = true};
    rng_init(&r, 7, "planted");
    for (uint32_t i = 0; i < pages + HELD; i++) {
        worth[i] = draw_page(p, &r, telling, &text);
    }
    for (uint32_t i = 0; i < judgements + HELD; i++) {
        bool held = i >= judgements;
        uint32_t from = held ? pages : 0, of = held ? HELD : pages;
        uint32_t a = from + (uint32_t)rng_below(&r, of);
        uint32_t b = from + (uint32_t)((a - from + 1 + rng_below(&r, of - 1)) % of);
        bool better = worth[a] > worth[b];
        better = !held && rng_uniform(&r) < wrong ? !better : better;
        struct quality_lesson l = {.a = a, .b = b, .weight = 1, .target = better ? 1 : 0};
        (held ? quality_lessons_hold : quality_lessons_add)(&p->l, l);
    }
    quality_examples_index(&p->e, 1, STR_LIT("g"), STR_LIT("b"));
    buf_release(&text);
    mem_free(worth);
}

static void planted_release(struct planted *p)
{
    quality_lessons_release(&p->l);
    quality_examples_release(&p->e);
}

static const struct quality_train_options TRAIN = {
    .args = {.dim = 8, .bucket = 20000, .word_ngrams = 2},
    .epochs = 8,
    .rate = 0.1,
    .batch = 16,
    .save_seconds = 1e6,
    .silent = true};

/* The losses of the held out after the first and the last epoch. */
static void train_planted(struct planted *p, double smooth, double rate, double *first,
                          double *last)
{
    struct quality_net net;
    struct quality_train_options opt = TRAIN;
    struct quality_train_result result;
    struct winnow_error err;
    struct winnow_env env = {.seed = 3};
    struct pool *pool = pool_new(2);
    opt.pool = pool;
    opt.rate = rate;
    p->l.smooth = smooth;
    assert_ok(quality_net_start(&opt, p->e.row_count + 20000U, 3, &net, &err), err);
    assert_ok(quality_train_lessons(&p->e, &p->l, &opt, &env, &net, &result, &err), err);
    assert_int_equal(p->l.epoch_count, 8);
    *first = p->l.epochs[0].held_loss;
    *last = p->l.epochs[7].held_loss;
    pool_free(pool);
    quality_net_release(&net);
}

static void smoothing_keeps_wrong_judgements_from_being_learned(void **state)
{
    (void)state;
    double first[2], last[2];
    for (int smoothed = 0; smoothed < 2; smoothed++) {
        struct planted p;
        plant(&p, 600, 400, 0.4, 0.1);
        train_planted(&p, smoothed ? 0.5 : 0, 0.2, &first[smoothed], &last[smoothed]);
        planted_release(&p);
    }
    assert_near(first[0], first[1], 0);
    assert_true(last[0] > first[0] + 0.1);
    assert_true(last[1] < first[1] + 0.02);
}

static void smoothing_loses_where_judgements_are_right_and_many(void **state)
{
    (void)state;
    double first, plain, smooth;
    struct planted p;
    plant(&p, 300, 3000, 0, 0.3);
    train_planted(&p, 0, 0.02, &first, &plain);
    planted_release(&p);
    plant(&p, 300, 3000, 0, 0.3);
    train_planted(&p, 0.5, 0.02, &first, &smooth);
    planted_release(&p);
    assert_true(plain < first);
    assert_true(plain < smooth - 0.01);
}

struct stopper {
    volatile int cancel;
    uint64_t at;
};

static void stop_there(void *user, const struct winnow_progress *p)
{
    struct stopper *s = user;
    s->cancel = s->at > 0 && p->done >= s->at;
}

static winnow_status smooth(uint32_t threads, uint64_t stop_at, struct quality_net *net,
                            struct quality_lessons *labels, struct winnow_error *err)
{
    struct planted p;
    struct stopper stopper = {.at = stop_at};
    struct winnow_env env = {.seed = 3,
                             .threads = threads,
                             .progress = stop_there,
                             .user = &stopper,
                             .cancel = &stopper.cancel};
    struct quality_train_options opt = TRAIN;
    struct quality_train_result result;
    struct pool *pool = pool_new(threads);
    opt.pool = pool;
    struct buf path = {0};
    opt.silent = false;
    opt.checkpoint = file_join(&path, scratch.dir, "smooth");
    plant(&p, 100, 150, 0.2, 0.3);
    p.l.smooth = 0.4;
    assert_ok(quality_net_start(&opt, p.e.row_count + 20000U, 3, net, err), *err);
    winnow_status st = quality_train_lessons(&p.e, &p.l, &opt, &env, net, &result, err);
    quality_examples_release(&p.e);
    *labels = p.l;
    pool_free(pool);
    buf_release(&path);
    return st;
}

static void labels_come_back_with_a_checkpoint(void **state)
{
    (void)state;
    struct quality_net whole, broken, resumed;
    struct quality_lessons a, b, c;
    struct winnow_error err;
    struct buf path = {0};
    assert_ok(smooth(1, 0, &whole, &a, &err), err);
    assert_int_equal(smooth(2, 700, &broken, &b, &err), WINNOW_E_CANCELLED);
    assert_true(b.epoch_count > 2 && b.epoch_count < 8);
    assert_ok(smooth(4, 0, &resumed, &c, &err), err);
    assert_memory_equal(whole.input, resumed.input, whole.rows * whole.dim * sizeof(float));
    assert_int_equal(a.count, c.count);
    assert_memory_equal(a.items, c.items, a.count * sizeof *a.items);
    assert_int_equal(c.epoch_count, 8);
    assert_memory_equal(a.epochs, c.epochs, 8 * sizeof *a.epochs);
    quality_net_release(&whole);
    quality_net_release(&broken);
    quality_net_release(&resumed);
    quality_lessons_release(&a);
    quality_lessons_release(&b);
    quality_lessons_release(&c);
    assert_ok(file_remove_tree(file_join(&path, scratch.dir, "smooth"), &err), err);
    buf_release(&path);
}

/* ---- judgements that contradict each other ---- */

static void pairs_judged_both_ways_are_counted(void **state)
{
    (void)state;
    struct quality_pair items[] = {{1, 2, 1, false},    {2, 1, 1, false},    /* both ways */
                                   {3, 4, 1, false},    {4, 3, 0, false},    /* the same twice */
                                   {5, 6, 0.5F, false}, {6, 5, 0.9F, false}, /* same, and one way */
                                   {7, 8, 0.4F, false}, {7, 8, 0.6F, false}};
    const struct quality_pairs p = {.items = items, .count = 8};
    uint64_t distinct, both;
    quality_pairs_count(&p, &distinct, &both);
    assert_int_equal(distinct, 4);
    assert_int_equal(both, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(a_mixture_of_nothing_is_the_text),
        cmocka_unit_test(an_epoch_ends_as_the_formula_says),
        cmocka_unit_test(smoothing_keeps_wrong_judgements_from_being_learned),
        cmocka_unit_test(smoothing_loses_where_judgements_are_right_and_many),
        cmocka_unit_test(labels_come_back_with_a_checkpoint),
        cmocka_unit_test(pairs_judged_both_ways_are_counted),
    };
    scratch_open(&scratch);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close(&scratch);
    return failed;
}
