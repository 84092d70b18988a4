/* line_logistic.c -- the yardstick of the line model: a logistic classifier of
 * single lines.
 *
 *     line_logistic EPOCHS TRAIN.jsonl... -- TEST.jsonl... > scores.jsonl
 *
 * Features of a line: hashed words and word pairs, words of the two lines on
 * either side (each side's distance hashed apart), and the dense numbers of
 * line_features.h.  Adagrad, pages in random order.  Output as line_scores.c. */
#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "lines/line_features.h"
#include "lines/line_pages.h"
#include "lines/line_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS      (1U << 20)
#define NEAR      2 /* lines either side */
#define TOKEN_MAX 1024U

struct logistic {
    float *w, *sum; /* ROWS n-grams, then LINE_DENSE numbers */
};

/* What is not 0 for a line. */
struct sparse {
    uint32_t token[TOKEN_MAX];
    size_t count;
};

static void take(struct sparse *s, const struct line_features *f, size_t line, uint32_t group,
                 uint32_t seed)
{
    size_t g = line * LINE_GROUPS + group;
    for (uint32_t at = g > 0 ? f->ends[g - 1] : 0; at < f->ends[g] && s->count < TOKEN_MAX; at++) {
        s->token[s->count++] = line_mix(f->tokens[at] + seed * 0x9E3779B9U) & (ROWS - 1);
    }
}

static void features_of(const struct line_features *f, size_t line, struct sparse *s)
{
    s->count = 0;
    take(s, f, line, 0, 1);
    take(s, f, line, 1, 2);
    for (int d = -NEAR; d <= NEAR; d++) {
        size_t at = line + (size_t)d; /* wraps below 0, which is past the end */
        if (d != 0 && at < f->count) {
            take(s, f, at, 0, (uint32_t)(10 + d));
        }
    }
}

static double score(const struct logistic *l, const struct line_features *f, size_t line,
                    const struct sparse *s)
{
    double x = 0;
    for (size_t i = 0; i < s->count; i++) {
        x += (double)l->w[s->token[i]];
    }
    for (size_t i = 0; i < LINE_DENSE; i++) {
        x += (double)(l->w[ROWS + i] * f->dense[line * LINE_DENSE + i]);
    }
    return x;
}

static void step(struct logistic *l, size_t at, double gradient)
{
    l->sum[at] += (float)(gradient * gradient);
    l->w[at] -= (float)(0.05 * gradient / sqrt((double)l->sum[at] + 1e-6));
}

static void learn_page(struct logistic *l, const struct line_page *page, struct arena *keep)
{
    struct line_features f;
    struct sparse s;
    line_features_build(page->lines, NULL, page->count, ROWS, keep, &f);
    for (size_t i = 0; i < page->count; i++) {
        if (page->labels[i] == LINE_NOT_JUDGED) {
            continue;
        }
        features_of(&f, i, &s);
        double g = 1 / (1 + exp(-score(l, &f, i, &s))) - page->labels[i];
        for (size_t k = 0; k < s.count; k++) {
            step(l, s.token[k], g);
        }
        for (size_t k = 0; k < LINE_DENSE; k++) {
            step(l, ROWS + k, g * (double)f.dense[i * LINE_DENSE + k]);
        }
    }
}

/* Lines with words only, as line_pages.h reads them: scores go by their order. */
static void print_page(const struct logistic *l, const struct line_page *page, size_t number,
                       struct arena *keep)
{
    struct line_features f;
    struct sparse s;
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    line_features_build(page->lines, NULL, page->count, ROWS, keep, &f);
    json_open(&w, '{');
    json_member_u64(&w, "page", number);
    json_member_open(&w, "scores", '[');
    for (size_t i = 0; i < page->count; i++) {
        features_of(&f, i, &s);
        json_double(&w, 1 / (1 + exp(-score(l, &f, i, &s))));
    }
    json_close(&w, ']');
    json_close(&w, '}');
    (void)printf("%.*s\n", STR_ARG(buf_str(&out)));
    buf_release(&out);
}

static void train(struct logistic *l, const struct line_page_set *set, unsigned long epochs,
                  struct arena *keep)
{
    struct rng r;
    rng_init(&r, 0, "logistic");
    uint32_t *order = mem_alloc((set->count + 1) * sizeof *order);
    for (size_t i = 0; i < set->count; i++) {
        order[i] = (uint32_t)i;
    }
    for (unsigned long e = 0; e < epochs; e++) {
        rng_shuffle_u32(&r, order, set->count);
        for (size_t i = 0; i < set->count; i++) {
            arena_reset(keep);
            learn_page(l, &set->items[order[i]], keep);
        }
    }
    mem_free(order);
}

int main(int argc, char **argv)
{
    struct line_page_set sets[2] = {{0}, {0}};
    struct winnow_error err;
    int which = 0;
    if (argc < 5) {
        (void)fprintf(stderr, "usage: line_logistic EPOCHS TRAIN... -- TEST...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            which = 1;
        } else if (line_page_set_read(&sets[which], argv[i], LINE_PAGES, &err) != WINNOW_OK) {
            (void)fprintf(stderr, "line_logistic: %s\n", err.text);
            return 1;
        }
    }
    struct arena keep;
    arena_init(&keep, (size_t)1 << 20);
    size_t n = ROWS + LINE_DENSE;
    struct logistic l = {mem_zalloc(n * sizeof(float)), mem_zalloc(n * sizeof(float))};
    train(&l, &sets[0], strtoul(argv[1], NULL, 10), &keep);
    for (size_t i = 0; i < sets[1].count; i++) {
        arena_reset(&keep);
        print_page(&l, &sets[1].items[i], i, &keep);
    }
    arena_release(&keep);
    mem_free(l.w);
    mem_free(l.sum);
    line_page_set_release(&sets[0]);
    line_page_set_release(&sets[1]);
    return 0;
}
