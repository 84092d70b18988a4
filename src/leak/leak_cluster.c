/* leak_cluster.c -- questions by their rare words, answers and passages near by.
 *
 * After AI2's decon (its doc/simple-details.md says what it does; no code of it is here):
 * a place of a text at which n words of a question stand is gone on with in both directions
 * until `misses` words in a row begin no gram of that question.  What share of the
 * question's grams is in such a cluster, each weighted by its idf, is its overlap; answer
 * and passage are looked for around it; their overlaps are added with weights that depend
 * on how much there is to go by; and the shorter the item, the more of it must be there.
 *
 * What is ours: words for BPE tokens, no sampling of the text (each word is looked at), the
 * window on both sides of the cluster, the count of an answer's and a passage's grams in
 * place of their idf, and an idf that is never 0. */
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "leak/leak_judge.h"

/* Grams of more items begin no cluster ("which of the following is"); they count in one. */
#define HOT                 16U

#define ANSWER_SHORT        3U /* words up to which an answer must be there as it is, */
#define ANSWER_SHORT_WINDOW 50U
#define ANSWER_GRAM         3U
#define ANSWER_WINDOW       100U /* or twice the answer */
#define PASSAGE_GRAM        4U
#define PASSAGE_WINDOW      100U /* and the passage's own length */

winnow_status leak_cluster_open(struct leak_judge *judge, struct winnow_error *err)
{
    size_t items = judge->set->count;
    judge->idf_sums = mem_try_alloc(items * sizeof *judge->idf_sums);
    judge->gram_counts = mem_try_alloc(items * sizeof *judge->gram_counts);
    judge->cold_grams = mem_try_alloc(items * sizeof *judge->cold_grams);
    if (!judge->idf_sums || !judge->gram_counts || !judge->cold_grams) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu items", items);
    }
    for (size_t i = 0; i < items; i++) {
        judge->idf_sums[i] = 0;
        judge->gram_counts[i] = judge->cold_grams[i] = 0;
    }
    const struct leak_index *x = &judge->index;
    for (uint64_t i = 0; i <= x->slot_mask; i++) {
        const struct leak_slot *slot = &x->slots[i];
        double idf = slot->count > 0 ? leak_index_idf(judge->set, slot) : 0;
        for (uint32_t k = 0; k < slot->count; k++) {
            uint32_t item = x->postings[slot->first + k].item;
            judge->idf_sums[item] += idf;
            judge->gram_counts[item]++;
            judge->cold_grams[item] += slot->count <= HOT;
        }
    }
    for (size_t i = 0; i < items; i++) {
        judge->some_all_hot |= judge->gram_counts[i] > 0 && judge->cold_grams[i] == 0;
    }
    return WINNOW_OK;
}

/* ---- the question ---- */

struct cluster {
    uint32_t item;
    size_t left, right;  /* hits, both within */
    uint32_t first, end; /* words of the text */
    double overlap;
};

static bool belongs(const struct leak_judge *judge, const struct leak_scratch *s, size_t hit,
                    uint32_t item)
{
    return leak_index_posting(&judge->index, &judge->index.slots[s->hits[hit].slot], item) != NULL;
}

static void add_slot(struct leak_scratch *s, size_t hit)
{
    GROW(s->grams, s->gram_count, s->gram_cap, 256);
    s->grams[s->gram_count++] = s->hits[hit].slot;
}

/* From a hit to both sides; the slots that belong to the item go to s->grams. */
static void expand(const struct leak_judge *judge, struct leak_scratch *s, size_t seed,
                   struct cluster *c)
{
    uint32_t misses = judge->opt.misses, last = s->hits[seed].at;
    s->gram_count = 0;
    add_slot(s, seed);
    c->left = c->right = seed;
    for (size_t i = seed; i-- > 0 && last - s->hits[i].at <= misses;) {
        if (belongs(judge, s, i, c->item)) {
            add_slot(s, i);
            c->left = i;
            last = s->hits[i].at;
        }
    }
    last = s->hits[seed].at;
    for (size_t i = seed + 1; i < s->hit_count && s->hits[i].at - last <= misses; i++) {
        if (belongs(judge, s, i, c->item)) {
            add_slot(s, i);
            c->right = i;
            last = s->hits[i].at;
        }
    }
    c->first = s->hits[c->left].at;
    c->end = s->hits[c->right].at + judge->opt.n;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sums in the order of slots, as idf_sums does, so that all of a question is exactly 1. */
static double question_overlap(const struct leak_judge *judge, struct leak_scratch *s,
                               uint32_t item)
{
    double sum = 0;
    sort(s->grams, s->gram_count, sizeof *s->grams, by_value);
    for (size_t i = 0; i < s->gram_count; i++) {
        if (i == 0 || s->grams[i] != s->grams[i - 1]) {
            sum += leak_index_idf(judge->set, &judge->index.slots[s->grams[i]]);
        }
    }
    return sum / judge->idf_sums[item];
}

/* ---- answer and passage ---- */

static uint64_t gram_at(const uint64_t *words, uint32_t n)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < n; i++) {
        value = value * LEAK_BASE + words[i];
    }
    return value;
}

static struct leak_span window_of(const struct leak_scratch *s, const struct cluster *c,
                                  uint32_t words)
{
    uint64_t end = (uint64_t)c->end + words;
    return (struct leak_span){c->first > words ? c->first - words : 0,
                              (uint32_t)(end < s->words.count ? end : s->words.count)};
}

/* Whether the words stand in the window as they are. */
static bool stands_in(const struct leak_scratch *s, struct leak_span w, const uint64_t *words,
                      uint32_t count)
{
    for (uint32_t i = w.first; (uint64_t)i + count <= w.end; i++) {
        uint32_t k = 0;
        while (k < count && s->words.items[i + k].hash == words[k]) {
            k++;
        }
        if (k == count) {
            return true;
        }
    }
    return false;
}

/* Share of the grams of words that stand somewhere in the window. */
static double share_in(struct leak_scratch *s, struct leak_span w, const uint64_t *words,
                       uint32_t count, uint32_t n)
{
    uint32_t found = 0, grams = count + 1 - n;
    s->gram_count = 0;
    for (uint32_t i = w.first; (uint64_t)i + n <= w.end; i++) {
        uint64_t value = 0;
        for (uint32_t k = 0; k < n; k++) {
            value = value * LEAK_BASE + s->words.items[i + k].hash;
        }
        GROW(s->grams, s->gram_count, s->gram_cap, 256);
        s->grams[s->gram_count++] = value;
    }
    sort(s->grams, s->gram_count, sizeof *s->grams, by_value);
    for (uint32_t i = 0; i < grams && s->gram_count > 0; i++) {
        uint64_t value = gram_at(words + i, n);
        found += bsearch(&value, s->grams, s->gram_count, sizeof *s->grams, by_value) != NULL;
    }
    return (double)found / (double)grams;
}

static double answer_overlap(const struct leak_judge *judge, struct leak_scratch *s,
                             const struct cluster *c)
{
    const struct leak_item *item = &judge->set->items[c->item];
    const uint64_t *words = judge->set->words + item->first + item->passage + item->question;
    if (item->answer <= ANSWER_SHORT) {
        return stands_in(s, window_of(s, c, ANSWER_SHORT_WINDOW), words, item->answer) ? 1 : 0;
    }
    uint32_t window = 2 * item->answer > ANSWER_WINDOW ? 2 * item->answer : ANSWER_WINDOW;
    return share_in(s, window_of(s, c, window), words, item->answer, ANSWER_GRAM);
}

static double passage_overlap(const struct leak_judge *judge, struct leak_scratch *s,
                              const struct cluster *c)
{
    const struct leak_item *item = &judge->set->items[c->item];
    const uint64_t *words = judge->set->words + item->first;
    struct leak_span w = window_of(s, c, PASSAGE_WINDOW + item->passage);
    if (item->passage < PASSAGE_GRAM) {
        return stands_in(s, w, words, item->passage) ? 1 : 0;
    }
    return share_in(s, w, words, item->passage, PASSAGE_GRAM);
}

/* ---- all together ---- */

struct weights {
    double question, answer, passage;
};

static struct weights weights_of(const struct leak_question *item, uint32_t question_grams)
{
    bool answer = item->answer > 0, passage = item->passage > 0;
    struct weights w = {1, 0, 0};
    if (answer && passage) {
        w = (struct weights){0.7, 0.2, 0.1};
    } else if (answer) {
        w = (struct weights){0.75, 0.25, 0};
    } else if (passage) {
        w = (struct weights){0.85, 0, 0.15};
    }
    if (question_grams < 20 && (answer || passage)) { /* little to go by: the others say more */
        double less = w.question * (0.5 - 0.5 * question_grams / 20.0);
        w.question -= less;
        w.answer += answer ? (passage ? less / 2 : less) : 0;
        w.passage += passage ? (answer ? less / 2 : less) : 0;
    }
    if (answer && item->answer < 4) {
        double less = w.answer * (0.5 - 0.5 * item->answer / 4.0);
        w.answer -= less;
        w.question += less;
    }
    return w;
}

/* What an item of so many words must reach. */
static double threshold_of(const struct winnow_decontaminate_options *opt, uint32_t words)
{
    if (words <= opt->perfect_words) {
        return 1;
    }
    if (words >= opt->relaxed_words) {
        return opt->share;
    }
    return 1 - (1 - opt->share) * (double)(words - opt->perfect_words) /
                   (double)(opt->relaxed_words - opt->perfect_words);
}

/* The score, or anything below the threshold where it cannot reach that. */
static double score_of(const struct leak_judge *judge, struct leak_scratch *s,
                       const struct cluster *c, double threshold)
{
    const struct leak_question q = leak_item_question(&judge->set->items[c->item], judge->opt.n);
    struct weights w = weights_of(&q, judge->gram_counts[c->item]);
    double score = w.question * c->overlap;
    if (score + w.answer + w.passage < threshold - LEAK_EPSILON) {
        return 0;
    }
    score += q.answer > 0 ? w.answer * answer_overlap(judge, s, c) : 0;
    score += q.passage > 0 ? w.passage * passage_overlap(judge, s, c) : 0;
    return score > 1 ? 1 : score;
}

/* The best cluster of an item is its find. */
static void take(struct leak_scratch *s, const struct cluster *c, double score, double threshold)
{
    leak_add_span(s, c->first, c->end);
    for (size_t i = 0; i < s->find_count; i++) {
        struct leak_find *f = &s->finds[i];
        if (f->item == c->item) {
            if (score > f->share) {
                f->share = score;
                f->first = c->first;
                f->end = c->end;
            }
            return;
        }
    }
    const struct leak_find f = {c->item, c->first, c->end, score, threshold};
    leak_add_find(s, &f);
}

static void judge_seed(const struct leak_judge *judge, struct leak_scratch *s, size_t seed,
                       uint32_t item)
{
    struct cluster c = {.item = item};
    if (s->item_marks[item] == s->generation && seed <= s->item_until[item]) {
        return; /* in a cluster that was judged */
    }
    expand(judge, s, seed, &c);
    s->item_marks[item] = s->generation;
    s->item_until[item] = (uint32_t)c.right;
    c.overlap = question_overlap(judge, s, item);
    double threshold = threshold_of(&judge->opt, leak_item_words(&judge->set->items[item]));
    double score = score_of(judge, s, &c, threshold);
    if (score >= threshold - LEAK_EPSILON) {
        take(s, &c, score, threshold);
    }
}

void leak_find_clusters(const struct leak_judge *judge, struct leak_scratch *s)
{
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct leak_slot *slot = &judge->index.slots[s->hits[i].slot];
        bool hot = slot->count > HOT;
        if (hot && !judge->some_all_hot) {
            continue;
        }
        for (uint32_t k = 0; k < slot->count; k++) {
            uint32_t item = judge->index.postings[slot->first + k].item;
            if (!hot || judge->cold_grams[item] == 0) {
                judge_seed(judge, s, i, item);
            }
        }
    }
}
