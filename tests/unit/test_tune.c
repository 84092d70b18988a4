#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "scratch.h"
#include "train/tune.h"
#include "train/tune_plan.h"
#include "train/weights_file.h"

struct stop {
    volatile int cancel;
    uint64_t at; /* steps after which it asks to stop */
};

static void watch(void *user, const struct winnow_progress *p)
{
    struct stop *s = user;
    if (p->done >= s->at) {
        s->cancel = 1;
    }
}

/* An answer repeats the prompt's last number, then ends with 1; a false one is 0, 0. */
static void add_examples(struct tune_examples *e, size_t count, uint64_t seed, bool wrong)
{
    struct rng r;
    rng_init(&r, seed, "examples");
    for (size_t i = 0; i < count; i++) {
        uint32_t tokens[40], n = 0, prompt = 3 + (uint32_t)rng_below(&r, 20);
        while (n < prompt) {
            tokens[n++] = 2 + (uint32_t)rng_below(&r, 28);
        }
        uint32_t answer = wrong ? 0 : tokens[n - 1];
        tokens[n++] = answer;
        tokens[n++] = !wrong;
        tune_examples_add(e, tokens, n, prompt);
    }
}

static void make_examples(struct tune_examples *e, size_t count, uint64_t seed)
{
    add_examples(e, count, seed, false);
}

static struct tune_options options(const char *folder, uint32_t rank)
{
    struct tune_options o = {.trainer = TRAINER_OPTIONS_INIT,
                             .warmup = 0.1,
                             .lora_rank = rank,
                             .lora_alpha = 16,
                             .batch_tokens = 128,
                             .epochs = 1.5,
                             .seed = 7,
                             .points = 4,
                             .folder = folder,
                             .save_seconds = 1000,
                             .stage = "t"};
    o.trainer.lr = 1e-2;
    return o;
}

/* Trains with interruptions after every `pause` steps (0: none); returns the hash of
 * the model that comes out. */
static uint64_t train(const struct tune_options *opt, const struct tune_examples *examples,
                      const struct tune_examples *held_out, uint64_t pause, unsigned *calls,
                      struct tune_result *result)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 30;
    c.dim = 16;
    c.layers = 1;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    struct pool *pool = pool_new(1 + (pause > 0));
    struct winnow_error err;
    winnow_status st = WINNOW_E_CANCELLED;
    uint64_t hash = 0;
    for (*calls = 0; st == WINNOW_E_CANCELLED; (*calls)++) {
        struct stop stop = {0, pause > 0 ? (*calls + 1) * pause : UINT64_MAX};
        const struct winnow_env env = {.progress = watch, .user = &stop, .cancel = &stop.cancel};
        struct model *m;
        assert_ok(model_new(&c, &m, &err), err);
        model_init_random(m, 5);
        if (*calls > 0) {
            tune_result_release(result);
        }
        struct tune_options o = *opt;
        o.held_out = held_out;
        st = tune(m, pool, examples, &o, &env, result, &err);
        hash = model_hash(m);
        model_free(m);
        assert_true(*calls < 100);
    }
    assert_ok(st, err);
    pool_free(pool);
    return hash;
}

static void interruptions_change_no_bit(void **state)
{
    (void)state;
    struct tune_examples examples = {0}, held_out = {0};
    make_examples(&examples, 60, 1);
    make_examples(&held_out, 9, 2);
    for (uint32_t rank = 0; rank <= 4; rank += 4) {
        struct tune_options opt = options(NULL, rank);
        struct tune_result whole, pieces;
        unsigned calls;
        uint64_t want = train(&opt, &examples, &held_out, 0, &calls, &whole);
        assert_int_equal(calls, 1);
        assert_int_equal(whole.curve_count, 5);
        for (uint64_t pause = 2; pause < 10; pause += 7) {
            struct scratch dir;
            scratch_open(&dir);
            opt.folder = dir.dir;
            assert_int_equal(train(&opt, &examples, &held_out, pause, &calls, &pieces), want);
            assert_true(calls > 1);
            assert_int_equal(pieces.steps, whole.steps);
            assert_int_equal(pieces.best, whole.best);
            assert_memory_equal(pieces.losses, whole.losses, whole.steps * sizeof(float));
            for (size_t i = 0; i < 5; i++) {
                assert_int_equal(pieces.curve[i].step, whole.curve[i].step);
                assert_true(pieces.curve[i].loss == whole.curve[i].loss);
            }
            tune_result_release(&pieces);
            scratch_close(&dir);
        }
        tune_result_release(&whole);
    }
    tune_examples_release(&examples);
    tune_examples_release(&held_out);
}

static void what_is_learnt_is_the_answer(void **state)
{
    (void)state;
    struct tune_examples examples = {0}, held_out = {0};
    make_examples(&examples, 400, 1);
    make_examples(&held_out, 20, 2);
    struct tune_options opt = options(NULL, 0);
    opt.epochs = 12;
    struct tune_result r;
    unsigned calls;
    (void)train(&opt, &examples, &held_out, 0, &calls, &r);
    assert_near(r.curve[0].loss, log(30), 0.05);
    /* the number cannot be learnt so fast, the end can: half of the targets */
    assert_true(r.curve[r.best].loss < 0.75 * log(30));
    assert_int_equal(r.targets, 12 * 400 * 2);
    assert_near(r.epochs, 12, 0.05);
    tune_result_release(&r);
    tune_examples_release(&examples);
    tune_examples_release(&held_out);
}

/* What is learnt makes false answers less likely: the best point is the first. */
static void the_best_weights_stay(void **state)
{
    (void)state;
    struct tune_examples examples = {0}, held_out = {0};
    make_examples(&examples, 60, 1);
    add_examples(&held_out, 9, 2, true);
    for (uint32_t rank = 0; rank <= 4; rank += 4) {
        struct tune_options opt = options(NULL, rank);
        struct tune_result none, ruined;
        unsigned calls;
        opt.trainer.lr = 0;
        uint64_t untouched = train(&opt, &examples, &held_out, 0, &calls, &none);
        opt.trainer.lr = 1e-2;
        struct scratch dir;
        scratch_open(&dir);
        opt.folder = rank > 0 ? dir.dir : NULL;
        uint64_t kept = train(&opt, &examples, &held_out, 0, &calls, &ruined);
        if (ruined.best != 0) {
            fail_msg("rank %u: the loss fell from %g to %g", rank, ruined.curve[0].loss,
                     ruined.curve[ruined.best].loss);
        }
        assert_true(ruined.curve[4].loss > ruined.curve[0].loss);
        assert_int_equal(kept, untouched);
        tune_result_release(&none);
        tune_result_release(&ruined);
        scratch_close(&dir);
    }
    tune_examples_release(&examples);
    tune_examples_release(&held_out);
}

static void a_plan_spends_each_epoch_once(void **state)
{
    (void)state;
    struct tune_examples e = {0};
    make_examples(&e, 50, 3);
    struct tune_options opt = options(NULL, 0);
    opt.epochs = 2;
    struct tune_plan p;
    tune_plan_make(&e, &opt, &p);
    unsigned seen[50] = {0};
    size_t from = 0;
    for (uint64_t s = 0; s < p.steps; s++) {
        uint64_t tokens = 0;
        for (size_t i = from; i < p.ends[s]; i++) {
            uint32_t x = p.order[i];
            seen[x]++;
            tokens += e.items[x].end - (x > 0 ? e.items[x - 1].end : 0);
        }
        assert_true(tokens > 0 && tokens <= opt.batch_tokens);
        from = p.ends[s];
    }
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(seen[i], 2);
    }
    tune_plan_release(&p);
    tune_examples_release(&e);
}

/* 1.5 is 1 or 2 in an epoch and 3 in the mean of two; 0 never; whole numbers always. */
static void a_plan_repeats_examples_as_it_is_told(void **state)
{
    (void)state;
    enum { COUNT = 4, EPOCHS = 400 };
    const uint32_t lengths[COUNT] = {10, 10, 10, 10};
    const float repeats[COUNT] = {1.5F, 0, 2, 0.25F};
    const struct tune_planning want = {.lengths = lengths,
                                       .count = COUNT,
                                       .seed = 5,
                                       .batch_tokens = 30,
                                       .epochs = EPOCHS,
                                       .repeats = repeats};
    struct tune_plan p, again;
    tune_plan_of(&want, &p);
    tune_plan_of(&want, &again);
    size_t n = p.ends[p.steps - 1];
    unsigned seen[COUNT] = {0};
    for (size_t i = 0; i < n; i++) {
        seen[p.order[i]]++;
    }
    assert_int_equal(again.ends[again.steps - 1], n);
    assert_memory_equal(again.order, p.order, n * sizeof *p.order);
    assert_int_equal(seen[1], 0);
    assert_in_range(seen[2], 2 * EPOCHS - 40, 2 * EPOCHS + 40);
    assert_in_range(seen[0], 3 * EPOCHS / 2 - 40, 3 * EPOCHS / 2 + 40);
    assert_in_range(seen[3], EPOCHS / 4 - 40, EPOCHS / 4 + 40);
    assert_int_equal(p.tokens, 10 * n);
    tune_plan_release(&p);
    tune_plan_release(&again);
}

static void only_answers_and_what_was_given_are_targets(void **state)
{
    (void)state;
    struct tune_examples e = {0};
    tune_examples_add(&e, (const uint32_t[]){10, 11, 12, 13, 14}, 5, 3);
    tune_examples_target(&e, 1, 7);
    tune_examples_add(&e, (const uint32_t[]){20, 21}, 2, 1);
    assert_int_equal(e.items[0].targets, 3);
    assert_int_equal(e.items[1].targets, 1);
    struct tune_batch b = {0};
    tune_batch_fill(&b, &e, (const uint32_t[]){1, 0}, 2);
    const uint32_t targets[] = {21, BATCH_NO_TARGET, BATCH_NO_TARGET, 7, 13, 14, BATCH_NO_TARGET};
    assert_int_equal(b.batch.sequences, 2);
    assert_int_equal(batch_tokens(&b.batch), 7);
    assert_memory_equal(b.batch.targets, targets, sizeof targets);
    tune_batch_release(&b);
    tune_examples_release(&e);
}

static void weights_files_are_whole_or_refused(void **state)
{
    (void)state;
    struct scratch dir;
    scratch_open(&dir);
    struct winnow_error err;
    const float values[] = {1, 2.5F, -3};
    float read[3] = {0};
    const char *path = scratch_path(&dir, "w.bin");
    assert_ok(weights_file_write(path, values, 3, &err), err);
    assert_ok(weights_file_read(path, read, 3, &err), err);
    assert_memory_equal(values, read, sizeof values);
    assert_int_equal(weights_file_read(path, read, 2, &err), WINNOW_E_FORMAT);
    struct buf bytes = {0};
    assert_ok(file_read(path, 1000, &bytes, &err), err);
    bytes.ptr[bytes.len - 1] ^= 1;
    path = scratch_write(&dir, "w.bin", buf_str(&bytes));
    assert_int_equal(weights_file_read(path, read, 3, &err), WINNOW_E_FORMAT);
    path = scratch_write(&dir, "w.bin", str_sub(buf_str(&bytes), 0, 20));
    assert_int_equal(weights_file_read(path, read, 3, &err), WINNOW_E_FORMAT);
    assert_memory_equal(values, read, sizeof values);
    buf_release(&bytes);
    scratch_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interruptions_change_no_bit),
        cmocka_unit_test(what_is_learnt_is_the_answer),
        cmocka_unit_test(the_best_weights_stay),
        cmocka_unit_test(a_plan_spends_each_epoch_once),
        cmocka_unit_test(a_plan_repeats_examples_as_it_is_told),
        cmocka_unit_test(only_answers_and_what_was_given_are_targets),
        cmocka_unit_test(weights_files_are_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
