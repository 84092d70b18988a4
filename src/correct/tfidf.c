/* tfidf.c -- documents by the rare tokens, and pairs of tokens, that they share with examples.
 *
 * Tokens are the model's and lie in the file that is there anyway; they and their pairs are hashed
 * to a table of fixed size, so that memory does not grow with the corpus. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "correct/recall.h"

#include <math.h>

#define PLACES ((size_t)1 << 20)

struct words {
    const struct feature_texts *documents;
    uint32_t context;
    double passages; /* of all documents */
    uint32_t *in;    /* passages that hold a place */
    double *wanted;  /* of a place, by the examples */
    uint32_t *met;   /* places of a passage, sorted */
    size_t met_cap;
    struct tune_batch batch;
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t place_of(uint64_t token, uint64_t before)
{
    return (uint32_t)(rng_mix(token | before << 32) % PLACES);
}

/* Sorted places of a passage, each as often as it comes. */
static size_t read_passage(struct words *w, const struct feature_texts *t, size_t row, uint32_t p)
{
    passages_clear(&w->batch);
    passages_add(t, row, p, w->context, &w->batch);
    size_t n = w->batch.tokens.len, count = 0;
    if (2 * n > w->met_cap) {
        mem_free(w->met);
        w->met_cap = 4 * n;
        w->met = mem_alloc(w->met_cap * sizeof *w->met);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t token = w->batch.tokens.ptr[i];
        w->met[count++] = place_of(token, 0);
        if (i > 0) {
            w->met[count++] = place_of(token, (uint64_t)w->batch.tokens.ptr[i - 1] + 1);
        }
    }
    sort(w->met, count, sizeof *w->met, by_number);
    return count;
}

/* The end of the run of equal places that begins at `from`. */
static size_t run_end(const struct words *w, size_t from, size_t count)
{
    size_t to = from + 1;
    while (to < count && w->met[to] == w->met[from]) {
        to++;
    }
    return to;
}

static double weight(const struct words *w, size_t from, size_t to)
{
    double in = (double)w->in[w->met[from]];
    return (1 + log((double)(to - from))) * log((1 + w->passages) / (1 + in));
}

static void count_places(struct words *w, size_t row, uint32_t passage)
{
    size_t count = read_passage(w, w->documents, row, passage);
    w->passages++;
    for (size_t from = 0, to; from < count; from = to) {
        to = run_end(w, from, count);
        w->in[w->met[from]]++;
    }
}

static double length(const struct words *w, size_t count)
{
    double sum = 0;
    for (size_t from = 0, to; from < count; from = to) {
        to = run_end(w, from, count);
        sum += weight(w, from, to) * weight(w, from, to);
    }
    return sqrt(sum);
}

static void add_example(struct words *w, const struct feature_texts *examples, size_t row)
{
    /* of a long example its last passage: what it ends with is what is unwanted */
    uint32_t passages = passages_of(examples, row, w->context);
    if (passages == 0) {
        return;
    }
    size_t count = read_passage(w, examples, row, passages - 1);
    double size = length(w, count);
    for (size_t from = 0, to; size > 0 && from < count; from = to) {
        to = run_end(w, from, count);
        w->wanted[w->met[from]] += weight(w, from, to) / size / (double)examples->count;
    }
}

static double compare(struct words *w, size_t row, uint32_t passage)
{
    size_t count = read_passage(w, w->documents, row, passage);
    double sum = 0, size = length(w, count);
    for (size_t from = 0, to; from < count; from = to) {
        to = run_end(w, from, count);
        sum += weight(w, from, to) * w->wanted[w->met[from]];
    }
    return size > 0 ? sum / size : 0;
}

/* The nearest passage. */
static struct influence nearest(struct words *w, size_t row)
{
    struct influence out = {.best = -(double)INFINITY};
    for (uint32_t p = 0; p < passages_of(w->documents, row, w->context); p++) {
        double near = compare(w, row, p);
        if (near > out.best) {
            out = (struct influence){near, near, p};
        }
    }
    return out;
}

static winnow_status walk(struct words *w, const struct feature_texts *examples,
                          const struct winnow_env *env, struct influence *influence,
                          struct winnow_error *err)
{
    size_t n = w->documents->count;
    for (size_t i = 0; i < n; i++) {
        TRY(i % 256 == 0 ? env_check(env, err) : WINNOW_OK);
        env_progress(env, "words", "documents", i, 2 * n);
        for (uint32_t p = 0; p < passages_of(w->documents, i, w->context); p++) {
            count_places(w, i, p);
        }
    }
    for (size_t i = 0; i < examples->count; i++) {
        add_example(w, examples, i);
    }
    for (size_t i = 0; i < n; i++) {
        TRY(i % 256 == 0 ? env_check(env, err) : WINNOW_OK);
        env_progress(env, "words", "documents", n + i, 2 * n);
        if (w->documents->rows[i].targets > 0) {
            influence[i] = nearest(w, i);
        }
    }
    return WINNOW_OK;
}

winnow_status recall_by_words(const struct recall_texts *texts, uint32_t context,
                              const struct winnow_env *env, struct influence *influence,
                              struct winnow_error *err)
{
    struct words w = {.documents = texts->documents,
                      .context = context,
                      .in = mem_zalloc(PLACES * sizeof *w.in),
                      .wanted = mem_zalloc(PLACES * sizeof *w.wanted)};
    winnow_status st = walk(&w, texts->examples, env, influence, err);
    mem_free(w.in);
    mem_free(w.wanted);
    mem_free(w.met);
    tune_batch_release(&w.batch);
    return st;
}
