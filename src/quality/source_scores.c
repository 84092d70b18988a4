/* source_scores.c -- sums a source, their spread, and the baseline of the source alone. */
#include "quality/source_scores.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

#define SHOWN_MAX 1000U

void source_scores_release(struct source_scores *s)
{
    map_release(&s->names);
    mem_free(s->sums);
    mem_free(s->by_name);
    mem_free(s->truths);
    *s = (struct source_scores){0};
}

uint32_t source_scores_number(struct source_scores *s, struct str name)
{
    bool is_new;
    uint64_t *value = map_put(&s->names, name, &is_new);
    if (is_new) {
        *value = s->count;
        GROW(s->sums, s->count, s->cap, 16);
        s->sums[s->count++] = (struct source_sums){0};
    }
    return (uint32_t)*value;
}

void source_scores_add(struct source_scores *s, uint32_t source, double score, bool kept)
{
    struct source_sums *of = &s->sums[source];
    of->documents++;
    of->kept += kept ? 1 : 0;
    if (isnan(score)) {
        of->without_score++;
        return;
    }
    double from = score - of->mean;
    of->mean += from / (double)(of->documents - of->without_score);
    of->squares += from * (score - of->mean);
}

void source_scores_know(struct source_scores *s, uint32_t source, double score, bool good,
                        unsigned fold)
{
    struct source_sums *of = &s->sums[source];
    of->known[fold]++;
    of->good[fold] += good ? 1 : 0;
    GROW(s->truths, s->truth_count, s->truth_cap, 256);
    s->truths[s->truth_count++] = (struct source_truth){score, source, good, (unsigned char)fold};
}

struct named {
    struct str name;
    uint32_t number;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

void source_scores_sort(struct source_scores *s)
{
    struct named *names = mem_alloc((s->count + 1) * sizeof *names);
    uint32_t *rank = mem_alloc((s->count + 1) * sizeof *rank);
    struct source_sums *sums = mem_alloc((s->cap + 1) * sizeof *sums);
    mem_free(s->by_name);
    s->by_name = mem_alloc((s->count + 1) * sizeof *s->by_name);
    for (uint32_t i = 0; i < s->count; i++) {
        names[i] = (struct named){s->names.entries[i].key, i};
    }
    sort(names, s->count, sizeof *names, by_name);
    for (uint32_t i = 0; i < s->count; i++) {
        s->by_name[i] = names[i].name;
        sums[i] = s->sums[names[i].number];
        rank[names[i].number] = i;
    }
    for (size_t i = 0; i < s->truth_count; i++) {
        s->truths[i].source = rank[s->truths[i].source];
    }
    for (size_t i = 0; i < s->count; i++) {
        s->names.entries[i].value = rank[i];
    }
    mem_free(s->sums);
    s->sums = sums;
    mem_free(names);
    mem_free(rank);
}

struct str source_scores_name(const struct source_scores *s, size_t number)
{
    return s->by_name[number];
}

struct source_spread source_scores_spread(const struct source_scores *s)
{
    struct source_spread out = {.mean = (double)NAN, .sd = (double)NAN, .between = (double)NAN};
    double sum = 0, within = 0, between = 0, groups = 0;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t scored = s->sums[i].documents - s->sums[i].without_score;
        out.documents += s->sums[i].documents;
        out.scored += scored;
        sum += s->sums[i].mean * (double)scored;
        within += s->sums[i].squares;
        groups += scored > 0 ? 1 : 0;
    }
    double n = (double)out.scored;
    if (out.scored == 0) {
        return out;
    }
    out.mean = sum / n;
    for (size_t i = 0; i < s->count; i++) {
        double from = s->sums[i].mean - out.mean;
        between += from * from * (double)(s->sums[i].documents - s->sums[i].without_score);
    }
    out.sd = n > 1 ? sqrt((within + between) / (n - 1)) : (double)NAN;
    if (n > groups && within + between > 0) {
        double share = 1 - (within / (n - groups)) / ((within + between) / (n - 1));
        out.between = share > 0 ? share : 0;
    }
    return out;
}

double source_share(uint64_t good, uint64_t known, double share_of_all)
{
    return ((double)good + share_of_all) / ((double)known + 1);
}

/* The source alone, of one fold's documents, as the other's have it. */
static struct auc source_alone(const struct source_scores *s, unsigned fold, struct auc_item *items)
{
    uint64_t known = 0, good = 0;
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        known += s->sums[i].known[1 - fold];
        good += s->sums[i].good[1 - fold];
    }
    double all = known > 0 ? (double)good / (double)known : 0.5;
    for (size_t i = 0; i < s->truth_count; i++) {
        const struct source_truth *t = &s->truths[i];
        if (t->fold == fold) {
            const struct source_sums *of = &s->sums[t->source];
            double share = source_share(of->good[1 - fold], of->known[1 - fold], all);
            items[count++] = (struct auc_item){share, t->good};
        }
    }
    return auc_of(items, count);
}

struct source_aucs source_scores_aucs(const struct source_scores *s)
{
    struct auc_item *items = mem_alloc((s->truth_count + 1) * sizeof *items);
    struct source_aucs out = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->truth_count; i++) {
        if (!isnan(s->truths[i].score)) {
            items[count++] = (struct auc_item){s->truths[i].score, s->truths[i].good};
        }
    }
    out.score = auc_of(items, count);
    struct auc a = source_alone(s, 0, items), b = source_alone(s, 1, items);
    out.sources = (struct auc){.good = a.good + b.good,
                               .bad = a.bad + b.bad,
                               .value = (a.value + b.value) / 2,
                               .low = (double)NAN,
                               .high = (double)NAN};
    mem_free(items);
    return out;
}

void source_scores_json(const struct source_scores *s, struct json_writer *w)
{
    json_open(w, '{');
    for (size_t i = 0; i < s->count && i < SHOWN_MAX; i++) {
        const struct source_sums *of = &s->sums[i];
        uint64_t scored = of->documents - of->without_score;
        json_key_str(w, s->by_name[i]);
        json_open(w, '{');
        json_member_u64(w, "documents", of->documents);
        json_member_u64(w, "kept", of->kept);
        json_member_double(w, "mean", scored > 0 ? of->mean : (double)NAN);
        json_member_double(w, "sd",
                           scored > 1 ? sqrt(of->squares / (double)(scored - 1)) : (double)NAN);
        json_close(w, '}');
    }
    json_close(w, '}');
}

uint64_t source_scores_bytes(const struct source_scores *s)
{
    return s->cap * (sizeof *s->sums + 2 * sizeof(struct map_entry)) +
           s->truth_cap * sizeof *s->truths;
}
