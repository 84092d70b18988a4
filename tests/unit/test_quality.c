/* Classifiers of texts: hashes are fastText's, files come back as they were written and are
 * refused when they are damaged, gradients are those of finite differences, and a training is
 * the same whatever its threads and interruptions. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quality/auc.h"
#include "quality/fasttext_write.h"
#include "quality/label_of.h"
#include "quality/quality_train.h"
#include "quality/source_scores.h"
#include "scratch.h"

#include <string.h>

static struct scratch scratch;

static const char *in_scratch(const char *name)
{
    return file_join(&scratch.path, scratch.dir, name);
}

/* ---- what fastText sees of a text (numbers of its own 0.9.2) ---- */

static void hashes_are_fasttexts(void **state)
{
    (void)state;
    assert_int_equal(fasttext_hash(STR_LIT("a")), 3826002220U);
    assert_int_equal(fasttext_hash(STR_LIT("\xc3\xa9")), 1023043777U);
    assert_int_equal(fasttext_hash(STR_LIT("na\xc3\xafve")), 3440832043U);
    assert_int_equal(fasttext_hash(STR_LIT("the")), 3020861980U);
    assert_int_equal(fasttext_hash(STR_LIT(FASTTEXT_END_OF_LINE)), 3617362777U);
}

static void assert_ids(const struct fasttext_ids *ids, const uint32_t *want, size_t count)
{
    assert_int_equal(ids->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ids->items[i], want[i]);
    }
}

static void pieces_and_ngrams_are_fasttexts(void **state)
{
    (void)state;
    static const uint32_t TWO[] = {28275, 24534, 29896, 10468, 24446, 29894};
    static const uint32_t THREE[] = {13513, 20152, 19864, 14850, 16414, 6272, 8332, 16758, 26781};
    static const uint32_t GRAMS[] = {18995, 3306, 1806, 24259, 26204};
    struct fasttext_ids ids = {0}, hashes = {0};
    fasttext_pieces(STR_LIT("zq"), 2, 4, 30000, &ids);
    assert_ids(&ids, TWO, 6);
    ids.count = 0;
    fasttext_pieces(STR_LIT("xq\xc3\xa9"), 2, 4, 30000, &ids);
    assert_ids(&ids, THREE, 9);
    ids.count = 0;
    struct str text = STR_LIT(" zzq\tqqz\xc3\xa9\n zq7 </s>"), word;
    uint32_t hash;
    while (fasttext_next_word(&text, &word, &hash)) {
        assert_int_equal(hash, fasttext_hash(word));
        fasttext_ids_add(&hashes, hash);
    }
    const struct fasttext_args args = {.word_ngrams = 3, .bucket = 30000};
    fasttext_ngrams(&hashes, &args, &ids);
    assert_ids(&ids, GRAMS, 5);
    fasttext_ids_release(&ids);
    fasttext_ids_release(&hashes);
}

/* ---- files ---- */

enum { DIM = 5, BUCKET = 11, WORDS = 3, LABELS = 3 };

static struct fasttext_args small_args(int32_t loss)
{
    return (struct fasttext_args){
        .dim = DIM, .word_ngrams = 2, .loss = loss, .model = FASTTEXT_SUPERVISED, .bucket = BUCKET};
}

/* Three words, three labels, numbers that a reader can work out. */
static void write_small(const char *path, int32_t loss)
{
    static const struct fasttext_entry ENTRIES[] = {
        {{"</s>", 4}, 9},         {{"red", 3}, 8},          {{"blue", 4}, 7},
        {{"__label__hq", 11}, 5}, {{"__label__cc", 11}, 3}, {{"__label__x", 10}, 1}};
    float input[(WORDS + BUCKET) * DIM], output[LABELS * DIM];
    struct rng r;
    struct winnow_error err;
    rng_init(&r, 3, "small");
    for (size_t i = 0; i < sizeof input / sizeof *input; i++) {
        input[i] = (float)rng_normal(&r);
    }
    for (size_t i = 0; i < sizeof output / sizeof *output; i++) {
        output[i] = (float)rng_normal(&r);
    }
    const struct fasttext_parts parts = {small_args(loss), ENTRIES, WORDS, LABELS, 24,
                                         WORDS + BUCKET,   input,   output};
    assert_ok(fasttext_write(path, &parts, &err), err);
}

static struct fasttext *open_small(int32_t loss)
{
    struct winnow_error err;
    struct fasttext *m;
    write_small(in_scratch("small.bin"), loss);
    assert_ok(fasttext_open(in_scratch("small.bin"), &m, &err), err);
    return m;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct fasttext *m = open_small(FASTTEXT_SOFTMAX);
    assert_int_equal(m->word_count, WORDS);
    assert_int_equal(m->label_count, LABELS);
    assert_int_equal(m->args.bucket, BUCKET);
    assert_int_equal(m->entries[1].count, 8);
    assert_str(fasttext_label(m, 1), "__label__cc");
    struct winnow_error err;
    uint32_t label;
    assert_ok(fasttext_find_label(m, "cc", &label, &err), err);
    assert_int_equal(label, 1);
    assert_int_equal(fasttext_find_label(m, "good", &label, &err), WINNOW_E_USAGE);
    assert_non_null(strstr(err.text, "__label__hq, __label__cc, __label__x"));
    struct fasttext_scratch *s = fasttext_scratch_new(m);
    fasttext_rows(m, STR_LIT("red green __label__hq __label__new blue"), s);
    const uint32_t red = 1, blue = 2, end = 0; /* labels are no words, green has no row */
    assert_int_equal(s->ids.items[0], red);
    assert_int_equal(s->ids.items[1], blue);
    assert_int_equal(s->ids.items[2], end);
    assert_int_equal(s->ids.count, 3 + 3);
    fasttext_scratch_free(s);
    fasttext_free(m);
}

static double plain_logit(const struct fasttext *m, const struct fasttext_scratch *s,
                          uint32_t label)
{
    double sum = 0;
    for (uint32_t k = 0; k < DIM; k++) {
        double mean = 0;
        for (size_t i = 0; i < s->ids.count; i++) {
            float x;
            memcpy(&x, m->input.data + (s->ids.items[i] * DIM + k) * sizeof x, sizeof x);
            mean += (double)x / (double)s->ids.count;
        }
        float w;
        memcpy(&w, m->output.data + (label * DIM + k) * sizeof w, sizeof w);
        sum += (double)w * mean;
    }
    return sum;
}

static void softmax_tree_and_sigmoids_are_what_they_are(void **state)
{
    (void)state;
    struct str text = STR_LIT("red blue red");
    double x[LABELS], sum = 0;
    struct fasttext *m = open_small(FASTTEXT_SOFTMAX);
    struct fasttext_scratch *s = fasttext_scratch_new(m);
    assert_true(fasttext_score(m, text, s));
    for (uint32_t i = 0; i < LABELS; i++) {
        x[i] = plain_logit(m, s, i);
        sum += exp(x[i]);
    }
    for (uint32_t i = 0; i < LABELS; i++) {
        assert_near(s->scores[i], exp(x[i]) / sum + 1e-5, 1e-6);
    }
    m->args.loss = FASTTEXT_OVA;
    assert_true(fasttext_score(m, text, s));
    for (uint32_t i = 0; i < LABELS; i++) { /* in steps of 1/32 of the logit */
        assert_near(s->scores[i], 1 / (1 + exp(-floor(x[i] * 32) / 32)) + 1e-5, 1e-6);
    }
    fasttext_scratch_free(s);
    fasttext_free(m);
    /* cc (3) and x (1) meet first, the smaller one left; then hq (5) and they (4), they left. */
    m = open_small(FASTTEXT_HS);
    s = fasttext_scratch_new(m);
    assert_true(fasttext_score(m, text, s));
    double low = 1 / (1 + exp(-x[0])), root = 1 / (1 + exp(-x[1]));
    assert_near(s->scores[0], root, 3e-5);
    assert_near(s->scores[1], (1 - root) * low, 3e-5);
    assert_near(s->scores[2], (1 - root) * (1 - low), 3e-5);
    fasttext_scratch_free(s);
    fasttext_free(m);
}

static struct buf small_bytes(int32_t loss)
{
    struct buf b = {0};
    struct winnow_error err;
    write_small(in_scratch("small.bin"), loss);
    assert_ok(file_read(in_scratch("small.bin"), (size_t)1 << 20, &b, &err), err);
    return b;
}

/* A quantised twin of a dense matrix of one row of 5 in parts of 2: codes of 256 centroids. */
static void quantised_rows_are_their_centroids(void **state)
{
    (void)state;
    struct buf b = {0};
    const unsigned char with_norms = 1, codes[] = {7, 0, 255}, norm_code = 3;
    const int64_t size[] = {1, 5};
    const int32_t code_bytes = 3, book[] = {5, 3, 2, 1}, norms[] = {1, 1, 1, 1};
    float centroids[5 * 256], norm_centroids[256];
    for (size_t i = 0; i < 5 * 256; i++) {
        centroids[i] = (float)i;
    }
    for (size_t i = 0; i < 256; i++) {
        norm_centroids[i] = (float)i / 2;
    }
    buf_add(&b, &with_norms, 1);
    buf_add(&b, size, sizeof size);
    buf_add(&b, &code_bytes, sizeof code_bytes);
    buf_add(&b, codes, sizeof codes);
    buf_add(&b, book, sizeof book);
    buf_add(&b, centroids, sizeof centroids);
    buf_add(&b, &norm_code, 1);
    buf_add(&b, norms, sizeof norms);
    buf_add(&b, norm_centroids, sizeof norm_centroids);
    struct fasttext_matrix m;
    struct winnow_error err;
    struct fasttext_cursor at = {buf_str(&b), "q"};
    assert_ok(fasttext_matrix_take(&at, true, &m, "it", &err), err);
    assert_int_equal(at.left.len, 0);
    float sum[5] = {0};
    fasttext_matrix_add(&m, 0, sum);
    const float want[] = {14, 15, 512, 513, 2 * 512 + 255};
    const float ones[] = {1, 1, 1, 1, 1};
    double all = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_near((double)sum[i], 1.5 * (double)want[i], 1e-6);
        all += 1.5 * (double)want[i];
    }
    assert_near(fasttext_matrix_dot(&m, 0, ones), all, 1e-6);
    for (size_t cut = 0; cut < b.len; cut++) {
        at = (struct fasttext_cursor){{b.ptr, cut}, "q"};
        assert_int_equal(fasttext_matrix_take(&at, true, &m, "it", &err), WINNOW_E_FORMAT);
    }
    buf_release(&b);
}

static void cut_models_are_refused(void **state)
{
    (void)state;
    struct buf b = small_bytes(FASTTEXT_HS);
    struct winnow_error err;
    struct fasttext *m;
    for (size_t cut = 0; cut < b.len; cut++) {
        char *copy = mem_alloc(cut); /* so that a read behind its end is seen */
        memcpy(copy, b.ptr, cut);
        assert_int_equal(fasttext_read((struct str){copy, cut}, "cut", &m, &err), WINNOW_E_FORMAT);
        assert_null(m);
        mem_free(copy);
    }
    buf_add_char(&b, 0);
    assert_int_equal(fasttext_read(buf_str(&b), "long", &m, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "behind the end"));
    buf_release(&b);
}

static void damaged_models_are_refused(void **state)
{
    (void)state;
    /* Places of the file: magic, version, then 12 arguments of 4 bytes and a double, then the
     * sizes of the dictionary. */
    static const struct {
        size_t at;
        int32_t value;
        const char *says;
    } DAMAGES[] = {
        {0, 1, "does not begin as a fastText model"},
        {4, 13, "version 13"},
        {8, 0, "arguments make no sense"},           /* dim */
        {32, 5, "arguments make no sense"},          /* loss */
        {36, 1, "word vectors without labels"},      /* model */
        {40, 0, "no buckets"},                       /* bucket */
        {40, 12, "do not fit"},                      /* one more than there are rows */
        {64, 2000000000, "a dictionary of 3 words"}, /* entries */
        {68, 4, "a dictionary of 4 words"},          /* words */
        {72, 0, "and 0 labels"},                     /* labels */
    };
    struct winnow_error err;
    struct fasttext *m;
    for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
        struct buf b = small_bytes(FASTTEXT_SOFTMAX);
        memcpy(b.ptr + DAMAGES[i].at, &DAMAGES[i].value, 4);
        assert_int_equal(fasttext_read(buf_str(&b), "bad", &m, &err), WINNOW_E_FORMAT);
        if (!strstr(err.text, DAMAGES[i].says)) {
            fail_msg("'%s' does not say '%s'", err.text, DAMAGES[i].says);
        }
        buf_release(&b);
    }
}

/* ---- the model that is trained ---- */

static void gradient_is_that_of_differences(void **state)
{
    (void)state;
    enum { ROWS = 6 };
    float input[ROWS * DIM], output[2 * DIM], hidden[DIM], row[DIM];
    static const uint32_t IDS[] = {1, 4, 1, 5}; /* row 1 twice */
    struct rng r;
    rng_init(&r, 9, "gradient");
    for (size_t i = 0; i < ROWS * DIM; i++) {
        input[i] = (float)rng_normal(&r);
    }
    for (size_t i = 0; i < 2 * DIM; i++) {
        output[i] = (float)rng_normal(&r);
    }
    struct quality_net net = {.dim = DIM, .rows = ROWS, .input = input, .output = output};
    struct quality_gradient g = {.hidden = hidden, .row = row};
    const float step = 1e-2F;
    for (unsigned label = 0; label < 2; label++) {
        for (size_t k = 0; k < DIM; k++) {
            double loss[2];
            for (int side = 0; side < 2; side++) {
                float was = input[DIM + k];
                input[DIM + k] += side ? step : -step;
                quality_net_gradient(&net, IDS, 4, label, &g);
                loss[side] = g.loss;
                input[DIM + k] = was;
            }
            quality_net_gradient(&net, IDS, 4, label, &g);
            assert_near(2 * (double)row[k], (loss[1] - loss[0]) / (2 * (double)step), 1e-4);
            for (int side = 0; side < 2; side++) {
                float was = output[DIM + k];
                output[DIM + k] += side ? step : -step;
                quality_net_gradient(&net, IDS, 4, label, &g);
                loss[side] = g.loss;
                output[DIM + k] = was;
            }
            quality_net_gradient(&net, IDS, 4, label, &g);
            assert_near((double)(g.labels[1] * hidden[k]), (loss[1] - loss[0]) / (2 * (double)step),
                        1e-4);
        }
    }
}

static void fill(struct quality_examples *e)
{
    struct rng r;
    struct buf text = {0};
    rng_init(&r, 5, "texts");
    for (int i = 0; i < 200; i++) {
        bool good = i % 2 == 0;
        buf_clear(&text);
        for (int k = 0; k < 30; k++) {
            buf_addf(&text, "w%u%s", (unsigned)rng_below(&r, 40) + (good && k % 5 == 0 ? 20 : 0),
                     k % 7 == 6 ? "\n" : " ");
        }
        quality_examples_add(e, buf_str(&text), STR_LIT("s"), good, i % 10 > 7);
    }
    buf_release(&text);
    quality_examples_index(e, 2, STR_LIT("__label__hq"), STR_LIT("__label__cc"));
}

static const struct quality_train_options TRAIN = {.args = {.dim = 7,
                                                            .bucket = 500,
                                                            .word_ngrams = 2,
                                                            .minn = 2,
                                                            .maxn = 3,
                                                            .loss = FASTTEXT_SOFTMAX,
                                                            .model = FASTTEXT_SUPERVISED},
                                                   .epochs = 4,
                                                   .rate = 0.05,
                                                   .batch = 8,
                                                   .save_seconds = 1e6};

struct stopper {
    volatile int cancel;
    uint64_t at;
};

static void stop_there(void *user, const struct winnow_progress *p)
{
    struct stopper *s = user;
    s->cancel = s->at > 0 && p->done >= s->at;
}

static winnow_status train(const struct quality_examples *e, uint32_t threads, const char *path,
                           uint64_t stop_at, struct quality_net *net, struct winnow_error *err)
{
    struct stopper stopper = {.at = stop_at};
    struct winnow_env env = {.seed = 11,
                             .threads = threads,
                             .progress = stop_there,
                             .user = &stopper,
                             .cancel = &stopper.cancel};
    struct quality_train_options opt = TRAIN;
    struct quality_train_result result;
    struct pool *pool = pool_new(threads);
    opt.pool = pool;
    opt.checkpoint = path;
    winnow_status st = quality_train(e, &opt, &env, net, &result, err);
    pool_free(pool);
    return st;
}

static void assert_same_net(const struct quality_net *a, const struct quality_net *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->input, b->input, a->rows * a->dim * sizeof(float));
    assert_memory_equal(a->output, b->output, 2 * a->dim * sizeof(float));
}

static void threads_and_interruptions_change_no_bit(void **state)
{
    (void)state;
    struct quality_examples e = {0};
    struct quality_net one = {0}, four = {0}, broken = {0};
    struct winnow_error err;
    char path[128];
    fill(&e);
    (void)snprintf(path, sizeof path, "%s", in_scratch("checkpoint"));
    assert_ok(train(&e, 1, NULL, 0, &one, &err), err);
    assert_ok(train(&e, 4, NULL, 0, &four, &err), err);
    assert_same_net(&one, &four);
    assert_int_equal(train(&e, 2, path, 200, &broken, &err), WINNOW_E_CANCELLED);
    assert_true(memcmp(one.input, broken.input, one.rows * one.dim * sizeof(float)) != 0);
    quality_net_release(&broken);
    assert_ok(train(&e, 1, path, 0, &broken, &err), err);
    assert_same_net(&one, &broken);
    quality_net_release(&broken);
    quality_examples_add(&e, STR_LIT("one more"), STR_LIT("s"), true, false);
    assert_int_equal(train(&e, 1, path, 0, &broken, &err), WINNOW_E_USAGE);
    assert_non_null(strstr(err.text, "other examples or with other options"));
    quality_net_release(&one);
    quality_net_release(&four);
    quality_net_release(&broken);
    quality_examples_release(&e);
}

static void a_written_training_scores_as_it_did(void **state)
{
    (void)state;
    struct quality_examples e = {0};
    struct quality_net net = {0};
    struct winnow_error err;
    fill(&e);
    assert_ok(train(&e, 1, NULL, 0, &net, &err), err);
    const struct fasttext_parts parts = {TRAIN.args, e.entries, e.row_count, 2,
                                         24,         net.rows,  net.input,   net.output};
    assert_ok(fasttext_write(in_scratch("ours.bin"), &parts, &err), err);
    struct fasttext *m;
    assert_ok(fasttext_open(in_scratch("ours.bin"), &m, &err), err);
    struct fasttext_scratch *s = fasttext_scratch_new(m);
    struct fasttext_ids ids = {0}, hashes = {0};
    struct str text = STR_LIT("w3 w21\nunseen w\xc3\xa9  w3 __label__hq");
    quality_examples_add(&e, text, STR_LIT("s"), true, true);
    quality_examples_rows(&e, &e.items[e.count - 1], &TRAIN.args, &hashes, &ids);
    assert_true(fasttext_score(m, text, s));
    assert_ids(&s->ids, ids.items, ids.count);
    float hidden[7];
    assert_near(s->scores[0], quality_net_score(&net, ids.items, ids.count, hidden) + 1e-5, 1e-6);
    fasttext_ids_release(&ids);
    fasttext_ids_release(&hashes);
    fasttext_scratch_free(s);
    fasttext_free(m);
    quality_net_release(&net);
    quality_examples_release(&e);
}

/* ---- areas and sources ---- */

static void area_counts_pairs(void **state)
{
    (void)state;
    struct auc_item items[] = {{3, true}, {1, false}, {2, true}, {2, false}, {0, false}, {1, true}};
    struct auc a = auc_of(items, 6);
    assert_int_equal(a.good, 3);
    assert_near(a.value, (3 + 2.5 + 1.5) / 9, 1e-12);
    assert_true(a.low < a.value && a.value < a.high && a.high < 1 && a.low > 0);
    struct auc_item apart[] = {{1, false}, {2, true}};
    a = auc_of(apart, 2);
    assert_near(a.value, 1, 1e-12);
    assert_true(a.low < 0.9 && a.high == 1);
    struct auc_item one[] = {{1, false}};
    assert_true(isnan(auc_of(one, 1).value));
    /* Newcombe's method 5 by hand: V at the bounds gives back the distance. */
    a = (struct auc){.value = 0.8, .good = 30, .bad = 50};
    auc_interval(&a);
    double t = a.low, n = 39;
    double v = t * (1 - t) * (1 + n * (1 - t) / (2 - t) + n * t / (1 + t)) / 1500;
    assert_near(0.8 - t, 1.959964 * sqrt(v), 1e-5);
}

static void the_source_alone_is_measured(void **state)
{
    (void)state;
    struct source_scores s = {0};
    struct rng r;
    rng_init(&r, 2, "sources");
    for (int i = 0; i < 4000; i++) { /* b is good in 3 of 4, a in 1 of 4; the score is noise */
        bool from_b = i % 2 == 1, good = (rng_uniform(&r) < 0.75) == from_b;
        uint32_t source = source_scores_number(&s, from_b ? STR_LIT("b") : STR_LIT("a"));
        double score = rng_uniform(&r) + (from_b ? 1 : 0);
        source_scores_add(&s, source, score, from_b);
        source_scores_know(&s, source, score, good, (unsigned)(i / 2 % 2));
    }
    source_scores_sort(&s);
    assert_str(source_scores_name(&s, 0), "a");
    assert_int_equal(s.sums[0].kept, 0);
    assert_int_equal(s.sums[1].kept, 2000);
    struct source_spread spread = source_scores_spread(&s);
    assert_int_equal(spread.scored, 4000);
    assert_near(spread.between, 0.25 / (0.25 + 1.0 / 12), 0.02);
    struct source_aucs a = source_scores_aucs(&s);
    assert_near(a.sources.value, 0.75, 0.02);
    assert_near(a.score.value, 0.75, 0.02); /* .5 + .25: as good as the name, and no better */
    source_scores_release(&s);
}

static void labels_are_numbers_and_truths(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int is; /* 0 bad, 1 good, 2 none */
    } CASES[] = {{"{\"l\":1}", 1},     {"{\"l\":0}", 0},        {"{\"l\":true}", 1},
                 {"{\"l\":false}", 0}, {"{\"l\":-1}", 0},       {"{\"l\":0.5}", 1},
                 {"{\"l\":\"1\"}", 2}, {"{\"l\":null}", 2},     {"{\"m\":1}", 2},
                 {"{\"a\":{}}", 2},    {"{\"l\":{\"b\":1}}", 2}};
    struct json_parser *p = json_parser_new();
    struct winnow_error err;
    struct json_value root;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bool good = false;
        assert_ok(json_parse(p, str_of(CASES[i].json), &root, &err), err);
        bool is = label_of(root, "l", &good);
        assert_int_equal(is ? (int)good : 2, CASES[i].is);
    }
    bool good = false;
    assert_ok(json_parse(p, STR_LIT("{\"a\":{\"b\":1}}"), &root, &err), err);
    assert_true(label_of(root, "a.b", &good) && good);
    assert_false(label_of(root, "a.c", &good));
    json_parser_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_fasttexts),
        cmocka_unit_test(pieces_and_ngrams_are_fasttexts),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(softmax_tree_and_sigmoids_are_what_they_are),
        cmocka_unit_test(quantised_rows_are_their_centroids),
        cmocka_unit_test(cut_models_are_refused),
        cmocka_unit_test(damaged_models_are_refused),
        cmocka_unit_test(gradient_is_that_of_differences),
        cmocka_unit_test(threads_and_interruptions_change_no_bit),
        cmocka_unit_test(a_written_training_scores_as_it_did),
        cmocka_unit_test(area_counts_pairs),
        cmocka_unit_test(the_source_alone_is_measured),
        cmocka_unit_test(labels_are_numbers_and_truths),
    };
    scratch_open(&scratch);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close(&scratch);
    return failed;
}
