/* Silos: what crosses is numbers of a model's size, the mean is the mean, labels are evened out
 * by what is there, and ambiguous documents stay at home. */
#include "winnow/quality.h"

#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quality/quality_silo.h"

#include <string.h>

static const struct silo_options OPTIONS = {
    .train = {.args = {.dim = 6, .bucket = 3000, .word_ngrams = 2, .minn = 4, .maxn = 5},
              .epochs = 4,
              .rate = 0.02,
              .batch = 8},
    .rounds = 2,
    .choose = true,
    .doubt = 0.1,
    .rebalance = WINNOW_REBALANCE_SMOTE};

static const struct winnow_env ENV = {.seed = 5};

/* Documents of telling words; of `noise` of them the label is chance. */
static void fill(struct quality_silo *s, uint64_t seed, int count, double good, double noise)
{
    struct rng r;
    struct buf text = {0};
    *s = (struct quality_silo){.name = "here"};
    rng_init(&r, seed, "silo");
    for (int i = 0; i < count; i++) {
        bool is = rng_uniform(&r) < good, chance = rng_uniform(&r) < noise;
        buf_clear(&text);
        for (int k = 0; k < 25; k++) {
            bool tells = rng_uniform(&r) < 0.3, says = chance ? rng_uniform(&r) < 0.5 : is;
            buf_addf(&text, "%s%u ",
                     !tells ? "confidential"
                     : says ? "explain"
                            : "casino",
                     (unsigned)rng_below(&r, tells ? 5 : 400));
        }
        quality_examples_add(&s->examples, buf_str(&text), STR_LIT(""),
                             chance ? rng_uniform(&r) < good : is, i % 4 == 3);
    }
    buf_release(&text);
}

static void prepare(struct quality_silo *s, const struct silo_options *opt)
{
    struct winnow_error err;
    struct silo_options own = *opt;
    own.train.pool = pool_new(2);
    assert_ok(silo_prepare(s, &own, &ENV, &err), err);
    pool_free(own.train.pool);
}

static struct buf first_model(const struct silo_options *opt)
{
    struct quality_net net;
    struct winnow_error err;
    struct buf out = {0};
    assert_ok(quality_net_start(&opt->train, (uint64_t)opt->train.args.bucket, 5, &net, &err), err);
    silo_message_write(&net, 0, &out);
    quality_net_release(&net);
    return out;
}

static void one_round(const struct quality_silo *s, const struct silo_options *opt,
                      uint32_t threads, uint32_t round, const struct buf *common,
                      struct buf *update)
{
    struct winnow_error err;
    struct silo_options own = *opt;
    own.train.pool = pool_new(threads);
    assert_ok(silo_round(s, &own, &ENV, round, buf_str(common), update, &err), err);
    pool_free(own.train.pool);
}

/* ---- what crosses ---- */

static void what_crosses_is_a_model_and_no_text(void **state)
{
    (void)state;
    struct quality_silo s;
    struct buf common = first_model(&OPTIONS), update = {0};
    fill(&s, 1, 80, 0.3, 0);
    prepare(&s, &OPTIONS);
    one_round(&s, &OPTIONS, 1, 0, &common, &update);
    assert_int_equal(sizeof(struct silo_head), 32);
    assert_int_equal(update.len, 32 + 4 * (3000 * 6 + 2 * 6 + 3000));
    assert_int_equal(update.len, common.len);
    /* More documents do not make it longer. */
    struct quality_silo more;
    struct buf longer = {0};
    fill(&more, 2, 200, 0.3, 0);
    prepare(&more, &OPTIONS);
    one_round(&more, &OPTIONS, 1, 0, &common, &longer);
    assert_int_equal(longer.len, update.len);
    /* No five letters in a row of any word that the silo has. */
    for (size_t i = 0; i < s.examples.texts.count; i++) {
        struct str word = s.examples.texts.entries[i].key;
        for (size_t at = 0; at + 5 <= word.len; at++) {
            assert_true(str_find(buf_str(&update), str_sub(word, at, at + 5)) == SIZE_MAX);
        }
    }
    /* All behind the head are finite numbers, as a model's are. */
    for (size_t at = 32; at < update.len; at += 4) {
        float x;
        memcpy(&x, update.ptr + at, 4);
        assert_true(isfinite(x) && fabsf(x) < 100);
    }
    assert_true(memcmp(update.ptr + 32, common.ptr + 32, update.len - 32) != 0);
    assert_int_equal(s.examples.row_count, 0); /* no word has a row */
    quality_silo_release(&s);
    quality_silo_release(&more);
    buf_release(&common);
    buf_release(&update);
    buf_release(&longer);
}

static void messages_of_another_shape_are_refused(void **state)
{
    (void)state;
    struct quality_net net;
    struct winnow_error err;
    uint64_t weight;
    struct buf message = first_model(&OPTIONS);
    assert_ok(quality_net_start(&OPTIONS.train, 3000, 1, &net, &err), err);
    assert_ok(silo_message_read(buf_str(&message), &net, &weight, &err), err);
    for (size_t cut = 0; cut < message.len; cut += 997) {
        assert_int_equal(silo_message_read(str_sub(buf_str(&message), 0, cut), &net, &weight, &err),
                         WINNOW_E_FORMAT);
    }
    message.ptr[8]++;
    assert_int_equal(silo_message_read(buf_str(&message), &net, &weight, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "is no model of 3000 rows of 6 numbers"));
    quality_net_release(&net);
    buf_release(&message);
}

static void the_mean_is_the_mean(void **state)
{
    (void)state;
    enum { SILOS = 3 };
    static const double WEIGHTS[SILOS] = {1, 5, 2};
    struct quality_net nets[SILOS], sum;
    struct winnow_error err;
    struct rng r;
    rng_init(&r, 1, "mean");
    assert_ok(quality_net_start(&OPTIONS.train, 30, 1, &sum, &err), err);
    memset(sum.output, 0, 12 * sizeof(float));
    for (int n = 0; n < SILOS; n++) {
        assert_ok(quality_net_start(&OPTIONS.train, 30, (uint64_t)n, &nets[n], &err), err);
        for (int i = 0; i < 180; i++) {
            nets[n].input[i] = (float)rng_normal(&r);
        }
        silo_message_add(&sum, &nets[n], WEIGHTS[n] / 8);
    }
    for (int i = 0; i < 180; i++) {
        double want = 0;
        for (int n = 0; n < SILOS; n++) {
            want += WEIGHTS[n] * (double)nets[n].input[i] / 8;
        }
        assert_near((double)sum.input[i], want, 1e-6);
    }
    assert_near((double)sum.output[3],
                ((double)nets[0].output[3] + 5 * (double)nets[1].output[3] +
                 2 * (double)nets[2].output[3]) /
                    8,
                1e-6);
    for (int n = 0; n < SILOS; n++) {
        quality_net_release(&nets[n]);
    }
    quality_net_release(&sum);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    struct quality_silo s;
    struct buf common = first_model(&OPTIONS), one = {0}, four = {0};
    fill(&s, 3, 60, 0.4, 0.1);
    prepare(&s, &OPTIONS);
    one_round(&s, &OPTIONS, 1, 1, &common, &one);
    one_round(&s, &OPTIONS, 4, 1, &common, &four);
    assert_int_equal(one.len, four.len);
    assert_memory_equal(one.ptr, four.ptr, one.len);
    quality_silo_release(&s);
    buf_release(&common);
    buf_release(&one);
    buf_release(&four);
}

/* ---- the choice and the balance ---- */

static void texts_that_are_good_and_bad_stay_at_home(void **state)
{
    (void)state;
    struct quality_silo s = {0};
    struct silo_options opt = OPTIONS;
    opt.doubt = 0;
    opt.rebalance = WINNOW_REBALANCE_WEIGHTS;
    struct str here = STR_LIT("");
    quality_examples_add(&s.examples, STR_LIT("both"), here, true, false);
    quality_examples_add(&s.examples, STR_LIT("good"), here, true, false);
    quality_examples_add(&s.examples, STR_LIT("both"), here, false, false);
    quality_examples_add(&s.examples, STR_LIT("bad"), here, false, false);
    quality_examples_add(&s.examples, STR_LIT("bad too"), here, false, false);
    quality_examples_add(&s.examples, STR_LIT("bad too"), here, false, false);
    prepare(&s, &opt);
    assert_int_equal(s.counts.both, 2);
    assert_int_equal(s.counts.good_left, 1);
    assert_int_equal(s.counts.bad_left, 3);
    assert_int_equal(s.lessons.count, 4);
    assert_false(s.out);
    double weights[2] = {0};
    for (size_t i = 0; i < 4; i++) {
        weights[s.lessons.items[i].target > 0.5F] += (double)s.lessons.items[i].weight;
    }
    assert_near(weights[0], 2, 1e-6); /* each label weighs half of all */
    assert_near(weights[1], 2, 1e-6);
    quality_silo_release(&s);
}

static void a_silo_of_one_label_sits_out(void **state)
{
    (void)state;
    struct quality_silo s;
    fill(&s, 4, 20, 1, 0);
    prepare(&s, &OPTIONS);
    assert_true(s.out);
    assert_int_equal(s.lessons.count, 0);
    quality_silo_release(&s);
}

static void mixtures_are_of_two_of_the_rarer_label(void **state)
{
    (void)state;
    struct quality_silo s;
    struct silo_options opt = OPTIONS;
    opt.choose = false;
    fill(&s, 5, 120, 0.2, 0);
    prepare(&s, &opt);
    assert_true(s.counts.good < s.counts.bad);
    assert_int_equal(s.counts.mixtures, s.counts.bad - s.counts.good);
    assert_int_equal(s.lessons.count, 2 * s.counts.bad);
    for (size_t i = 0; i < s.lessons.count; i++) {
        const struct quality_lesson *l = &s.lessons.items[i];
        if (l->b != LESSON_ONE) {
            assert_true(s.examples.items[l->a].good && s.examples.items[l->b].good);
            assert_true(!s.examples.items[l->a].held && !s.examples.items[l->b].held);
            assert_true(l->a != l->b && l->mix >= 0 && l->mix < 1 && l->target == 1);
        }
    }
    quality_silo_release(&s);
}

static struct silo_measure trained(double good, double noise, int rebalance, bool choose,
                                   struct silo_counts *counts)
{
    struct quality_silo silos[2];
    struct silo_options opt = OPTIONS;
    struct silo_measure all = {.auc = (double)NAN};
    struct winnow_error err;
    opt.rebalance = rebalance;
    opt.choose = choose;
    opt.rounds = 4;
    opt.train.epochs = 12;
    struct buf common = first_model(&opt), update = {0};
    for (int i = 0; i < 2; i++) {
        fill(&silos[i], (uint64_t)(10 + i), 240, good, noise);
        prepare(&silos[i], &opt);
    }
    for (uint32_t round = 0; round < 4; round++) {
        struct quality_net sum, net;
        uint64_t weight, weights = silos[0].lessons.count + silos[1].lessons.count;
        assert_ok(quality_net_start(&opt.train, 3000, 0, &sum, &err), err);
        assert_ok(quality_net_start(&opt.train, 3000, 0, &net, &err), err);
        memset(sum.output, 0, 12 * sizeof(float));
        for (int i = 0; i < 2; i++) {
            one_round(&silos[i], &opt, 1, round, &common, &update);
            assert_ok(silo_message_read(buf_str(&update), &net, &weight, &err), err);
            silo_message_add(&sum, &net, (double)weight / (double)weights);
        }
        silo_message_write(&sum, 0, &common);
        quality_net_release(&sum);
        quality_net_release(&net);
    }
    for (int i = 0; i < 2; i++) {
        struct silo_measure m;
        assert_ok(silo_test(&silos[i], &opt, buf_str(&common), &m, &err), err);
        silo_measure_add(&all, &m);
        *counts = silos[i].counts;
        quality_silo_release(&silos[i]);
    }
    buf_release(&common);
    buf_release(&update);
    return all;
}

static void a_rare_label_is_found_when_it_is_balanced(void **state)
{
    (void)state;
    struct silo_counts counts;
    struct silo_measure none = trained(0.12, 0.1, WINNOW_REBALANCE_NONE, false, &counts);
    struct silo_measure smote = trained(0.12, 0.1, WINNOW_REBALANCE_SMOTE, false, &counts);
    assert_true(silo_balanced(&smote) > silo_balanced(&none) + 0.1);
    assert_true(silo_macro_f1(&smote) > silo_macro_f1(&none) + 0.1);
    assert_true(smote.auc > 0.9 && smote.auc <= 1);
}

static void equal_labels_leave_nothing_to_balance(void **state)
{
    (void)state;
    struct silo_counts counts;
    struct silo_measure none = trained(0.5, 0, WINNOW_REBALANCE_NONE, false, &counts);
    struct silo_measure smote = trained(0.5, 0, WINNOW_REBALANCE_SMOTE, false, &counts);
    assert_true(counts.mixtures < counts.good / 2);
    assert_near(silo_balanced(&smote), silo_balanced(&none), 0.03);
}

static void measures_are_what_they_say(void **state)
{
    (void)state;
    const struct silo_measure m = {.good = 10, .good_right = 8, .bad = 30, .bad_right = 24};
    assert_near(silo_balanced(&m), 0.8, 1e-12);
    double good = 2 * 8.0 / (10 + 14), bad = 2 * 24.0 / (30 + 26);
    assert_near(silo_macro_f1(&m), (good + bad) / 2, 1e-12);
    assert_true(isnan(silo_balanced(&(struct silo_measure){.good = 3, .good_right = 3})));
    struct silo_measure all = {.auc = (double)NAN};
    silo_measure_add(&all, &(struct silo_measure){.good = 3, .auc = (double)NAN});
    assert_true(isnan(all.auc));
    silo_measure_add(&all, &(struct silo_measure){.pairs = 30, .auc = 0.9});
    silo_measure_add(&all, &(struct silo_measure){.pairs = 10, .auc = 0.5});
    assert_near(all.auc, 0.8, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_crosses_is_a_model_and_no_text),
        cmocka_unit_test(messages_of_another_shape_are_refused),
        cmocka_unit_test(the_mean_is_the_mean),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(texts_that_are_good_and_bad_stay_at_home),
        cmocka_unit_test(a_silo_of_one_label_sits_out),
        cmocka_unit_test(mixtures_are_of_two_of_the_rarer_label),
        cmocka_unit_test(a_rare_label_is_found_when_it_is_balanced),
        cmocka_unit_test(equal_labels_leave_nothing_to_balance),
        cmocka_unit_test(measures_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
