/* leak_judge.c -- grams of a text to hits; the rules make finds of them. */
#include "leak/leak_judge.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

static const struct {
    const char *name;
    uint32_t n;
    double share;
} RULES[WINNOW_LEAK_RULES] = {
    [WINNOW_LEAK_CLUSTER] = {"cluster", 5, 0.8}, [WINNOW_LEAK_GPT3] = {"gpt3", 13, (double)NAN},
    [WINNOW_LEAK_LLAMA2] = {"llama2", 10, 0.8},  [WINNOW_LEAK_LLAMA3] = {"llama3", 8, 0.5},
    [WINNOW_LEAK_HARE] = {"hare", 10, 0.5},
};

const char *leak_rule_name(int rule)
{
    return RULES[rule].name;
}

uint32_t leak_rule_n(int rule, const struct winnow_decontaminate_options *opt)
{
    return opt->n > 0 ? opt->n : RULES[rule].n;
}

winnow_status leak_judge_open(struct leak_judge *judge, const struct leak_set *set,
                              const struct winnow_decontaminate_options *opt, int rule,
                              struct winnow_error *err)
{
    *judge = (struct leak_judge){.set = set, .opt = *opt, .rule = rule};
    judge->opt.n = leak_rule_n(rule, opt);
    judge->opt.share = opt->share > 0 ? opt->share : RULES[rule].share;
    bool questions = rule == WINNOW_LEAK_CLUSTER;
    TRY(leak_index_build(&judge->index, set, judge->opt.n, questions, err));
    return questions ? leak_cluster_open(judge, err) : WINNOW_OK;
}

void leak_judge_release(struct leak_judge *judge)
{
    leak_index_release(&judge->index);
    mem_free(judge->idf_sums);
    mem_free(judge->gram_counts);
    mem_free(judge->cold_grams);
    *judge = (struct leak_judge){0};
}

uint64_t leak_judge_memory(const struct leak_set *set)
{
    return leak_index_memory(set) + set->count * (sizeof(double) + 2 * sizeof(uint32_t));
}

uint64_t leak_scratch_memory(const struct leak_set *set)
{
    return sizeof(struct leak_scratch) + (2 * set->count + set->word_count) * sizeof(uint32_t);
}

uint64_t leak_judge_blind(const struct leak_judge *judge)
{
    uint64_t blind = 0;
    for (size_t i = 0; i < judge->set->count; i++) {
        blind += leak_item_words(&judge->set->items[i]) < judge->opt.n;
    }
    return blind;
}

struct leak_scratch *leak_scratch_new(const struct leak_judge *judge)
{
    struct leak_scratch *s = mem_zalloc(sizeof *s);
    s->item_marks = mem_zalloc(judge->set->count * sizeof *s->item_marks);
    s->item_until = mem_zalloc(judge->set->count * sizeof *s->item_until);
    if (!judge->index.questions) {
        s->word_marks = mem_zalloc(judge->set->word_count * sizeof *s->word_marks);
    }
    return s;
}

void leak_scratch_free(struct leak_scratch *s)
{
    if (s) {
        leak_words_release(&s->words);
        mem_free(s->hits);
        mem_free(s->by_slot);
        mem_free(s->finds);
        mem_free(s->spans);
        mem_free(s->touched);
        mem_free(s->grams);
        mem_free(s->item_marks);
        mem_free(s->item_until);
        mem_free(s->word_marks);
        mem_free(s);
    }
}

/* ---- what the rules add to ---- */

void leak_add_find(struct leak_scratch *s, const struct leak_find *find)
{
    GROW(s->finds, s->find_count, s->find_cap, 16);
    s->finds[s->find_count++] = *find;
}

void leak_add_span(struct leak_scratch *s, uint32_t first, uint32_t end)
{
    GROW(s->spans, s->span_count, s->span_cap, 16);
    s->spans[s->span_count++] = (struct leak_span){first, end};
}

bool leak_touch(struct leak_scratch *s, uint32_t item)
{
    if (s->item_marks[item] == s->generation) {
        return false;
    }
    s->item_marks[item] = s->generation;
    GROW(s->touched, s->touched_count, s->touched_cap, 64);
    s->touched[s->touched_count++] = item;
    return true;
}

static int by_share(const void *a, const void *b)
{
    const struct leak_find *x = a, *y = b;
    if (x->share != y->share) {
        return x->share > y->share ? -1 : 1;
    }
    return x->item < y->item ? -1 : x->item > y->item;
}

void leak_sort_finds(struct leak_scratch *s)
{
    sort(s->finds, s->find_count, sizeof *s->finds, by_share);
}

static int by_place(const void *a, const void *b)
{
    const struct leak_span *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void put_in_order(struct leak_scratch *s)
{
    leak_sort_finds(s);
    sort(s->spans, s->span_count, sizeof *s->spans, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < s->span_count; i++) {
        struct leak_span *last = kept > 0 ? &s->spans[kept - 1] : NULL;
        if (last && s->spans[i].first <= last->end) {
            last->end = s->spans[i].end > last->end ? s->spans[i].end : last->end;
        } else {
            s->spans[kept++] = s->spans[i];
        }
    }
    s->span_count = kept;
}

/* ---- hits ---- */

static void find_hits(const struct leak_judge *judge, struct leak_scratch *s)
{
    const struct leak_index *x = &judge->index;
    const struct leak_word *words = s->words.items;
    uint32_t n = x->n;
    if (s->words.count < n) {
        return;
    }
    struct leak_roll roll = leak_roll_start(n);
    for (size_t i = 0; i + 1 < n; i++) {
        leak_roll_in(&roll, words[i].hash);
    }
    for (size_t i = n - 1; i < s->words.count; i++) {
        leak_roll_in(&roll, words[i].hash);
        const struct leak_slot *slot = leak_index_find(x, roll.value);
        if (slot) {
            GROW(s->hits, s->hit_count, s->hit_cap, 256);
            s->hits[s->hit_count++] =
                (struct leak_hit){(uint32_t)(i + 1 - n), (uint32_t)(slot - x->slots)};
        }
        leak_roll_out(&roll, words[i + 1 - n].hash);
    }
}

/* A new text: all marks are of another one. */
static void turn_page(const struct leak_judge *judge, struct leak_scratch *s)
{
    s->hit_count = s->find_count = s->span_count = s->touched_count = s->gram_count = 0;
    if (s->generation == UINT32_MAX) {
        s->generation = 0;
        memset(s->item_marks, 0, judge->set->count * sizeof *s->item_marks);
        memset(s->item_until, 0, judge->set->count * sizeof *s->item_until);
        if (s->word_marks) {
            memset(s->word_marks, 0, judge->set->word_count * sizeof *s->word_marks);
        }
    }
    s->generation++;
}

winnow_status leak_judge_text(const struct leak_judge *judge, struct leak_scratch *s,
                              struct str text, struct winnow_error *err)
{
    turn_page(judge, s);
    TRY(leak_words_split(&s->words, text, err));
    find_hits(judge, s);
    if (s->hit_count == 0) {
        return WINNOW_OK;
    }
    if (judge->index.questions) {
        leak_find_clusters(judge, s);
    } else {
        leak_find_shares(judge, s);
    }
    put_in_order(s);
    return WINNOW_OK;
}
