/* test_eval.c -- scores against sums made here from the engine's logits, one
 * text and one option at a time; files, cloze items, summaries. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "check.h"
#include "engine/engine.h"
#include "eval/eval.h"
#include "eval/eval_probe.h"
#include "eval/eval_results.h"
#include "scratch.h"
#include "token/tokenizer.h"

static const char *const TRAINING[] = {
    "the cat sat on the mat and the dog sat on the log",
    "a model that reads the text reads it word by word",
    "on the table the old cat and the young dog ate bread",
};

struct next {
    size_t at;
};

static winnow_status next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    (void)err;
    struct next *n = ctx;
    *more = n->at < 3;
    *text = *more ? str_of(TRAINING[n->at++]) : STR_LIT("");
    return WINNOW_OK;
}

struct fixture {
    struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    struct model *model;
    struct pool *pool;
    struct engine *engine;
    struct eval_scorer *scorer;
};

/* A random model with weights large enough that its answers differ. */
static void open_fixture(struct fixture *f, bool specials, uint32_t window, uint32_t batch_tokens)
{
    static const char *const SPECIALS[] = {"<|endoftext|>"};
    struct winnow_error err;
    struct winnow_env env = {0};
    struct next n = {0};
    struct tokenizer_train_options train = TOKENIZER_TRAIN_OPTIONS_INIT;
    train.vocab_size = 300;
    train.specials = (struct winnow_list){SPECIALS, specials ? 1 : 0};
    assert_ok(tokenizer_train(&train, &env, next_text, &n, &f->tokenizer, &err), err);
    f->scratch = tokenizer_scratch_new(f->tokenizer);
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 300;
    c.dim = 32;
    c.layers = 2;
    c.heads = c.kv_heads = 2;
    c.head_dim = 16;
    c.ffn = 64;
    c.context = 64;
    assert_ok(model_new(&c, &f->model, &err), err);
    model_init_random(f->model, 5);
    float *values = model_values(f->model);
    for (size_t i = 0; i < model_values_count(f->model); i++) {
        values[i] *= 8;
    }
    f->pool = pool_new(1);
    struct engine_options eo = ENGINE_OPTIONS_INIT;
    assert_ok(engine_new(f->model, f->pool, &eo, &env, &f->engine, &err), err);
    struct eval_scorer_options so = EVAL_SCORER_OPTIONS_INIT;
    so.window = window;
    so.batch_tokens = batch_tokens;
    assert_ok(eval_scorer_new(f->engine, f->tokenizer, &so, &f->scorer, &err), err);
}

static void close_fixture(struct fixture *f)
{
    eval_scorer_free(f->scorer);
    engine_free(f->engine);
    pool_free(f->pool);
    model_free(f->model);
    tokenizer_scratch_free(f->scratch);
    tokenizer_free(f->tokenizer);
}

/* ---- the plain computation ---- */

/* Logits of a sequence, row by row, freed by the caller. */
static float *plain_logits(struct fixture *f, const uint32_t *tokens, size_t n)
{
    struct winnow_error err;
    const uint32_t starts[2] = {0, (uint32_t)n};
    const struct token_batch b = {.tokens = tokens, .starts = starts, .sequences = 1};
    float *logits = mem_alloc(n * 300 * sizeof *logits);
    assert_ok(engine_logits(f->engine, &b, logits, &err), err);
    return logits;
}

static double plain_loss(const float *row, uint32_t target)
{
    double sum = 0;
    for (size_t v = 0; v < 300; v++) {
        sum += exp((double)row[v]);
    }
    return log(sum) - (double)row[target];
}

static void ids_of(struct fixture *f, const char *text, bool start, struct u32_list *ids)
{
    ids->len = 0;
    if (start) {
        u32_list_add(ids, tokenizer_bos(f->tokenizer));
    }
    tokenizer_encode(f->tokenizer, f->scratch, str_of(text), TOKENIZER_PLAIN_SPECIAL, ids);
}

/* The loss of tokens first .. of ids, read in one window. */
static double plain_sum(struct fixture *f, const struct u32_list *ids, size_t first)
{
    double sum = 0;
    float *logits = plain_logits(f, ids->ptr, ids->len);
    for (size_t i = first; i < ids->len; i++) {
        sum += plain_loss(logits + (i - 1) * 300, ids->ptr[i]);
    }
    mem_free(logits);
    return sum;
}

/* ---- texts ---- */

static void nll_of_a_text_is_the_sum_over_its_tokens(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct u32_list ids = {0};
    open_fixture(&f, true, 0, 0);
    const struct str texts[] = {STR_LIT("the cat ate"), STR_LIT(""), STR_LIT("caf\u00e9 on")};
    struct eval_text_nll got[3];
    assert_ok(eval_nll(f.scorer, texts, 3, got, &err), err);
    for (size_t i = 0; i < 3; i++) {
        ids_of(&f, i == 0 ? "the cat ate" : i == 1 ? "" : "caf\u00e9 on", true, &ids);
        assert_int_equal(got[i].tokens, ids.len - 1);
        assert_int_equal(got[i].bytes, texts[i].len);
        assert_near(got[i].nll, ids.len > 1 ? plain_sum(&f, &ids, 1) : 0, 1e-4);
    }
    assert_true(isnan(eval_nll_mean(&got[1])));
    assert_near(eval_bits_per_byte(&got[0]), got[0].nll / log(2.0) / 11, 1e-12);
    u32_list_release(&ids);
    close_fixture(&f);
}

static void a_text_without_start_token_does_not_count_its_first_token(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct u32_list ids = {0};
    open_fixture(&f, false, 0, 0);
    assert_int_equal(tokenizer_bos(f.tokenizer), TOKENIZER_NONE);
    const struct str text = STR_LIT("the cat ate");
    struct eval_text_nll got;
    struct buf first = {0};
    assert_ok(eval_nll(f.scorer, &text, 1, &got, &err), err);
    ids_of(&f, "the cat ate", false, &ids);
    assert_ok(tokenizer_decode(f.tokenizer, ids.ptr, 1, 0, &first, &err), err);
    assert_int_equal(got.tokens, ids.len - 1);
    assert_int_equal(got.bytes, text.len - first.len);
    assert_near(got.nll, plain_sum(&f, &ids, 1), 1e-4);
    u32_list_release(&ids);
    buf_release(&first);
    close_fixture(&f);
}

static void a_long_text_goes_on_in_windows_that_share_one_token(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct u32_list ids = {0}, part = {0};
    open_fixture(&f, true, 8, 0);
    const struct str text = str_of(TRAINING[1]);
    struct eval_text_nll got;
    assert_ok(eval_nll(f.scorer, &text, 1, &got, &err), err);
    ids_of(&f, TRAINING[1], true, &ids);
    assert_true(ids.len > 17);
    double want = 0;
    for (size_t at = 0; at + 1 < ids.len; at += 8) {
        part.len = 0;
        for (size_t i = at; i < ids.len && i <= at + 8; i++) {
            u32_list_add(&part, ids.ptr[i]);
        }
        want += plain_sum(&f, &part, 1);
    }
    assert_near(got.nll, want, 1e-4);
    assert_int_equal(got.tokens, ids.len - 1);
    u32_list_release(&ids);
    u32_list_release(&part);
    close_fixture(&f);
}

static void packing_does_not_change_a_bit(void **state)
{
    (void)state;
    struct winnow_error err;
    struct str texts[40];
    struct eval_text_nll a[40], b[40];
    for (size_t i = 0; i < 40; i++) {
        struct str s = str_of(TRAINING[i % 3]);
        texts[i] = str_sub(s, 0, i + 3);
    }
    struct fixture f;
    open_fixture(&f, true, 0, 0);
    assert_ok(eval_nll(f.scorer, texts, 40, a, &err), err);
    close_fixture(&f);
    open_fixture(&f, true, 0, 7);
    assert_ok(eval_nll(f.scorer, texts, 40, b, &err), err);
    assert_memory_equal(a, b, sizeof a);
    close_fixture(&f);
}

/* ---- tasks ---- */

static const char RECORDS[] =
    "{\"id\":\"p1\",\"task\":\"blimp\",\"subtask\":\"x\",\"good\":\"the cat sat\","
    "\"bad\":\"the cat sit\"}\n"
    "{\"id\":\"p2\",\"task\":\"blimp\",\"subtask\":\"y\",\"good\":\"dog ate\",\"bad\":\"dog "
    "ate\"}\n"
    "{\"id\":\"p3\",\"task\":\"blimp\",\"subtask\":\"x\",\"good\":\"on the log\",\"bad\":\"log on "
    "the\"}\n"
    "{\"id\":\"m1\",\"task\":\"mc\",\"kind\":\"mc\",\"context\":\"the old cat\",\"choices\":[\"sat "
    "on the mat\",\"ate\",\"na\u00efve bread and log\"],\"gold\":1}\n"
    "{\"id\":\"q1\",\"task\":\"gsm\",\"kind\":\"qa\",\"context\":\"1+1\",\"answer\":\"2\"}\n"
    "\n"
    "{\"id\":\"m2\",\"task\":\"arc_easy\",\"kind\":\"mc\",\"context\":\"Q: who? \","
    "\"choices\":[\"cat\",\"dog\"],\"gold\":0}\n"
    "{\"id\":\"m3\",\"task\":\"arc_easy\",\"kind\":\"mc\",\"context\":\"Q: what?\","
    "\"choices\":[\"bread\",\"log\"],\"gold\":1}\n"
    "{\"id\":\"s1\",\"task\":\"wino\",\"kind\":\"schema\",\"context_options\":[\"the cat\",\"the "
    "dog\"],\"continuation\":\"ate bread\",\"gold\":1}\n"
    "{\"id\":\"c1\",\"task\":\"lam\",\"kind\":\"cloze\",\"context\":\"the dog sat on "
    "the\",\"continuation\":\"log\"}\n";

static struct eval_suite *suite_of(const char *records, const struct eval_file_options *opt,
                                   uint64_t *skipped)
{
    struct winnow_error err;
    struct scratch s;
    struct eval_suite *suite = eval_suite_new();
    scratch_open(&s);
    const char *path = file_join(&s.path, s.dir, "tasks.jsonl");
    assert_ok(file_write_atomic(path, str_of(records), &err), err);
    assert_ok(eval_suite_add_file(suite, path, opt, skipped, &err), err);
    scratch_close(&s);
    return suite;
}

static void records_become_tasks_with_their_forms(void **state)
{
    (void)state;
    uint64_t skipped = 0;
    const struct eval_file_options opt = EVAL_FILE_OPTIONS_INIT;
    struct eval_suite *s = suite_of(RECORDS, &opt, &skipped);
    assert_int_equal(skipped, 1);
    assert_int_equal(eval_suite_task_count(s), 6);
    assert_int_equal(eval_suite_item_count(s), 8);
    const struct eval_task *x = eval_suite_task(s, 0), *arc = eval_suite_task(s, 3);
    assert_string_equal(x->name, "blimp_x");
    assert_string_equal(x->group, "blimp");
    assert_int_equal(x->count, 2);
    assert_str(eval_suite_item(s, x->first + 1)->id, "p3");
    assert_near(x->chance, 0.5, 1e-12);
    assert_near(eval_suite_task(s, 2)->chance, 1.0 / 3, 1e-12);
    assert_string_equal(arc->name, "arc_easy");
    const struct eval_option *o = eval_suite_item(s, arc->first)->options;
    assert_str(o[0].context, "Q: who?"); /* its own blank stands for the delimiter */
    assert_str(o[0].continuation, " cat");
    o = eval_suite_item(s, arc->first + 1)->options;
    assert_str(o[1].context, "Q: what?\nAnswer:");
    assert_str(o[1].continuation, " log");
    assert_int_equal(o[0].chars, 5);
    o = eval_suite_item(s, eval_suite_task(s, 2)->first)->options;
    assert_str(o[2].continuation, " na\u00efve bread and log");
    assert_int_equal(o[2].chars, 19);
    o = eval_suite_item(s, eval_suite_task(s, 4)->first)->options;
    assert_str(o[1].context, "the dog");
    assert_str(o[0].continuation, " ate bread");
    assert_near(eval_suite_task(s, 5)->chance, 0, 1e-12);
    eval_suite_free(s);
}

static void limit_delimiter_and_shots_are_heeded(void **state)
{
    (void)state;
    struct eval_file_options opt = {.limit = 1};
    struct eval_suite *s = suite_of(RECORDS, &opt, NULL);
    assert_int_equal(eval_suite_item_count(s), 6);
    eval_suite_free(s);
    opt = (struct eval_file_options){.delimiter = " = "};
    s = suite_of(RECORDS, &opt, NULL);
    const struct eval_option *o = eval_suite_item(s, eval_suite_task(s, 2)->first)->options;
    assert_str(o[1].context, "the old cat =");
    assert_str(o[1].continuation, " ate");
    eval_suite_free(s);
    opt = (struct eval_file_options){.shots = 1};
    s = suite_of(RECORDS, &opt, NULL);
    const struct eval_task *arc = eval_suite_task(s, 3);
    assert_int_equal(arc->count, 1);
    o = eval_suite_item(s, arc->first)->options;
    assert_str(o[0].context, "Q: who? cat\n\nQ: what?\nAnswer:");
    eval_suite_free(s);
}

static void a_wrong_record_is_named_by_its_line(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "{\"task\":\"t\",\"kind\":\"mc\",\"context\":\"c\",\"choices\":[\"a\",\"b\"],\"gold\":2}\n",
        "{\"task\":\"t\",\"kind\":\"mc\",\"context\":\"c\",\"choices\":[\"a\"],\"gold\":0}\n",
        "{\"task\":\"t\",\"kind\":\"mc\",\"context\":\"c\",\"choices\":[\"a\",3],\"gold\":0}\n",
        "{\"task\":\"t\",\"good\":\"a\"}\n",
        "{\"kind\":\"mc\"}\n",
        "{\"task\":\n",
    };
    struct scratch s;
    scratch_open(&s);
    const struct eval_file_options opt = EVAL_FILE_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct winnow_error err;
        struct buf text = {0};
        struct eval_suite *suite = eval_suite_new();
        buf_add_text(&text, "\n");
        buf_add_text(&text, BAD[i]);
        const char *path = file_join(&s.path, s.dir, "tasks.jsonl");
        assert_ok(file_write_atomic(path, buf_str(&text), &err), err);
        assert_int_equal(eval_suite_add_file(suite, path, &opt, NULL, &err), WINNOW_E_FORMAT);
        assert_non_null(strstr(err.text, "tasks.jsonl: line 2: "));
        eval_suite_free(suite);
        buf_release(&text);
    }
    scratch_close(&s);
}

/* ln p(continuation | context), negated, the context's tokens counted apart. */
static double plain_option(struct fixture *f, const struct eval_option *o, struct u32_list *ids)
{
    char context[200], whole[400];
    (void)snprintf(context, sizeof context, "%.*s", STR_ARG(o->context));
    (void)snprintf(whole, sizeof whole, "%.*s%.*s", STR_ARG(o->context), STR_ARG(o->continuation));
    ids_of(f, context, true, ids);
    size_t first = ids->len;
    ids_of(f, whole, true, ids);
    return plain_sum(f, ids, first);
}

static void options_are_judged_by_their_likelihood(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct u32_list ids = {0};
    open_fixture(&f, true, 0, 0);
    const struct eval_file_options opt = EVAL_FILE_OPTIONS_INIT;
    struct eval_suite *s = suite_of(RECORDS, &opt, NULL);
    struct eval_item_score scores[8];
    assert_ok(eval_suite_score(s, f.scorer, scores, &err), err);
    for (size_t i = 0; i < 8; i++) {
        const struct eval_item *item = eval_suite_item(s, i);
        double loss[3], norm[3];
        for (uint32_t k = 0; k < item->option_count; k++) {
            loss[k] = plain_option(&f, &item->options[k], &ids);
            norm[k] = loss[k] / item->options[k].chars;
        }
        assert_near(scores[i].nll, loss[item->gold], 1e-4);
        if (item->kind == EVAL_GREEDY || str_is(item->id, "p2")) {
            continue;
        }
        bool best = true, best_norm = true;
        for (uint32_t k = 0; k < item->option_count; k++) {
            best &= k == item->gold || loss[item->gold] < loss[k];
            best_norm &= k == item->gold || norm[item->gold] < norm[k];
        }
        assert_true(scores[i].acc == (best ? 1.0F : 0.0F));
        assert_true(scores[i].acc_norm == (best_norm ? 1.0F : 0.0F));
    }
    const struct eval_task *y = eval_suite_task(s, 1);
    assert_true(scores[y->first].acc == 0.5F); /* the same sentence twice is a tie */
    eval_suite_free(s);
    u32_list_release(&ids);
    close_fixture(&f);
}

static void an_answer_is_greedy_if_each_token_is_the_likeliest(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    open_fixture(&f, true, 0, 0);
    const struct eval_file_options opt = EVAL_FILE_OPTIONS_INIT;
    size_t right = 0, wrong = 0;
    for (uint32_t first = 0; first < 40; first++) {
        /* The likeliest printable token behind " the" and a letter, and another. */
        struct u32_list ids = {0};
        struct buf token = {0}, record = {0};
        char context[8] = {'t', 'h', 'e', ' ', (char)('a' + first % 26), '\0'};
        ids_of(&f, context, true, &ids);
        float *logits = plain_logits(&f, ids.ptr, ids.len);
        const float *row = logits + (ids.len - 1) * 300;
        uint32_t best = 0;
        for (uint32_t v = 1; v < 300; v++) {
            best = row[v] > row[best] ? v : best;
        }
        uint32_t answer = first < 26 ? best : (best + 1) % 300;
        assert_ok(tokenizer_decode(f.tokenizer, &answer, 1, 0, &token, &err), err);
        struct u32_list whole = {0};
        char text[64];
        (void)snprintf(text, sizeof text, "%s%.*s", context, STR_ARG(buf_str(&token)));
        ids_of(&f, text, true, &whole);
        bool printable = token.len > 0 && utf8_valid_until(buf_str(&token)) == token.len &&
                         (unsigned char)token.ptr[0] > ' ';
        /* Only where the token stays itself behind the context. */
        if (printable && whole.len == ids.len + 1 && whole.ptr[ids.len] == answer) {
            buf_addf(&record, "{\"task\":\"g\",\"kind\":\"cloze\",\"context\":\"%s\",", context);
            buf_add_text(&record, "\"delimiter\":\"\",\"continuation\":");
            json_quote(&record, buf_str(&token));
            buf_add_text(&record, "}\n");
            struct eval_suite *s = suite_of(buf_cstr(&record), &opt, NULL);
            struct eval_item_score score;
            assert_ok(eval_suite_score(s, f.scorer, &score, &err), err);
            assert_true(score.acc == (answer == best ? 1.0F : 0.0F));
            assert_int_equal(score.tokens, 1);
            right += answer == best;
            wrong += answer != best;
            eval_suite_free(s);
        }
        mem_free(logits);
        u32_list_release(&ids);
        u32_list_release(&whole);
        buf_release(&token);
        buf_release(&record);
    }
    assert_true(right > 0 && wrong > 0);
    close_fixture(&f);
}

/* A text that goes on, where it can, with what the model finds likeliest. */
static void make_greedy_text(struct fixture *f, char first, struct buf *text)
{
    struct winnow_error err;
    struct u32_list ids = {0};
    struct buf token = {0};
    buf_clear(text);
    buf_addf(text, "the %c", first);
    for (size_t step = 0; step < 30; step++) {
        ids_of(f, buf_cstr(text), true, &ids);
        float *logits = plain_logits(f, ids.ptr, ids.len);
        const float *row = logits + (ids.len - 1) * 300;
        uint32_t best = 0; /* of those that are text */
        for (uint32_t v = 1; v < tokenizer_vocab_size(f->tokenizer); v++) {
            best = row[v] > row[best] ? v : best;
        }
        buf_clear(&token);
        assert_ok(tokenizer_decode(f->tokenizer, &best, 1, 0, &token, &err), err);
        bool printable = token.len > 0 && (unsigned char)token.ptr[0] > ' ' &&
                         utf8_valid_until(buf_str(&token)) == token.len;
        buf_add_str(text, printable ? buf_str(&token) : STR_LIT(" a"));
        mem_free(logits);
    }
    u32_list_release(&ids);
    buf_release(&token);
}

/* How many of the points are completed, by all logits and without any shortcut. */
static uint32_t plain_completions(struct fixture *f, const char *text, uint32_t n, uint32_t points)
{
    struct u32_list ids = {0};
    ids_of(f, text, true, &ids);
    float *logits = plain_logits(f, ids.ptr, ids.len);
    size_t tokens = ids.len - 1, before = SIZE_MAX;
    uint32_t right = 0;
    for (uint32_t k = 0; k < points; k++) {
        size_t at = 2 + (tokens - n - 2) * k / (points - 1);
        bool all = at != before;
        for (size_t i = at; all && i < at + n; i++) {
            const float *row = logits + i * 300; /* behind the start and i tokens */
            for (uint32_t v = 0; v < 300; v++) {
                all &= !(row[v] > row[ids.ptr[i + 1]]);
            }
        }
        right += all;
        before = at;
    }
    mem_free(logits);
    u32_list_release(&ids);
    return right;
}

static void completions_are_what_greedy_generation_would_write(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct buf text = {0};
    uint32_t right = 0, asked = 0;
    open_fixture(&f, true, 0, 0);
    for (char first = 'a'; first <= 'z'; first++) {
        make_greedy_text(&f, first, &text);
        for (uint32_t n = 1; n <= 3; n++) {
            const struct eval_probe_options opt = {.n = n, .points = 12};
            struct eval_probe_score score;
            const struct str view = buf_str(&text);
            assert_ok(eval_probe(f.scorer, &view, 1, &opt, &score, &err), err);
            assert_int_equal(score.right, plain_completions(&f, buf_cstr(&text), n, 12));
            right += score.right;
            asked += score.asked;
        }
    }
    assert_true(right > 20 && right < asked);
    struct eval_probe_score none;
    const struct str brief = STR_LIT("a");
    const struct eval_probe_options opt = {.n = 5, .points = 5};
    assert_ok(eval_probe(f.scorer, &brief, 1, &opt, &none, &err), err);
    assert_int_equal(none.asked, 0);
    buf_release(&text);
    close_fixture(&f);
}

static void summaries_follow_their_formulas(void **state)
{
    (void)state;
    const struct eval_file_options opt = EVAL_FILE_OPTIONS_INIT;
    static const char FIVE[] =
        "{\"task\":\"t\",\"kind\":\"mc\",\"context\":\"c\",\"choices\":[\"a\",\"b\",\"c\",\"d\"],"
        "\"gold\":0}\n";
    struct buf text = {0};
    struct eval_item_score scores[5];
    for (size_t i = 0; i < 5; i++) {
        buf_add_text(&text, FIVE);
        scores[i] =
            (struct eval_item_score){.acc = i < 3, .acc_norm = i < 1, .nll = (double)i, .bytes = 2};
    }
    struct eval_suite *s = suite_of(buf_cstr(&text), &opt, NULL);
    struct eval_summary sum;
    eval_summarise(s, scores, 0, 5, &sum);
    assert_near(sum.acc, 0.6, 1e-12);
    assert_near(sum.acc_stderr, sqrt(0.6 * 0.4 / 4), 1e-12);
    assert_near(sum.chance, 0.25, 1e-12);
    assert_near(sum.normalised, (0.6 - 0.25) / 0.75, 1e-12);
    assert_near(sum.normalised_stderr, sum.acc_stderr / 0.75, 1e-12);
    assert_near(sum.acc_norm, 0.2, 1e-12);
    assert_near(sum.nll, 2, 1e-12);
    assert_near(sum.bits_per_byte, 10 / log(2.0) / 10, 1e-12);
    eval_suite_free(s);
    buf_release(&text);
}

/* ---- cloze ---- */

/* Documents of numbered words, so that each place is known by what it says. */
static void make_documents(struct arena *keep, struct eval_document *docs, size_t count)
{
    for (size_t d = 0; d < count; d++) {
        struct buf text = {0};
        for (int i = 0; i < 200; i++) {
            buf_addf(&text, "%sd%zu\u00e9w%d", i ? i % 9 == 0 ? "\n" : " " : "", d, i);
        }
        char id[16];
        (void)snprintf(id, sizeof id, "doc%zu", d);
        docs[d].id = (struct str){arena_strndup(keep, id, strlen(id)), strlen(id)};
        docs[d].text = (struct str){arena_strndup(keep, text.ptr, text.len), text.len};
        docs[d].domain = d % 3 == 0 ? STR_LIT("web") : d % 3 == 1 ? STR_LIT("news") : STR_LIT("");
        buf_release(&text);
    }
    docs[count - 1].text = STR_LIT("too short");
    docs[count - 2].domain = STR_LIT("alone");
}

static void check_cloze_item(const struct eval_item *item, const struct eval_document *docs,
                             size_t count, const char *task)
{
    const struct eval_document *own = NULL;
    for (size_t d = 0; d < count; d++) {
        own = str_eq(docs[d].id, item->source) ? &docs[d] : own;
    }
    assert_non_null(own);
    assert_true(own->domain.len == 0 ? strcmp(task, "cloze") == 0
                                     : strncmp(task + 6, own->domain.ptr, own->domain.len) == 0);
    struct buf both = {0};
    for (uint32_t k = 0; k < item->option_count; k++) {
        const struct eval_option *o = &item->options[k];
        assert_int_equal(utf8_count(o->continuation), 20);
        assert_int_equal(o->continuation.ptr[0], ' ');
        assert_true(utf8_count(o->context) <= 60 && o->context.len > 0);
        buf_clear(&both);
        buf_add_str(&both, o->context);
        buf_add_str(&both, o->continuation);
        assert_true((str_find(own->text, buf_str(&both)) != SIZE_MAX) == (k == item->gold));
        bool same_domain = false; /* as the document it was cut from */
        for (size_t d = 0; d < count; d++) {
            same_domain |= str_find(docs[d].text, o->continuation) != SIZE_MAX &&
                           str_eq(docs[d].domain, own->domain);
        }
        assert_true(same_domain);
        for (uint32_t j = 0; j < k; j++) {
            assert_false(str_eq(o->continuation, item->options[j].continuation));
        }
    }
    buf_release(&both);
}

static void cloze_items_are_cut_from_the_documents(void **state)
{
    (void)state;
    struct winnow_error err;
    struct arena keep;
    struct eval_document docs[24];
    arena_init(&keep, 1 << 16);
    make_documents(&keep, docs, 24);
    struct eval_cloze_options opt = EVAL_CLOZE_OPTIONS_INIT;
    opt.length = 20;
    opt.context = 60;
    opt.per_document = 3;
    opt.per_domain = 20;
    struct eval_suite *a = eval_suite_new(), *b = eval_suite_new(), *c = eval_suite_new();
    assert_ok(eval_suite_add_cloze(a, docs, 24, &opt, &err), err);
    assert_ok(eval_suite_add_cloze(b, docs, 24, &opt, &err), err);
    opt.seed = 1;
    assert_ok(eval_suite_add_cloze(c, docs, 24, &opt, &err), err);
    assert_int_equal(eval_suite_task_count(a), 3); /* "alone" has too few */
    size_t golds[4] = {0}, different = 0;
    for (size_t t = 0; t < 3; t++) {
        const struct eval_task *task = eval_suite_task(a, t);
        assert_string_equal(task->group, "cloze");
        assert_int_equal(task->count, 20);
        assert_near(task->chance, 0.25, 1e-12);
        for (size_t i = task->first; i < task->first + task->count; i++) {
            const struct eval_item *x = eval_suite_item(a, i), *y = eval_suite_item(b, i);
            check_cloze_item(x, docs, 24, task->name);
            assert_int_equal(x->gold, y->gold);
            assert_true(str_eq(x->options[0].continuation, y->options[0].continuation));
            assert_true(str_eq(x->options[0].context, y->options[0].context));
            different += !str_eq(x->options[0].context, eval_suite_item(c, i)->options[0].context);
            golds[x->gold]++;
        }
    }
    assert_true(different > 50);
    assert_true(golds[0] > 5 && golds[1] > 5 && golds[2] > 5 && golds[3] > 5);
    eval_suite_free(a);
    eval_suite_free(b);
    eval_suite_free(c);
    arena_release(&keep);
}

static void standard_error_of_a_domain_is_that_of_a_ratio(void **state)
{
    (void)state;
    const struct eval_text_nll docs[] = {{10, 5, 20}, {30, 10, 40}, {20, 5, 30}};
    struct eval_domain d;
    eval_domain_of(STR_LIT("x"), docs, 3, &d);
    assert_near(eval_nll_mean(&d.sum), 3, 1e-12);
    double squares = 25.0 + 0 + 25; /* nll - 3 tokens */
    assert_near(d.nll_stderr, sqrt(1.5 * squares) / 20, 1e-12);
    double r = 60.0 / 90, e0 = 10 - r * 20, e1 = 30 - r * 40, e2 = 20 - r * 30;
    assert_near(d.bits_per_byte_stderr, sqrt(1.5 * (e0 * e0 + e1 * e1 + e2 * e2)) / 90 / log(2.0),
                1e-12);
    eval_domain_of(STR_LIT("x"), docs, 1, &d);
    assert_true(isnan(d.nll_stderr));
}

static void a_scorer_refuses_what_does_not_belong_together(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct eval_scorer *s = NULL;
    open_fixture(&f, true, 0, 0);
    struct eval_scorer_options opt = EVAL_SCORER_OPTIONS_INIT;
    opt.window = 1000000;
    assert_int_equal(eval_scorer_new(f.engine, f.tokenizer, &opt, &s, &err), WINNOW_E_USAGE);
    assert_null(s);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nll_of_a_text_is_the_sum_over_its_tokens),
        cmocka_unit_test(a_text_without_start_token_does_not_count_its_first_token),
        cmocka_unit_test(a_long_text_goes_on_in_windows_that_share_one_token),
        cmocka_unit_test(packing_does_not_change_a_bit),
        cmocka_unit_test(records_become_tasks_with_their_forms),
        cmocka_unit_test(limit_delimiter_and_shots_are_heeded),
        cmocka_unit_test(a_wrong_record_is_named_by_its_line),
        cmocka_unit_test(options_are_judged_by_their_likelihood),
        cmocka_unit_test(an_answer_is_greedy_if_each_token_is_the_likeliest),
        cmocka_unit_test(completions_are_what_greedy_generation_would_write),
        cmocka_unit_test(summaries_follow_their_formulas),
        cmocka_unit_test(cloze_items_are_cut_from_the_documents),
        cmocka_unit_test(standard_error_of_a_domain_is_that_of_a_ratio),
        cmocka_unit_test(a_scorer_refuses_what_does_not_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
