/* group_names.c -- two passes: hashes of words, sorted outside memory where they are many; then
 * the words of those hashes that won. */
#include "groups/group_names.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/record_sort.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "leak/leak_words.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define TEXT_BYTES  3000U /* of a document */
#define WORD_LEAST  3U    /* bytes of a word of ASCII; "a" and "of" say nothing */
#define WORD_MOST   40U
#define HAVING_MIN  2U /* documents of the cluster that have it */
#define PRIOR       0.5
#define SCORE_LEAST 1.0 /* standard errors */

struct candidate {
    double score;
    uint64_t hash;
};

struct winner { /* a hash that some cluster is named by, and the word where it is met first */
    uint64_t hash, ordinal;
    const char *word;
};

struct naming {
    struct stage *stage;
    const struct group_drawn *drawn;
    pthread_mutex_t lock;
    struct record_sort *sort;
    uint64_t *documents; /* of each cluster, that were drawn */
    uint64_t all;
    struct candidate *best; /* [k][GROUP_NAMES], the best first */
    struct winner *winners; /* by hash */
    size_t winner_count;
    struct arena *keep;
};

struct scratch {
    struct leak_words words;
    uint64_t *hashes;
    size_t cap;
};

static void *scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct scratch));
}

static void scratch_free(void *scratch)
{
    struct scratch *s = scratch;
    leak_words_release(&s->words);
    mem_free(s->hashes);
    mem_free(s);
}

static bool is_name(struct str text, const struct leak_word *w)
{
    size_t len = w->end - w->start;
    bool digits = true;
    for (size_t i = w->start; i < w->end; i++) {
        digits = digits && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    return !digits && len <= WORD_MOST &&
           (len >= WORD_LEAST || (unsigned char)text.ptr[w->start] >= 0x80U);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ---- first pass ---- */

/* The document's words, each once; records of {word, cluster}. */
static size_t take_words(struct scratch *s, struct str text, size_t cluster)
{
    if (s->cap < s->words.count) {
        mem_free(s->hashes);
        s->cap = s->words.count;
        s->hashes = mem_alloc(2 * s->cap * sizeof *s->hashes);
    }
    size_t n = 0, unlike = 0;
    for (size_t i = 0; i < s->words.count; i++) {
        if (is_name(text, &s->words.items[i])) {
            s->hashes[n++] = s->words.items[i].hash;
        }
    }
    sort(s->hashes, n, sizeof *s->hashes, by_hash);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || s->hashes[i] != s->hashes[i - 1]) {
            s->hashes[unlike++] = s->hashes[i];
        }
    }
    for (size_t i = unlike; i > 0; i--) { /* from the back, as they spread */
        s->hashes[2 * i - 2] = s->hashes[i - 1];
        s->hashes[2 * i - 1] = cluster;
    }
    return unlike;
}

static winnow_status count_words(void *state, void *worker, const struct document *d,
                                 struct stage_result *r, struct winnow_error *err)
{
    (void)r;
    struct naming *n = state;
    struct scratch *s = worker;
    size_t cluster = n->drawn->cluster_of(n->drawn->ctx, d->ordinal);
    if (cluster == SIZE_MAX) {
        return WINNOW_OK;
    }
    struct str text = utf8_cut(d->text, TEXT_BYTES);
    TRY(leak_words_split(&s->words, text, err));
    size_t count = take_words(s, text, cluster);
    (void)pthread_mutex_lock(&n->lock);
    n->documents[cluster]++;
    n->all++;
    winnow_status st = record_sort_add(n->sort, s->hashes, count, err);
    (void)pthread_mutex_unlock(&n->lock);
    return st;
}

/* ---- ranking ---- */

/* Log-odds against the other clusters, in standard errors. */
static double score_of(double in, double of, double elsewhere, double of_others)
{
    double a = in + PRIOR, b = of - in + PRIOR;
    double c = elsewhere + PRIOR, d = of_others - elsewhere + PRIOR;
    return (log(a / b) - log(c / d)) / sqrt(1 / a + 1 / b + 1 / c + 1 / d);
}

static void put(struct candidate *best, struct candidate c)
{
    for (size_t i = 0; i < GROUP_NAMES; i++) {
        if (c.score > best[i].score || (c.score == best[i].score && c.hash < best[i].hash)) {
            struct candidate other = best[i];
            best[i] = c;
            c = other;
        }
    }
}

struct run_of_word {
    uint64_t hash;
    size_t count, cap;
    uint64_t (*of)[2]; /* cluster, documents */
};

static void rank_word(struct naming *n, const struct run_of_word *w)
{
    double all = 0;
    for (size_t i = 0; i < w->count; i++) {
        all += (double)w->of[i][1];
    }
    for (size_t i = 0; i < w->count; i++) {
        uint64_t cluster = w->of[i][0], in = w->of[i][1];
        double of = (double)n->documents[cluster];
        double score = score_of((double)in, of, all - (double)in, (double)n->all - of);
        if (in >= HAVING_MIN && score >= SCORE_LEAST) {
            put(n->best + cluster * GROUP_NAMES, (struct candidate){score, w->hash});
        }
    }
}

static void take_record(struct run_of_word *w, uint64_t cluster)
{
    if (w->count > 0 && w->of[w->count - 1][0] == cluster) {
        w->of[w->count - 1][1]++;
        return;
    }
    if (w->count == w->cap) {
        size_t cap = w->cap > 0 ? 2 * w->cap : 64;
        w->of = mem_realloc(w->of, w->cap * sizeof *w->of, cap * sizeof *w->of);
        w->cap = cap;
    }
    w->of[w->count][0] = cluster;
    w->of[w->count++][1] = 1;
}

static winnow_status rank_words(struct naming *n, struct winnow_error *err)
{
    struct run_of_word w = {.hash = 0};
    const uint64_t *record = NULL;
    winnow_status st = record_sort_finish(n->sort, err);
    while (st == WINNOW_OK) {
        st = record_sort_next(n->sort, &record, err);
        if (st != WINNOW_OK || !record || record[0] != w.hash) {
            rank_word(n, &w);
            w.count = 0;
        }
        if (st != WINNOW_OK || !record) {
            break;
        }
        w.hash = record[0];
        take_record(&w, record[1]);
    }
    mem_free(w.of);
    return st;
}

/* ---- second pass ---- */

static int winner_by_hash(const void *a, const void *b)
{
    const struct winner *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void list_winners(struct naming *n)
{
    size_t all = n->drawn->k * GROUP_NAMES, count = 0;
    n->winners = mem_alloc((all + 1) * sizeof *n->winners);
    for (size_t i = 0; i < all; i++) {
        if (n->best[i].score > 0) {
            n->winners[count++] = (struct winner){n->best[i].hash, UINT64_MAX, ""};
        }
    }
    sort(n->winners, count, sizeof *n->winners, winner_by_hash);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || n->winners[i].hash != n->winners[i - 1].hash) {
            n->winners[n->winner_count++] = n->winners[i];
        }
    }
}

static struct winner *find_winner(const struct naming *n, uint64_t hash)
{
    const struct winner wanted = {.hash = hash};
    return n->winner_count == 0
               ? NULL
               : bsearch(&wanted, n->winners, n->winner_count, sizeof *n->winners, winner_by_hash);
}

/* Letters of ASCII without case: "The" names nothing that "the" does not. */
static const char *spell(struct arena *keep, struct str word)
{
    char *copy = ARENA_NEW(keep, char, word.len + 1);
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    copy[word.len] = '\0';
    return copy;
}

static winnow_status find_words(void *state, void *worker, const struct document *d,
                                struct stage_result *r, struct winnow_error *err)
{
    (void)r;
    struct naming *n = state;
    struct scratch *s = worker;
    if (n->drawn->cluster_of(n->drawn->ctx, d->ordinal) == SIZE_MAX) {
        return WINNOW_OK;
    }
    struct str text = utf8_cut(d->text, TEXT_BYTES);
    TRY(leak_words_split(&s->words, text, err));
    (void)pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < s->words.count; i++) {
        const struct leak_word *w = &s->words.items[i];
        struct winner *won = find_winner(n, w->hash);
        if (won && d->ordinal < won->ordinal && is_name(text, w)) {
            won->ordinal = d->ordinal;
            won->word = spell(n->keep, str_sub(text, w->start, w->end));
        }
    }
    (void)pthread_mutex_unlock(&n->lock);
    return WINNOW_OK;
}

/* ---- both ---- */

static winnow_status run_pass(struct naming *n, const char *name,
                              winnow_status (*document)(void *, void *, const struct document *,
                                                        struct stage_result *,
                                                        struct winnow_error *),
                              struct winnow_error *err)
{
    const struct stage_pass pass = {.name = name,
                                    .state = n,
                                    .worker_new = scratch_new,
                                    .worker_free = scratch_free,
                                    .document = document};
    return stage_run_pass(n->stage, &pass, err);
}

static winnow_status find_names(struct naming *n, const char **names, struct winnow_error *err)
{
    struct buf folder = {0};
    (void)stage_path(n->stage, "", &folder);
    winnow_status st = record_sort_new(&n->sort, 2, GROUP_NAMES_MEMORY / 2, buf_cstr(&folder), err);
    buf_release(&folder);
    TRY(st);
    TRY(run_pass(n, "words", count_words, err));
    TRY(rank_words(n, err));
    list_winners(n);
    TRY(run_pass(n, "names", find_words, err));
    for (size_t i = 0; i < n->drawn->k * GROUP_NAMES; i++) {
        const struct winner *won = n->best[i].score > 0 ? find_winner(n, n->best[i].hash) : NULL;
        names[i] = won ? won->word : "";
    }
    return WINNOW_OK;
}

winnow_status group_names_find(struct stage *s, const struct group_drawn *drawn, const char **names,
                               struct arena *keep, struct winnow_error *err)
{
    struct naming n = {.stage = s, .drawn = drawn, .keep = keep};
    (void)pthread_mutex_init(&n.lock, NULL);
    n.documents = mem_zalloc((drawn->k + 1) * sizeof *n.documents);
    n.best = mem_zalloc((drawn->k + 1) * GROUP_NAMES * sizeof *n.best);
    winnow_status st = find_names(&n, names, err);
    record_sort_free(n.sort);
    mem_free(n.documents);
    mem_free(n.best);
    mem_free(n.winners);
    (void)pthread_mutex_destroy(&n.lock);
    return st;
}
