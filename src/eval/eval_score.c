/* eval_score.c -- items to accuracies.
 *
 * Each option is encoded whole, context and continuation in one, and the
 * context alone; the tokens behind as many as the context has are the
 * continuation's, as lm-evaluation-harness counts.  What is longer than the
 * window loses its beginning.
 *
 * "Greedy" items ask whether each token of the answer is the likeliest.  Most
 * are decided by the answer's own probabilities: a token with p > 1/2 is the
 * likeliest, one with p < 1/vocabulary is not.  Only the others need logits. */
#include "base/arena.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "eval/eval_scorer.h"
#include "eval/eval_suite.h"

#include <math.h>

#define ITEMS_AT_ONCE 4096U

/* The options of some items, queued. */
struct chunk {
    double *nll;                             /* by option */
    float **nll_each;                        /* by item: that of each token of a greedy one */
    struct arena keep;                       /* owns these */
    struct u32_list whole, context, targets; /* of the option at hand */
    struct buf text;
};

/* One option as inputs and targets; inputs holds the start token too. */
static size_t encode_option(struct eval_scorer *scorer, const struct eval_option *o,
                            struct chunk *c)
{
    uint32_t start = eval_start_token(scorer);
    bool started = start != MODEL_NO_TOKEN;
    c->whole.len = c->context.len = c->targets.len = 0;
    if (started) {
        u32_list_add(&c->whole, start);
        u32_list_add(&c->context, start);
    }
    buf_clear(&c->text);
    buf_add_str(&c->text, o->context);
    buf_add_str(&c->text, o->continuation);
    eval_encode(scorer, buf_str(&c->text), &c->whole);
    eval_encode(scorer, o->context, &c->context);
    if (c->whole.len < 2) {
        return 0;
    }
    size_t first = c->context.len; /* of the continuation; one token it has at least */
    first = first < c->whole.len ? first : c->whole.len - 1;
    first = first > 0 ? first : 1;
    size_t inputs = c->whole.len - 1;
    uint32_t *targets = u32_list_reserve(&c->targets, inputs);
    for (size_t i = 0; i < inputs; i++) {
        targets[i] = i + 1 >= first ? c->whole.ptr[i + 1] : BATCH_NO_TARGET;
    }
    c->targets.len = inputs;
    return inputs;
}

static uint32_t count_targets(const uint32_t *targets, size_t n)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += targets[i] != BATCH_NO_TARGET;
    }
    return count;
}

/* Queues an option.  *tokens are the continuation's; *each (where not NULL)
 * becomes an array for their numbers. */
static winnow_status queue_option(struct eval_scorer *scorer, const struct eval_option *o,
                                  struct chunk *c, struct eval_sum sum, float **each,
                                  uint32_t *tokens, struct winnow_error *err)
{
    size_t inputs = encode_option(scorer, o, c);
    size_t n = inputs < eval_window(scorer) ? inputs : eval_window(scorer);
    const uint32_t *targets = c->targets.ptr + (inputs - n);
    *tokens = n ? count_targets(targets, n) : 0;
    if (n == 0) {
        return WINNOW_OK;
    }
    if (each) {
        *each = sum.nll_each = ARENA_NEW(&c->keep, float, *tokens + 1);
    }
    return eval_queue(scorer, c->whole.ptr + (inputs - n), targets, n, sum, err);
}

/* Whether each target of the option is the argmax of its logits. */
static winnow_status is_greedy(struct eval_scorer *scorer, const struct eval_option *o,
                               struct chunk *c, bool *greedy, struct winnow_error *err)
{
    size_t inputs = encode_option(scorer, o, c);
    size_t n = inputs < eval_window(scorer) ? inputs : eval_window(scorer);
    uint32_t vocab = model_config(engine_model(eval_engine(scorer)))->vocab;
    float *logits = mem_try_alloc(n * vocab * sizeof *logits);
    if (!logits) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the logits of %zu tokens", n);
    }
    const uint32_t *targets = c->targets.ptr + (inputs - n);
    const uint32_t starts[2] = {0, (uint32_t)n};
    const struct token_batch batch = {.tokens = c->whole.ptr + (inputs - n),
                                      .starts = starts,
                                      .sequences = 1,
                                      .targets = targets};
    winnow_status st = engine_logits(eval_engine(scorer), &batch, logits, err);
    *greedy = st == WINNOW_OK;
    for (size_t i = 0; *greedy && i < n; i++) {
        const float *row = logits + i * vocab;
        for (uint32_t v = 0; targets[i] != BATCH_NO_TARGET && v < vocab; v++) {
            *greedy &= !(row[v] > row[targets[i]]);
        }
    }
    mem_free(logits);
    return st;
}

static winnow_status judge_greedy(struct eval_scorer *scorer, const struct eval_item *item,
                                  const float *nll_each, struct eval_item_score *score,
                                  struct chunk *c, struct winnow_error *err)
{
    double certain = log(2.0) * 0.999;
    double hopeless = log((double)model_config(engine_model(eval_engine(scorer)))->vocab) * 1.001;
    bool greedy = true, open = false;
    for (uint32_t i = 0; i < score->tokens; i++) {
        greedy &= (double)nll_each[i] < hopeless;
        open |= (double)nll_each[i] > certain;
    }
    if (greedy && open) {
        TRY(is_greedy(scorer, item->options, c, &greedy, err));
    }
    score->acc = score->acc_norm = greedy && score->tokens > 0 ? 1 : 0;
    return WINNOW_OK;
}

/* 1 / k where the right option is among the k best, else 0; lower is better. */
static float share_of_best(const double *losses, uint32_t count, uint32_t gold)
{
    uint32_t ties = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (losses[i] < losses[gold]) {
            return 0;
        }
        ties += losses[i] == losses[gold];
    }
    return ties > 0 ? 1.0F / (float)ties : 0; /* NaN equals nothing */
}

static void judge_options(const struct eval_item *item, const double *nll,
                          struct eval_item_score *score)
{
    double normed[EVAL_OPTIONS_MAX];
    for (uint32_t i = 0; i < item->option_count; i++) {
        uint32_t chars = item->options[i].chars;
        normed[i] = nll[i] / (chars ? (double)chars : 1.0);
    }
    score->acc = share_of_best(nll, item->option_count, item->gold);
    score->acc_norm = share_of_best(normed, item->option_count, item->gold);
}

static winnow_status queue_item(struct eval_scorer *scorer, const struct eval_item *item,
                                struct chunk *c, double *nll, float **each,
                                struct eval_item_score *score, struct winnow_error *err)
{
    *score =
        (struct eval_item_score){.bytes = (uint32_t)item->options[item->gold].continuation.len};
    for (uint32_t k = 0; k < item->option_count; k++) {
        uint32_t tokens;
        const struct eval_sum sum = {.nll = &nll[k]};
        TRY(queue_option(scorer, &item->options[k], c, sum, item->kind == EVAL_GREEDY ? each : NULL,
                         &tokens, err));
        score->tokens = k == item->gold ? tokens : score->tokens;
    }
    return WINNOW_OK;
}

/* Items first .. last - 1: queue all, flush, judge. */
static winnow_status score_chunk(const struct eval_suite *s, struct eval_scorer *scorer,
                                 size_t first, size_t last, struct chunk *c,
                                 struct eval_item_score *scores, struct winnow_error *err)
{
    size_t options = 0, at = 0;
    for (size_t i = first; i < last; i++) {
        options += eval_suite_item(s, i)->option_count;
    }
    arena_reset(&c->keep);
    c->nll = ARENA_NEW(&c->keep, double, options + 1);
    c->nll_each = ARENA_NEW(&c->keep, float *, last - first + 1);
    winnow_status st = WINNOW_OK;
    for (size_t i = first; st == WINNOW_OK && i < last; i++) {
        st = queue_item(scorer, eval_suite_item(s, i), c, c->nll + at, &c->nll_each[i - first],
                        &scores[i], err);
        at += eval_suite_item(s, i)->option_count;
    }
    winnow_status flushed = eval_flush(scorer, err); /* empties the queue in any case */
    st = st == WINNOW_OK ? flushed : st;
    at = 0;
    for (size_t i = first; st == WINNOW_OK && i < last; i++) {
        const struct eval_item *item = eval_suite_item(s, i);
        scores[i].nll = c->nll[at + item->gold];
        if (item->kind == EVAL_GREEDY) {
            st = judge_greedy(scorer, item, c->nll_each[i - first], &scores[i], c, err);
        } else {
            judge_options(item, c->nll + at, &scores[i]);
        }
        at += item->option_count;
    }
    return st;
}

winnow_status eval_suite_score_some(const struct eval_suite *s, struct eval_scorer *scorer,
                                    size_t first, size_t count, struct eval_item_score *scores,
                                    struct winnow_error *err)
{
    struct chunk c = {0};
    winnow_status st = WINNOW_OK;
    size_t end = first + count;
    arena_init(&c.keep, (size_t)1 << 16);
    for (; st == WINNOW_OK && first < end; first += ITEMS_AT_ONCE) {
        size_t last = end - first > ITEMS_AT_ONCE ? first + ITEMS_AT_ONCE : end;
        st = score_chunk(s, scorer, first, last, &c, scores, err);
    }
    u32_list_release(&c.whole);
    u32_list_release(&c.context);
    u32_list_release(&c.targets);
    buf_release(&c.text);
    arena_release(&c.keep);
    return st;
}

winnow_status eval_suite_score(const struct eval_suite *s, struct eval_scorer *scorer,
                               struct eval_item_score *scores, struct winnow_error *err)
{
    return eval_suite_score_some(s, scorer, 0, eval_suite_item_count(s), scores, err);
}

/* Standard error of the mean of n numbers with that sum and sum of squares, as
 * lm-evaluation-harness has it (sample standard deviation over root n). */
static double stderr_of(double sum, double squares, double n)
{
    if (n < 2) {
        return (double)NAN;
    }
    double variance = (squares - sum * sum / n) / (n - 1);
    return sqrt((variance > 0 ? variance : 0) / n);
}

void eval_summarise(const struct eval_suite *s, const struct eval_item_score *scores, size_t first,
                    size_t count, struct eval_summary *out)
{
    double acc = 0, acc2 = 0, norm = 0, norm2 = 0, nll = 0, bytes = 0, chance = 0;
    for (size_t i = first; i < first + count; i++) {
        const struct eval_item *item = eval_suite_item(s, i);
        double a = (double)scores[i].acc, b = (double)scores[i].acc_norm;
        acc += a;
        acc2 += a * a;
        norm += b;
        norm2 += b * b;
        nll += scores[i].nll;
        bytes += scores[i].bytes;
        chance += item->kind == EVAL_GREEDY ? 0 : 1.0 / item->option_count;
    }
    double n = (double)count;
    *out = (struct eval_summary){.items = count,
                                 .chance = chance / n,
                                 .acc = acc / n,
                                 .acc_stderr = stderr_of(acc, acc2, n),
                                 .acc_norm = norm / n,
                                 .acc_norm_stderr = stderr_of(norm, norm2, n),
                                 .nll = nll / n,
                                 .bits_per_byte = nll / log(2.0) / bytes};
    out->normalised = (out->acc - out->chance) / (1 - out->chance);
    out->normalised_stderr = out->acc_stderr / (1 - out->chance);
}
