#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "scratch.h"
#include "small_llama.h"
#include "train/blocks.h"
#include "train/fit.h"

#include <math.h>

#define STEPS 24

/* ---- weights by losses, in the engine ---- */

/* The rule, said plainly: docs/training.md. */
static void plain_weights(const double *nll, const double *targets, size_t n, int curve, double r,
                          float *out)
{
    double low = (double)INFINITY, high = -(double)INFINITY, sum = 0, all = 0;
    size_t of_length = 0;
    for (size_t s = 0; s < n; s++) {
        of_length += targets[s] >= 32;
    }
    for (size_t s = 0; s < n; s++) {
        if (targets[s] >= (of_length >= 2 ? 32 : 1)) {
            low = fmin(low, nll[s] / targets[s]);
            high = fmax(high, nll[s] / targets[s]);
        }
    }
    for (size_t s = 0; s < n; s++) {
        double l = targets[s] > 0 ? nll[s] / targets[s] : low;
        double h = fmax(-1, fmin(1, (2 * l - high - low) / (high - low)));
        double f = curve == WINNOW_LINUPPER    ? fmin(h + 1, 1)
                   : curve == WINNOW_QUADRATIC ? 1 - h * h
                                               : fabs(h);
        out[s] = (float)exp((f - 1) / r);
        sum += exp((f - 1) / r) * targets[s];
        all += targets[s];
    }
    for (size_t s = 0; s < n; s++) {
        out[s] *= (float)(all / sum);
    }
}

#define LONGEST 4096

struct batch {
    uint32_t tokens[LONGEST], starts[32];
    struct token_batch of;
};

static void fill(struct batch *b, const uint32_t *lengths, size_t n, uint32_t vocab, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "batch");
    b->starts[0] = 0;
    for (size_t s = 0; s < n; s++) {
        b->starts[s + 1] = b->starts[s] + lengths[s];
        uint64_t kinds = 1 + rng_below(&r, 8); /* some sequences are easier than others */
        for (uint32_t i = b->starts[s]; i < b->starts[s + 1]; i++) {
            b->tokens[i] = (uint32_t)rng_below(&r, kinds) * (vocab / 8);
        }
    }
    b->of = (struct token_batch){b->tokens, b->starts, n, NULL, NULL};
}

/* Sums of nll of the batch's sequences, and their targets. */
static void losses_of(struct engine *e, const struct batch *b, double *nll, double *targets)
{
    struct winnow_error err;
    float *each = mem_alloc(LONGEST * sizeof *each);
    assert_ok(engine_nll(e, &b->of, each, &err), err);
    for (size_t s = 0; s < b->of.sequences; s++) {
        nll[s] = 0;
        targets[s] = (double)(b->starts[s + 1] - b->starts[s]) - 1;
        for (uint32_t i = b->starts[s]; i < b->starts[s + 1]; i++) {
            nll[s] += (double)each[i];
        }
    }
    mem_free(each);
}

struct trained {
    struct model *m;
    struct pool *pool;
    struct trainer *t;
};

static void open_trained(struct trained *t, const struct model_config *c, uint32_t tokens_max,
                         uint32_t threads)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.tokens_max = tokens_max;
    opt.losses_first = true;
    t->pool = pool_new(threads);
    assert_ok(model_new(c, &t->m, &err), err);
    model_init_random(t->m, 3);
    float *w = model_values(t->m); /* sharper than it begins: losses lie apart */
    for (size_t i = 0; i < model_values_count(t->m); i++) {
        w[i] *= 2;
    }
    assert_ok(trainer_new(t->m, t->pool, &opt, &env, &t->t, &err), err);
}

static void close_trained(struct trained *t)
{
    trainer_free(t->t);
    model_free(t->m);
    pool_free(t->pool);
}

static void open_way(struct trained *t, const struct winnow_sampling *o, uint64_t steps,
                     struct sampling *out)
{
    struct winnow_error err;
    const struct sampling_home home = {
        .opt = o, .learner = trainer_learner(t->t), .trainer = t->t, .steps = steps};
    assert_ok(sampling_open(&home, out, &err), err);
}

/* The gradient under a way, and that of the weights of plain_weights(). */
static void check_reweighting(const struct model_config *c, int curve, double temperature,
                              const uint32_t *lengths, size_t n, double tolerance)
{
    struct winnow_error err;
    struct trained t;
    uint32_t tokens = 0;
    for (size_t i = 0; i < n; i++) {
        tokens += lengths[i];
    }
    open_trained(&t, c, tokens, 1);
    struct batch b;
    fill(&b, lengths, n, c->vocab, (uint64_t)curve + 1);
    struct engine *e = trainer_engine(t.t);
    double nll[32], targets[32], told[32], sum;
    float weights[32];
    losses_of(e, &b, nll, targets);
    plain_weights(nll, targets, n, curve, temperature, weights);
    size_t count = model_values_count(t.m);
    float *want = mem_zalloc(count * sizeof *want), *got = mem_zalloc(count * sizeof *got);
    b.of.weights = weights;
    assert_ok(engine_gradient(e, &b.of, 0.01F, want, &sum, NULL, &err), err);
    b.of.weights = NULL;
    const struct winnow_sampling o = {
        .sampler = WINNOW_REWEIGHT, .curve = curve, .temperature = temperature};
    struct sampling way;
    open_way(&t, &o, 100, &way);
    assert_ok(engine_gradient(e, &b.of, 0.01F, got, &sum, told, &err), err);
    double worst = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
        size = fmax(size, fabs((double)want[i]));
    }
    assert_true(size > 0 && worst <= tolerance * size);
    for (size_t s = 0; s < n; s++) { /* what is told are losses, not weighed ones */
        assert_near(told[s], nll[s], 1e-4);
    }
    sampling_close(&way);
    memset(want, 0, count * sizeof *want);
    memset(got, 0, count * sizeof *got);
    mem_free(want);
    mem_free(got);
    close_trained(&t);
}

static const uint32_t LENGTHS[] = {40, 64, 1, 3, 55, 33, 48, 60, 12};

static void reweighted_gradients_are_those_of_the_plain_rule(void **state)
{
    (void)state;
    const struct model_config small = small_llama(), odd = odd_llama();
    for (int curve = WINNOW_LINUPPER; curve <= WINNOW_EXTREMES; curve++) {
        check_reweighting(&small, curve, 1, LENGTHS, 9, 2e-5);
        check_reweighting(&odd, curve, 0.4, LENGTHS, 9, 2e-5);
    }
    /* one sequence that is long enough: the bounds are over all */
    check_reweighting(&small, WINNOW_LINUPPER, 0.4, (uint32_t[]){40, 9, 8, 20}, 4, 2e-5);
}

/* Of a vocabulary whose logits are too many to be kept, losses are computed beforehand. */
static void so_are_those_of_a_vocabulary_too_large_to_keep_logits(void **state)
{
    (void)state;
    struct model_config c = small_llama();
    c.vocab = 300000;
    c.dim = 8;
    c.layers = 1;
    c.heads = c.kv_heads = 1;
    c.head_dim = 8;
    c.ffn = 16;
    c.tied = true;
    check_reweighting(&c, WINNOW_LINUPPER, 0.4, (uint32_t[]){90, 40, 60, 70}, 4, 2e-5);
}

static void equal_weights_are_plain_training_to_the_bit(void **state)
{
    (void)state;
    struct winnow_error err;
    const struct model_config c = small_llama();
    struct batch b;
    fill(&b, LENGTHS, 9, c.vocab, 1);
    float *g[2];
    for (int i = 0; i < 2; i++) {
        struct trained t;
        open_trained(&t, &c, 512, 1);
        const struct winnow_sampling o = {
            .sampler = WINNOW_REWEIGHT, .temperature = 0.4, .burn_in = 0.5};
        struct sampling way = {0};
        if (i == 1) { /* the first half of the steps is plain */
            open_way(&t, &o, 10, &way);
        }
        double sum;
        g[i] = mem_zalloc(model_values_count(t.m) * sizeof *g[i]);
        assert_ok(engine_gradient(trainer_engine(t.t), &b.of, 0.01F, g[i], &sum, NULL, &err), err);
        if (i == 1) {
            assert_memory_equal(g[0], g[1], model_values_count(t.m) * sizeof *g[i]);
            sampling_close(&way);
        }
        close_trained(&t);
    }
    mem_free(g[0]);
    mem_free(g[1]);
}

/* A step of several micro-batches has no weights: their losses are not known in time. */
static void a_batch_larger_than_the_engine_is_refused(void **state)
{
    (void)state;
    struct winnow_error err;
    const struct model_config c = small_llama();
    struct trained t;
    struct batch b;
    open_trained(&t, &c, 100, 1);
    fill(&b, LENGTHS, 9, c.vocab, 1);
    const struct winnow_sampling o = {.sampler = WINNOW_REWEIGHT, .temperature = 1};
    struct sampling way;
    open_way(&t, &o, 10, &way);
    struct trainer_result r;
    assert_int_equal(trainer_step(t.t, &b.of, &r, &err), WINNOW_E_LIMIT);
    sampling_close(&way);
    close_trained(&t);
}

/* ---- every way, through fit() ---- */

struct stop {
    volatile int cancel;
    uint64_t at; /* tokens after which it asks to stop */
};

static void watch(void *user, const struct winnow_progress *p)
{
    struct stop *s = user;
    s->cancel = s->cancel || p->done >= s->at;
}

struct texts {
    struct token_docs docs;
    uint32_t order[400];
};

#define DOCS 24

/* Documents of a rule with noise, some epochs of them. */
static void make_texts(struct texts *d)
{
    struct rng r;
    rng_init(&r, 2, "docs");
    for (uint32_t i = 0; i < DOCS; i++) {
        uint64_t n = 3 + rng_below(&r, 60);
        for (uint64_t k = 0; k < n; k++) {
            bool noise = i % 4 == 0 && rng_below(&r, 2) == 0;
            u32_list_add(&d->docs.tokens,
                         2 + (uint32_t)(noise ? rng_below(&r, 28) : (k * 3 + i) % 20));
        }
        token_docs_end(&d->docs);
    }
    for (uint32_t i = 0; i < 400; i++) {
        d->order[i] = i % DOCS;
    }
}

struct outcome {
    uint64_t hash;
    struct buf told;
    float losses[STEPS];
    unsigned calls;
};

static void run_way(const struct texts *d, const struct winnow_sampling *o, const char *folder,
                    uint64_t pause, uint32_t threads, struct outcome *out)
{
    struct model_config c = small_llama();
    struct fit_options opt = {.packer = {0, 1, 32, 128, 0},
                              .folder = folder,
                              .sampling = o,
                              .seed = 7,
                              .save_seconds = 1000,
                              .stage = "t"};
    static const uint32_t WANTED[] = {2, 5, 8, 11, 14, 17, 20, 3, 6, 9}, ENDS[] = {0, 5, 10};
    const struct token_batch toward = {.tokens = WANTED, .starts = ENDS, .sequences = 2};
    opt.toward = sampling_kind_of(o)->by_target ? &toward : NULL;
    float odds[DOCS];
    for (uint32_t i = 0; i < DOCS; i++) {
        odds[i] = (float)(i % 3);
    }
    opt.odds = sampling_kind_of(o)->by_weights ? odds : NULL;
    opt.trainer = (struct trainer_options)TRAINER_OPTIONS_INIT;
    opt.trainer.steps = STEPS;
    opt.trainer.warmup = 2;
    opt.trainer.tokens_max = 128;
    struct pool *pool = pool_new(threads);
    const struct fit_data data = {&d->docs, d->order, 400, NULL};
    struct winnow_error err;
    winnow_status st = WINNOW_E_CANCELLED;
    *out = (struct outcome){0};
    while (st == WINNOW_E_CANCELLED) {
        struct stop stop = {0, pause > 0 ? (out->calls + 1) * pause : UINT64_MAX};
        const struct winnow_env env = {.progress = watch, .user = &stop, .cancel = &stop.cancel};
        struct model *m;
        struct fit_result r;
        assert_ok(model_new(&c, &m, &err), err);
        model_init_random(m, 5);
        st = fit(m, pool, &data, &opt, &env, &r, &err);
        out->hash = model_hash(m);
        out->calls++;
        assert_true(out->calls < 100);
        if (st == WINNOW_OK) {
            memcpy(out->losses, r.losses, sizeof out->losses);
            buf_add_str(&out->told, buf_str(&r.told));
        }
        fit_result_release(&r);
        model_free(m);
    }
    assert_ok(st, err);
    pool_free(pool);
}

static struct winnow_sampling way_of(size_t i)
{
    struct winnow_sampling o = WINNOW_SAMPLING_INIT;
    o.sampler = (int)i;
    o.temperature = 0.4;
    return o;
}

static void every_way_ends_alike_however_often_it_was_interrupted(void **state)
{
    (void)state;
    struct texts d = {0};
    make_texts(&d);
    struct outcome plain, whole, other;
    for (size_t i = 0; sampling_kind_at(i); i++) {
        const struct winnow_sampling o = way_of(i);
        run_way(&d, &o, NULL, 0, 1, &whole);
        assert_true(whole.losses[STEPS - 1] < whole.losses[0]);
        if (i == 0) {
            plain = whole;
        } else { /* it does something at all */
            assert_true(whole.hash != plain.hash);
        }
        run_way(&d, &o, NULL, 0, 2, &other);
        assert_int_equal(other.hash, whole.hash);
        buf_release(&other.told);
        for (uint64_t pause = 128; pause < 128 * 12; pause += 128 * 5) {
            struct scratch dir;
            scratch_open(&dir);
            run_way(&d, &o, dir.dir, pause, 1, &other);
            assert_true(other.calls > 1);
            assert_int_equal(other.hash, whole.hash);
            assert_memory_equal(other.losses, whole.losses, sizeof whole.losses);
            assert_true(str_eq(buf_str(&other.told), buf_str(&whole.told)));
            buf_release(&other.told);
            scratch_close(&dir);
        }
        buf_release(&whole.told);
    }
    token_docs_release(&d.docs);
}

/* ---- learn, focus, review, against its words ---- */

#define CONTEXT  20
#define LFR_DOCS 50

/* Tokens that say where they are from: document * 100 + place. */
static void make_numbered(struct token_docs *d)
{
    struct rng r;
    rng_init(&r, 4, "docs");
    for (uint32_t i = 0; i < LFR_DOCS; i++) {
        uint32_t n = i == 7 ? 1 : 2 + (uint32_t)rng_below(&r, 90); /* one is a single token */
        for (uint32_t k = 0; k < n; k++) {
            u32_list_add(&d->tokens, i * 100 + k);
        }
        token_docs_end(d);
    }
}

/* Which block of its document a target belongs to: the first has CONTEXT - 1 of them, too. */
static uint32_t block_of(uint32_t token)
{
    return (token % 100 - 1) / (CONTEXT - 1);
}

/* What a block loses, as the test has it: by pass, so that review differs from learning. */
static double planted_loss(uint32_t document, uint32_t block, int pass)
{
    return 1 + (double)(rng_mix(document * 1000 + block * 10 + (uint32_t)pass) % 100000) / 1e5;
}

struct pass_seen {
    uint8_t times[LFR_DOCS * 100]; /* of each target */
    size_t batches;
};

static void read_pass(const struct sampling *way, const struct token_docs *d, int pass,
                      size_t batches, struct pass_seen *out)
{
    (void)d;
    struct winnow_error err;
    *out = (struct pass_seen){.batches = batches};
    for (size_t k = 0; k < batches; k++) {
        struct sampler_batch b;
        bool more;
        double nll[128];
        assert_ok(way->sampler.next(way->sampler.state, &b, &more, &err), err);
        assert_true(more);
        assert_int_equal(batch_tokens(&b.batch), 128);
        for (size_t s = 0; s < b.batch.sequences; s++) {
            nll[s] = 0;
            for (uint32_t i = b.batch.starts[s] + 1; i < b.batch.starts[s + 1]; i++) {
                uint32_t token = b.batch.tokens[i];
                assert_int_equal(token, b.batch.tokens[i - 1] + 1);
                assert_int_equal(token / 100, b.documents[s]);
                out->times[token]++;
                nll[s] += planted_loss(token / 100, block_of(token), pass);
            }
        }
        assert_ok(way->sampler.told(way->sampler.state, &b, nll, &err), err);
    }
}

/* Losses of the blocks that were read, and those that were not: nothing of the latter may lie
 * above the former. */
static void check_focus(const struct pass_seen *seen, const struct token_docs *d, int from_pass,
                        double share)
{
    double least_read = (double)INFINITY, most_left = -(double)INFINITY, read = 0, all = 0;
    for (uint32_t doc = 0; doc < LFR_DOCS; doc++) {
        size_t n;
        (void)token_docs_at(d, doc, &n);
        for (uint32_t k = 1; k < n; k++) {
            double loss = planted_loss(doc, block_of(doc * 100 + k), from_pass);
            bool in = seen->times[doc * 100 + k] > 0;
            least_read = in ? fmin(least_read, loss) : least_read;
            most_left = in ? most_left : fmax(most_left, loss);
            read += in;
            all++;
        }
    }
    assert_true(least_read > most_left);
    assert_true(read / all > share - 0.02 && read / all < share + 0.03);
}

static size_t steps_of(double tokens)
{
    return (size_t)ceil(tokens / 128);
}

static void lfr_learns_all_focuses_on_what_lost_most_and_reviews(void **state)
{
    (void)state;
    struct winnow_error err;
    struct token_docs d = {0};
    make_numbered(&d);
    uint32_t order[2 * LFR_DOCS];
    for (uint32_t i = 0; i < 2 * LFR_DOCS; i++) {
        order[i] = i % LFR_DOCS;
    }
    const struct packer_options packing = {MODEL_NO_TOKEN, MODEL_NO_TOKEN, CONTEXT, 128, 0, NULL};
    struct winnow_sampling o = WINNOW_SAMPLING_INIT;
    o.sampler = WINNOW_LFR;
    const struct sampling_home home = {.opt = &o,
                                       .docs = &d,
                                       .order = order,
                                       .order_count = 2 * LFR_DOCS,
                                       .packer = &packing,
                                       .steps = 1000};
    struct sampling way;
    assert_ok(sampling_open(&home, &way, &err), err);
    double targets = 0;
    for (uint32_t i = 0; i < LFR_DOCS; i++) {
        size_t n;
        (void)token_docs_at(&d, i, &n);
        targets += n > 1 ? (double)n - 1 : 0;
    }
    /* All once, but for what fills the last step; a split block repeats a token, so that a pass
     * may take a step more than its tokens. */
    struct pass_seen seen;
    double blocks = 0;
    for (uint32_t i = 0; i < LFR_DOCS; i++) {
        size_t n;
        (void)token_docs_at(&d, i, &n);
        blocks += n > 1 ? ceil(((double)n - 1) / (CONTEXT - 1)) : 0;
    }
    size_t steps = steps_of(targets + blocks + (targets + blocks) / 128);
    read_pass(&way, &d, 0, steps, &seen);
    double sum = 0;
    for (uint32_t doc = 0; doc < LFR_DOCS; doc++) {
        size_t n;
        (void)token_docs_at(&d, doc, &n);
        for (uint32_t k = 1; k < n; k++) {
            assert_in_range(seen.times[doc * 100 + k], 1, 2);
            sum += seen.times[doc * 100 + k];
        }
    }
    assert_true(sum < targets + 128);
    size_t half = steps / 2 + 1;
    read_pass(&way, &d, 1, half, &seen);
    check_focus(&seen, &d, 0, 0.5);
    read_pass(&way, &d, 2, steps, &seen);
    read_pass(&way, &d, 3, (size_t)ceil(0.3 * (double)steps), &seen);
    check_focus(&seen, &d, 2, 0.3);
    sampling_close(&way);

    /* Less than the schedule takes is refused; a document that cannot be trained on is none. */
    struct sampling_home little = home;
    little.steps = 2 * steps;
    assert_int_equal(sampling_open(&little, &way, &err), WINNOW_E_USAGE);
    token_docs_release(&d);
}

/* ---- courses of blocks ---- */

static void courses_are_falls_rises_and_rises_after_falls(void **state)
{
    (void)state;
    /* blocks of 4 documents, losses by pass; the last was read twice only */
    static const double LOSSES[4][4] = {
        {4, 3, 2, 1}, {2, 3, 4, 5}, {4, 2, 3, 1}, {4, (double)NAN, (double)NAN, 5}};
    struct token_docs d = {0};
    uint32_t order[4] = {0, 1, 2, 3};
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < 11; k++) {
            u32_list_add(&d.tokens, k);
        }
        token_docs_end(&d);
    }
    const struct packer_options packing = {MODEL_NO_TOKEN, MODEL_NO_TOKEN, 16, 11, 0, NULL};
    const struct sampling_home home = {
        .docs = &d, .order = order, .order_count = 4, .packer = &packing};
    struct blocks b;
    blocks_cut(&b, &home);
    assert_int_equal(b.count, 4);
    assert_int_equal(b.tokens, 44);
    for (int pass = 0; pass < 4; pass++) {
        blocks_pass(&b, order, isnan(LOSSES[3][pass]) ? 3 : 4);
        while (!blocks_done(&b)) {
            struct sampler_batch batch;
            blocks_next(&b, &batch);
            assert_int_equal(batch.batch.sequences, 1);
            double nll = 10 * LOSSES[batch.documents[0]][pass];
            blocks_told(&b, &batch, &nll);
        }
    }
    blocks_end_pass(&b);
    assert_int_equal(blocks_course(&b, 0), BLOCK_LEARNED);
    assert_int_equal(blocks_course(&b, 1), BLOCK_UNLEARNED);
    assert_int_equal(blocks_course(&b, 2), BLOCK_FORGOTTEN);
    assert_int_equal(blocks_course(&b, 3), BLOCK_UNLEARNED);
    struct sampling_document of[4] = {0};
    blocks_documents(&b, of);
    assert_near(of[2].first, 4, 1e-6);
    assert_near(of[2].last, 1, 1e-6);
    assert_int_equal(of[2].forgotten, 1);
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    blocks_tell(&b, &w);
    json_close(&w, '}');
    assert_non_null(strstr(buf_cstr(&text), "\"forgotten\": 1, \"forgotten_again\": 0"));
    assert_non_null(strstr(buf_cstr(&text), "{\"blocks\": 3, \"tokens\": 30, \"loss\": 3"));
    buf_release(&text);
    blocks_release(&b);
    token_docs_release(&d);
}

/* ---- planted worlds ---- */

#define WORLD_DOCS  96
#define WORLD_STEPS 240

/* Documents of 32 tokens: a fourth follow a rule that takes long to learn; the rest are either
 * trivial, or noise that nobody learns. */
static void make_world(struct token_docs *d, bool noise, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "world");
    for (uint32_t i = 0; i < WORLD_DOCS; i++) {
        uint32_t x = (uint32_t)rng_below(&r, 20), y = (uint32_t)rng_below(&r, 20);
        for (uint32_t k = 0; k < 32; k++) {
            if (i % 4 == 0) {
                uint32_t z = (uint32_t)(rng_mix(x * 20 + y) % 20);
                x = y;
                y = z;
                u32_list_add(&d->tokens, 2 + y);
            } else {
                u32_list_add(&d->tokens, noise ? 24 + (uint32_t)rng_below(&r, 40) : 24 + k);
            }
        }
        token_docs_end(d);
    }
}

static double rule_loss(struct engine *e)
{
    struct token_docs d = {0};
    make_world(&d, false, 77);
    double sum = 0;
    for (uint32_t i = 0; i < WORLD_DOCS; i += 4) {
        struct winnow_error err;
        size_t n;
        uint32_t tokens[33] = {0}, starts[2] = {0, 33};
        float nll[33];
        memcpy(tokens + 1, token_docs_at(&d, i, &n), 32 * sizeof *tokens);
        const struct token_batch b = {tokens, starts, 1, NULL, NULL};
        assert_ok(engine_nll(e, &b, nll, &err), err);
        for (size_t k = 0; k < 32; k++) {
            sum += (double)nll[k] / 32 / (WORLD_DOCS / 4);
        }
    }
    token_docs_release(&d);
    return sum;
}

static winnow_status measure_rule(void *ctx, struct engine *e, double *values,
                                  struct winnow_error *err)
{
    (void)ctx;
    (void)err;
    values[0] = rule_loss(e);
    return WINNOW_OK;
}

/* Mean held-out loss of the rule over three starts. */
static double learn_world(const struct winnow_sampling *o, bool noise)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct token_docs d = {0};
        make_world(&d, noise, seed + 1);
        uint32_t order[16 * WORLD_DOCS];
        struct rng r;
        rng_init(&r, seed, "order");
        for (uint32_t e = 0; e < 16; e++) {
            for (uint32_t i = 0; i < WORLD_DOCS; i++) {
                order[e * WORLD_DOCS + i] = i;
            }
            rng_shuffle_u32(&r, order + (size_t)e * WORLD_DOCS, WORLD_DOCS);
        }
        const struct model_config c = small_llama();
        struct fit_options opt = {.packer = {0, 1, 40, 128, 0, NULL},
                                  .sampling = o,
                                  .seed = seed,
                                  .points = 1,
                                  .measure = measure_rule};
        opt.trainer = (struct trainer_options)TRAINER_OPTIONS_INIT;
        opt.trainer.steps = WORLD_STEPS;
        opt.trainer.lr = 5e-3;
        opt.trainer.tokens_max = 128;
        struct pool *pool = pool_new(1);
        const struct fit_data data = {&d, order, 16 * WORLD_DOCS, NULL};
        const struct winnow_env env = {0};
        struct winnow_error err;
        struct model *m;
        struct fit_result result;
        assert_ok(model_new(&c, &m, &err), err);
        model_init_random(m, seed + 9);
        assert_ok(fit(m, pool, &data, &opt, &env, &result, &err), err);
        sum += result.curve[1].values[0] / 3;
        fit_result_release(&result);
        model_free(m);
        pool_free(pool);
        token_docs_release(&d);
    }
    return sum;
}

/* Where what is hard can be learnt, more of it helps; where it is noise, it is a waste. */
static void focus_on_what_is_hard_wins_where_it_can_be_learnt_and_loses_in_noise(void **state)
{
    (void)state;
    struct winnow_sampling hard = WINNOW_SAMPLING_INIT, random = WINNOW_SAMPLING_INIT;
    hard.sampler = random.sampler = WINNOW_LFR;
    random.focus = WINNOW_FOCUS_RANDOM;
    double h = learn_world(&hard, false), r = learn_world(&random, false);
    double hn = learn_world(&hard, true), rn = learn_world(&random, true);
    print_message("lfr: %.3f random %.3f; among noise %.3f random %.3f\n", h, r, hn, rn);
    assert_true(h < r - 0.05);
    assert_true(hn > rn + 0.02);
}

static void reweighting_wins_where_easy_ones_crowd_and_loses_in_noise(void **state)
{
    (void)state;
    struct winnow_sampling plain = WINNOW_SAMPLING_INIT, up = WINNOW_SAMPLING_INIT;
    up.sampler = WINNOW_REWEIGHT;
    up.temperature = 0.4;
    double u = learn_world(&up, false), p = learn_world(&plain, false);
    double un = learn_world(&up, true), pn = learn_world(&plain, true);
    print_message("linupper: %.3f plain %.3f; among noise %.3f plain %.3f\n", u, p, un, pn);
    assert_true(u < p - 0.02);
    assert_true(un > pn + 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reweighted_gradients_are_those_of_the_plain_rule),
        cmocka_unit_test(so_are_those_of_a_vocabulary_too_large_to_keep_logits),
        cmocka_unit_test(equal_weights_are_plain_training_to_the_bit),
        cmocka_unit_test(a_batch_larger_than_the_engine_is_refused),
        cmocka_unit_test(lfr_learns_all_focuses_on_what_lost_most_and_reviews),
        cmocka_unit_test(courses_are_falls_rises_and_rises_after_falls),
        cmocka_unit_test(focus_on_what_is_hard_wins_where_it_can_be_learnt_and_loses_in_noise),
        cmocka_unit_test(reweighting_wins_where_easy_ones_crowd_and_loses_in_noise),
        cmocka_unit_test(every_way_ends_alike_however_often_it_was_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
