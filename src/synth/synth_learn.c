/* synth_learn.c -- two rounds over the seeds, on all threads, joined in their order.
 *
 *   1. counts   in how many seeds each word is: sums, so order does not matter
 *   2. stocks   each seed's topic, its rarest word of each shape, and its answers
 *
 * Counts lie in a table without chains: two words that share a place are taken for one, which
 * makes one in some hundred words of a large corpus look less rare than it is. */
#include "synth/synth_learn.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"

#include <math.h>

#define BATCH          256U
#define MASK           (((uint64_t)1 << SYNTH_COUNT_BITS) - 1)
#define WORD_LEAST     4U /* letters */
#define NUMBER_LEAST   2U /* digits */
#define CHOICE_WORDS   8U /* of an answer that can be chosen */
#define FACTS_A_SEED   8U
#define TELLING_PART   4U
#define SHORT_WORDS    60U /* of a text in which what it is about may stand once */
#define TELLING_SURELY 3U  /* few seeds tell nothing of how rare a word is */

struct learn_scratch {
    struct synth_seed_reader reader;
    struct synth_sentences sentences;
    struct synth_words words;
};

/* What round 2 found in a seed. */
struct finding {
    uint64_t topic;
    struct buf texts;                /* words and answers behind each other */
    uint32_t word_len[SYNTH_SHAPES]; /* 0: none */
    size_t fact_count;
    size_t stocks[FACTS_A_SEED];
    uint32_t answer_len[FACTS_A_SEED];
};

struct learning {
    const struct synth_seeds *seeds;
    struct synth_learned *out;
    struct learn_scratch *scratch; /* of each worker */
    struct finding *findings;      /* BATCH */
    bool counting;
    size_t from, to;
    winnow_status *status; /* of each piece */
    struct winnow_error *errors;
};

/* ---- words ---- */

double synth_rarity(const struct synth_learned *l, uint64_t word)
{
    uint32_t n = atomic_load_explicit(&l->counts[word & MASK].seeds, memory_order_relaxed);
    return log((double)(l->seeds + 1) / (double)(n + 1));
}

bool synth_is_telling(const struct synth_learned *l, const struct synth_word *w)
{
    size_t least = w->shape == SHAPE_NUMBER ? NUMBER_LEAST : WORD_LEAST;
    uint32_t n = atomic_load_explicit(&l->counts[w->hash & MASK].seeds, memory_order_relaxed);
    return w->text.len >= least && (n <= l->seeds / TELLING_PART || n <= TELLING_SURELY);
}

static int by_hash(const void *a, const void *b)
{
    const struct synth_word *x = a, *y = b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->text.ptr < y->text.ptr ? -1 : x->text.ptr > y->text.ptr;
}

/* Another seed has it, too. */
static bool is_shared(const struct synth_learned *l, const struct synth_word *w)
{
    return atomic_load_explicit(&l->counts[w->hash & MASK].seeds, memory_order_relaxed) > 1;
}

const struct synth_word *synth_topic_word(const struct synth_learned *l, struct synth_words *words)
{
    const struct synth_word *best = NULL;
    double most = 0;
    size_t least = words->count < SHORT_WORDS ? 1 : 2, times;
    sort(words->items, words->count, sizeof *words->items, by_hash);
    for (size_t i = 0; i < words->count; i += times) {
        const struct synth_word *w = &words->items[i];
        for (times = 1; i + times < words->count && w[times].hash == w->hash; times++) {
        }
        double value = (double)times * synth_rarity(l, w->hash);
        if (times >= least && is_shared(l, w) && value > most && w->shape != SHAPE_NUMBER &&
            synth_is_telling(l, w)) {
            best = w;
            most = value;
        }
    }
    return best;
}

size_t synth_stock_of(const struct synth_fact *f)
{
    return f->answer_words > CHOICE_WORDS ? SIZE_MAX
                                          : f->relation + (f->when ? SYNTH_RELATIONS_MAX : 0);
}

/* ---- round 1 ---- */

static void count_words(struct learning *k, struct learn_scratch *s, struct str text)
{
    synth_words_split(&s->words, text);
    sort(s->words.items, s->words.count, sizeof *s->words.items, by_hash);
    for (size_t i = 0; i < s->words.count; i++) {
        if (i == 0 || s->words.items[i].hash != s->words.items[i - 1].hash) {
            struct synth_count *count = &k->out->counts[s->words.items[i].hash & MASK];
            (void)atomic_fetch_add_explicit(&count->seeds, 1, memory_order_relaxed);
        }
    }
}

/* ---- round 2 ---- */

static void find_words(const struct learning *k, const struct synth_words *words, struct finding *f)
{
    for (int shape = 0; shape < SYNTH_SHAPES; shape++) {
        const struct synth_word *best = NULL;
        for (size_t i = 1; i < words->count; i++) { /* the first is a capital by its place */
            const struct synth_word *w = &words->items[i];
            if ((int)w->shape == shape && synth_is_telling(k->out, w) &&
                (!best || synth_rarity(k->out, w->hash) > synth_rarity(k->out, best->hash))) {
                best = w;
            }
        }
        if (best) {
            buf_add_str(&f->texts, best->text);
            f->word_len[shape] = (uint32_t)best->text.len;
        }
    }
}

static void find_answers(struct learn_scratch *s, struct str text, struct finding *f)
{
    synth_sentences_split(&s->sentences, text);
    for (size_t i = 0; i < s->sentences.count && f->fact_count < FACTS_A_SEED; i++) {
        struct synth_fact fact;
        if (!synth_relation_find(s->sentences.items[i], &fact) ||
            synth_stock_of(&fact) == SIZE_MAX) {
            continue;
        }
        buf_add_str(&f->texts, fact.answer);
        f->stocks[f->fact_count] = synth_stock_of(&fact);
        f->answer_len[f->fact_count++] = (uint32_t)fact.answer.len;
    }
}

static void find_stocks(struct learning *k, struct learn_scratch *s, const struct synth_seed *seed,
                        struct finding *f)
{
    buf_clear(&f->texts);
    f->fact_count = 0;
    memset(f->word_len, 0, sizeof f->word_len);
    synth_words_split(&s->words, seed->text);
    find_words(k, &s->words, f);
    find_answers(s, seed->text, f);
    const struct synth_word *topic = synth_topic_word(k->out, &s->words);
    f->topic = topic ? rng_mix(topic->hash ^ hash64(seed->cluster, 1)) | 1 : 0;
}

static void add_to_stock(struct synth_learned *l, struct synth_stock *stock, struct str text)
{
    if (stock->count >= SYNTH_STOCK_MAX || text.len == 0) {
        return;
    }
    GROW(stock->items, stock->count, stock->cap, 64);
    stock->items[stock->count++] =
        (struct str){arena_strndup(&l->keep, text.ptr, text.len), text.len};
}

static void join_finding(struct synth_learned *l, size_t seed, const struct finding *f)
{
    struct str rest = buf_str(&f->texts);
    for (int shape = 0; shape < SYNTH_SHAPES; shape++) {
        add_to_stock(l, &l->words[shape], str_sub(rest, 0, f->word_len[shape]));
        rest = str_sub(rest, f->word_len[shape], rest.len);
    }
    for (size_t i = 0; i < f->fact_count; i++) {
        add_to_stock(l, &l->answers[f->stocks[i]], str_sub(rest, 0, f->answer_len[i]));
        rest = str_sub(rest, f->answer_len[i], rest.len);
    }
    l->topic_of[seed] = f->topic;
    l->topics[seed] = (struct synth_topic){f->topic, (uint32_t)seed};
}

/* ---- rounds ---- */

static void work_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct learning *k = ctx;
    struct learn_scratch *s = &k->scratch[worker];
    struct synth_seed seed;
    k->status[piece] =
        synth_seeds_read(k->seeds, k->from + piece, &s->reader, &seed, &k->errors[piece]);
    if (k->status[piece] != WINNOW_OK) {
        return;
    }
    if (k->counting) {
        count_words(k, s, seed.text);
    } else {
        find_stocks(k, s, &seed, &k->findings[piece]);
    }
}

static winnow_status work_round(struct learning *k, struct pool *pool, const struct winnow_env *env,
                                struct winnow_error *err)
{
    for (k->from = 0; k->from < k->seeds->count; k->from = k->to) {
        k->to = k->from + BATCH < k->seeds->count ? k->from + BATCH : k->seeds->count;
        pool_run(pool, k->to - k->from, work_piece, k);
        for (size_t i = 0; i < k->to - k->from; i++) {
            TRY(k->status[i] == WINNOW_OK ? WINNOW_OK
                                          : error_set(err, k->status[i], "%s", k->errors[i].text));
            if (!k->counting) {
                join_finding(k->out, k->from + i, &k->findings[i]);
            }
        }
        env_progress(env, k->counting ? "synthesize words" : "synthesize topics", "seeds", k->to,
                     k->seeds->count);
        TRY(env_check(env, err));
    }
    return WINNOW_OK;
}

static int by_topic(const void *a, const void *b)
{
    const struct synth_topic *x = a, *y = b;
    if (x->topic != y->topic) {
        return x->topic < y->topic ? -1 : 1;
    }
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

uint64_t synth_learn_memory(uint64_t seeds)
{
    return ((uint64_t)sizeof(uint32_t) << SYNTH_COUNT_BITS) + ((uint64_t)4 << 20) +
           seeds * (sizeof(struct synth_topic) + sizeof(uint64_t));
}

winnow_status synth_learn(const struct synth_seeds *seeds, struct pool *pool,
                          const struct winnow_env *env, struct synth_learned *out,
                          struct winnow_error *err)
{
    uint32_t threads = pool_threads(pool);
    arena_init(&out->keep, (size_t)1 << 16);
    out->seeds = seeds->count;
    out->counts = mem_zalloc(sizeof *out->counts << SYNTH_COUNT_BITS);
    out->topics = mem_zalloc((seeds->count + 1) * sizeof *out->topics);
    out->topic_of = mem_zalloc((seeds->count + 1) * sizeof *out->topic_of);
    struct learning k = {.seeds = seeds, .out = out, .counting = true};
    k.scratch = mem_zalloc(threads * sizeof *k.scratch);
    k.findings = mem_zalloc(BATCH * sizeof *k.findings);
    k.status = mem_zalloc(BATCH * sizeof *k.status);
    k.errors = mem_zalloc(BATCH * sizeof *k.errors);
    winnow_status st = work_round(&k, pool, env, err);
    k.counting = false;
    st = st == WINNOW_OK ? work_round(&k, pool, env, err) : st;
    sort(out->topics, seeds->count, sizeof *out->topics, by_topic);
    for (uint32_t i = 0; i < threads; i++) {
        synth_seed_reader_release(&k.scratch[i].reader);
        synth_sentences_release(&k.scratch[i].sentences);
        synth_words_release(&k.scratch[i].words);
    }
    for (size_t i = 0; i < BATCH; i++) {
        buf_release(&k.findings[i].texts);
    }
    mem_free(k.scratch);
    mem_free(k.findings);
    mem_free(k.status);
    mem_free(k.errors);
    return st;
}

void synth_learned_release(struct synth_learned *l)
{
    mem_free(l->counts);
    for (size_t i = 0; i < SYNTH_SHAPES; i++) {
        mem_free(l->words[i].items);
    }
    for (size_t i = 0; i < sizeof l->answers / sizeof *l->answers; i++) {
        mem_free(l->answers[i].items);
    }
    mem_free(l->topics);
    mem_free(l->topic_of);
    arena_release(&l->keep);
    *l = (struct synth_learned){0};
}
