#include "base/rng.h"
#include "check.h"
#include "model/safetensors.h"
#include "scratch.h"
#include "small_llama.h"
#include "train/lora.h"

struct run {
    struct model *m;
    struct pool *pool;
    struct lora *l;
    struct trainer_result last;
};

static struct lora_options options(void)
{
    struct lora_options opt = {.rank = 4, .alpha = 8, .seed = 3, .trainer = TRAINER_OPTIONS_INIT};
    opt.trainer.steps = 30;
    opt.trainer.warmup = 5;
    opt.trainer.lr = 1e-2;
    opt.trainer.weight_decay = 0;
    opt.trainer.tokens_max = 128;
    return opt;
}

static void open_run(struct run *r, const struct lora_options *opt, uint32_t threads)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct model_config c = small_llama();
    *r = (struct run){0};
    assert_ok(model_new(&c, &r->m, &err), err);
    model_init_random(r->m, 1);
    r->pool = pool_new(threads);
    assert_ok(lora_new(r->m, r->pool, opt, &env, &r->l, &err), err);
}

static void close_run(struct run *r)
{
    lora_free(r->l);
    pool_free(r->pool);
    model_free(r->m);
}

#define TOKENS 96
/* Only the second half of each sequence has targets, as programs behind prompts. */
static struct token_batch make_batch(uint64_t step, uint32_t *tokens, uint32_t *targets)
{
    static const uint32_t STARTS[] = {0, 32, 64, 96};
    struct rng r;
    rng_init(&r, step, "batch");
    uint32_t x = 1;
    for (uint32_t i = 0; i < TOKENS; i++) {
        x = rng_below(&r, 10) == 0 ? (uint32_t)rng_below(&r, 64) : (x * 5 + 3) % 64;
        tokens[i] = x;
    }
    for (uint32_t i = 0; i < TOKENS; i++) {
        targets[i] = i % 32 >= 16 && i % 32 < 31 ? tokens[i + 1] : BATCH_NO_TARGET;
    }
    return (struct token_batch){tokens, STARTS, 3, targets};
}

static void steps(struct run *r, uint64_t until)
{
    struct winnow_error err;
    uint32_t tokens[TOKENS], targets[TOKENS];
    while (lora_steps(r->l) < until) {
        struct token_batch b = make_batch(lora_steps(r->l), tokens, targets);
        assert_ok(lora_add(r->l, &b, batch_targets(&b), &err), err);
        assert_ok(lora_update(r->l, &r->last, &err), err);
    }
}

static double loss_of(struct run *r, const struct token_batch *b)
{
    float nll[TOKENS];
    struct winnow_error err;
    assert_ok(engine_nll(lora_engine(r->l), b, nll, &err), err);
    double sum = 0;
    for (size_t i = 0; i < TOKENS; i++) {
        sum += (double)nll[i];
    }
    return sum / (double)batch_targets(b);
}

static void gradients_are_those_of_finite_differences(void **state)
{
    (void)state;
    struct lora_options opt = options();
    struct winnow_error err;
    struct run r;
    open_run(&r, &opt, 1);
    size_t n = lora_count(r.l);
    float *values = lora_values(r.l), *gradient = malloc(n * sizeof *gradient);
    struct rng rng;
    rng_init(&rng, 9, "values"); /* B too, or the gradient of A is 0 */
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)(0.2 * rng_normal(&rng));
    }
    lora_merge(r.l);
    uint32_t tokens[TOKENS], targets[TOKENS];
    struct token_batch b = make_batch(0, tokens, targets);
    assert_ok(lora_add(r.l, &b, batch_targets(&b), &err), err);
    lora_gradient(r.l, gradient);
    double worst = 0, norm = 0;
    size_t checked = 0;
    for (size_t i = 0; i < n; i++) {
        norm += (double)gradient[i] * (double)gradient[i];
    }
    norm = sqrt(norm / (double)n);
    for (size_t i = 0; i < n; i += 37, checked++) {
        float kept = values[i];
        const float h = 4e-3F;
        values[i] = kept + h;
        lora_merge(r.l);
        double above = loss_of(&r, &b);
        values[i] = kept - h;
        lora_merge(r.l);
        double below = loss_of(&r, &b);
        values[i] = kept;
        double want = (above - below) / (2 * (double)h);
        worst = fmax(worst, fabs(want - (double)gradient[i]));
    }
    assert_true(checked > 50);
    assert_true(norm > 1e-3);
    if (worst > 0.05 * norm) {
        fail_msg("largest difference %g beside a typical gradient of %g", worst, norm);
    }
    free(gradient);
    close_run(&r);
}

/* W' - W = s B A, and all else of the model stays. */
static void the_model_is_the_merged_one(void **state)
{
    (void)state;
    struct lora_options opt = options();
    struct winnow_error err;
    struct run r;
    open_run(&r, &opt, 1);
    struct model_config c = small_llama();
    struct model *base;
    assert_ok(model_new(&c, &base, &err), err);
    model_init_random(base, 1);
    steps(&r, 3);
    assert_int_equal(lora_adapter_count(r.l), 2 * 7);
    size_t next = 0;
    for (size_t i = 0; i < model_tensor_count(base); i++) {
        const struct model_tensor *t = model_tensor_at(base, i);
        const float *w = model_data_const(r.m, model_tensor_at(r.m, i));
        const float *before = model_data_const(base, t);
        const struct lora_adapter *a =
            next < lora_adapter_count(r.l) ? lora_adapter_at(r.l, next) : NULL;
        if (!a || strcmp(a->tensor->name, t->name) != 0) {
            assert_memory_equal(w, before, (size_t)t->rows * t->cols * sizeof *w);
            continue;
        }
        next++;
        const float *fa = lora_values(r.l) + a->a, *fb = lora_values(r.l) + a->b;
        for (size_t y = 0; y < t->rows; y++) {
            for (size_t x = 0; x < t->cols; x++) {
                double sum = (double)before[y * t->cols + x];
                for (size_t k = 0; k < 4; k++) {
                    sum += 2.0 * (double)fb[y * 4 + k] * (double)fa[k * t->cols + x];
                }
                assert_near((double)w[y * t->cols + x], sum, 1e-6);
            }
        }
    }
    assert_int_equal(next, 14);
    model_free(base);
    close_run(&r);
}

static void training_lowers_the_loss_of_targets(void **state)
{
    (void)state;
    struct lora_options opt = options();
    opt.trainer.steps = 200;
    opt.trainer.lr = 3e-2;
    struct run r;
    open_run(&r, &opt, 2);
    uint32_t tokens[TOKENS], targets[TOKENS];
    struct token_batch unseen = make_batch(99999, tokens, targets);
    double before = loss_of(&r, &unseen);
    steps(&r, 200);
    assert_int_equal(r.last.targets, 45);
    double after = loss_of(&r, &unseen);
    if (!(after < before - 0.25)) {
        fail_msg("from %g to %g only", before, after);
    }
    close_run(&r);
}

static void threads_and_pauses_do_not_change_a_bit(void **state)
{
    (void)state;
    struct lora_options opt = options();
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    struct run whole, first, second;
    open_run(&whole, &opt, 1);
    steps(&whole, 9);
    open_run(&first, &opt, 2);
    steps(&first, 4);
    const char *path = scratch_path(&dir, "lora.bin");
    assert_ok(lora_save(first.l, path, &err), err);
    close_run(&first);
    open_run(&second, &opt, 2);
    assert_ok(lora_load(second.l, path, &err), err);
    steps(&second, 9);
    assert_memory_equal(lora_values(whole.l), lora_values(second.l),
                        lora_count(whole.l) * sizeof(float));
    assert_memory_equal(model_values_const(whole.m), model_values_const(second.m),
                        model_values_count(whole.m) * sizeof(float));
    assert_true(lora_flops(whole.l) == lora_flops(second.l));
    close_run(&second);

    /* Other options, another model and torn or changed bytes are refused. */
    struct buf bytes = {0};
    assert_ok(file_read(path, 1 << 30, &bytes, &err), err);
    opt.alpha = 9;
    open_run(&second, &opt, 1);
    assert_int_equal(lora_load(second.l, path, &err), WINNOW_E_FORMAT);
    close_run(&second);
    opt.alpha = 8;
    open_run(&second, &opt, 1);
    for (size_t cut = 0; cut < bytes.len; cut += bytes.len / 7) {
        path = scratch_write(&dir, "torn.bin", str_sub(buf_str(&bytes), 0, cut));
        assert_int_equal(lora_load(second.l, path, &err), WINNOW_E_FORMAT);
    }
    bytes.ptr[bytes.len / 2] ^= 1;
    path = scratch_write(&dir, "damaged.bin", buf_str(&bytes));
    assert_int_equal(lora_load(second.l, path, &err), WINNOW_E_FORMAT);
    assert_int_equal(lora_steps(second.l), 0);
    close_run(&second);
    buf_release(&bytes);
    close_run(&whole);
    scratch_close(&dir);
}

static void the_adapter_has_pefts_names_and_shapes(void **state)
{
    (void)state;
    struct lora_options opt = options();
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    struct run r;
    open_run(&r, &opt, 1);
    steps(&r, 2);
    assert_ok(lora_write_adapter(r.l, dir.dir, "base", &err), err);
    struct safetensors *file;
    assert_ok(safetensors_open(scratch_path(&dir, "adapter_model.safetensors"), &file, &err), err);
    assert_int_equal(safetensors_count(file), 28);
    const struct tensor_view *a = safetensors_find(
        file, STR_LIT("base_model.model.model.layers.1.mlp.down_proj.lora_A.weight"));
    const struct tensor_view *b = safetensors_find(
        file, STR_LIT("base_model.model.model.layers.1.mlp.down_proj.lora_B.weight"));
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->shape[0], 4);
    assert_int_equal(a->shape[1], 48);
    assert_int_equal(b->shape[0], 32);
    assert_int_equal(b->shape[1], 4);
    safetensors_close(file);
    assert_true(file_exists(scratch_path(&dir, "adapter_config.json")));
    close_run(&r);
    scratch_close(&dir);
}

static void senseless_ranks_are_refused(void **state)
{
    (void)state;
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct model_config c = small_llama();
    struct model *m;
    struct lora *l;
    assert_ok(model_new(&c, &m, &err), err);
    struct pool *pool = pool_new(1);
    struct lora_options opt = options();
    opt.rank = 0;
    assert_int_equal(lora_new(m, pool, &opt, &env, &l, &err), WINNOW_E_USAGE);
    opt.rank = 17; /* k_proj is 16 x 32 */
    assert_int_equal(lora_new(m, pool, &opt, &env, &l, &err), WINNOW_E_USAGE);
    opt.rank = 4;
    const struct winnow_env small = {.memory_max = 1000};
    assert_int_equal(lora_new(m, pool, &opt, &small, &l, &err), WINNOW_E_LIMIT);
    pool_free(pool);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_finite_differences),
        cmocka_unit_test(the_model_is_the_merged_one),
        cmocka_unit_test(training_lowers_the_loss_of_targets),
        cmocka_unit_test(threads_and_pauses_do_not_change_a_bit),
        cmocka_unit_test(the_adapter_has_pefts_names_and_shapes),
        cmocka_unit_test(senseless_ranks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
