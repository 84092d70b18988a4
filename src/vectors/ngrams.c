/* ngrams.c -- features of a text in a table of its own, then weights, then signed places. */
#include "vectors/ngrams.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "base/utf8.h"
#include "leak/leak_words.h"

#include <math.h>
#include <string.h>

#define KIND       "winnowNG"
#define SLOTS      1024U /* at first; a power of two */
#define RUN_WEIGHT 0.5F  /* runs of words and characters repeat what their words say */
#define SINGLE     5.0F  /* what few documents have tells of few that they belong together */
#define RUN_SALT   UINT64_C(0xA0761D6478BD642F)
#define CHAR_SALT  UINT64_C(0xE7037ED1A0B428DB)

struct feature {
    uint64_t hash;
    uint32_t times;
    float weight;
};

struct ngrams_scratch {
    struct leak_words words;
    struct feature *items; /* in the order in which the text has them */
    size_t count, cap;
    uint32_t *slots; /* number of the feature + 1, or 0 */
    size_t slot_count;
};

/* ---- counts ---- */

void ngrams_counts_init(struct ngrams_counts *c)
{
    *c = (struct ngrams_counts){.having = mem_zalloc(NGRAMS_BUCKETS * sizeof *c->having)};
}

void ngrams_counts_release(struct ngrams_counts *c)
{
    mem_free(c->having);
    *c = (struct ngrams_counts){0};
}

uint64_t ngrams_counts_hash(const struct ngrams_counts *c)
{
    return hash64((struct str){(const char *)c->having, NGRAMS_BUCKETS * sizeof *c->having},
                  c->documents);
}

struct file_head {
    uint64_t documents;
    uint32_t words, characters, buckets, form;
};

winnow_status ngrams_counts_write(const struct ngrams_counts *c, const struct ngrams_shape *shape,
                                  const char *path, struct winnow_error *err)
{
    const struct file_head head = {c->documents, shape->words, shape->characters, NGRAMS_BUCKETS,
                                   NGRAMS_FORM};
    const struct str parts[] = {state_part(&head, sizeof head),
                                state_part(c->having, NGRAMS_BUCKETS * sizeof *c->having)};
    return state_file_write(path, KIND, parts, 2, err);
}

winnow_status ngrams_counts_read(struct ngrams_counts *c, struct ngrams_shape *shape,
                                 const char *path, struct winnow_error *err)
{
    struct state_file f;
    struct file_head head;
    ngrams_counts_init(c);
    TRY(state_file_open(path, KIND, &f, err));
    bool good = state_file_take(&f, &head, sizeof head) && head.buckets == NGRAMS_BUCKETS &&
                head.form == NGRAMS_FORM && head.words > 0 && head.words <= NGRAMS_WORDS_MAX &&
                state_file_take(&f, c->having, NGRAMS_BUCKETS * sizeof *c->having) &&
                f.left.len == 0;
    state_file_close(&f);
    if (!good) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s does not say how often words are: make the vectors beside it anew "
                         "with winnow features",
                         path);
    }
    c->documents = head.documents;
    shape->words = head.words;
    shape->characters = head.characters;
    return WINNOW_OK;
}

/* ---- features ---- */

struct ngrams_scratch *ngrams_scratch_new(void)
{
    struct ngrams_scratch *s = mem_zalloc(sizeof *s);
    s->slot_count = SLOTS;
    s->slots = mem_zalloc(SLOTS * sizeof *s->slots);
    return s;
}

void ngrams_scratch_free(struct ngrams_scratch *s)
{
    if (s) {
        leak_words_release(&s->words);
        mem_free(s->items);
        mem_free(s->slots);
        mem_free(s);
    }
}

static void place(struct ngrams_scratch *s, uint64_t hash, uint32_t number)
{
    size_t at = hash & (s->slot_count - 1);
    while (s->slots[at] > 0) {
        at = (at + 1) & (s->slot_count - 1);
    }
    s->slots[at] = number + 1;
}

static void widen(struct ngrams_scratch *s)
{
    mem_free(s->slots);
    s->slot_count *= 2;
    s->slots = mem_zalloc(s->slot_count * sizeof *s->slots);
    for (size_t i = 0; i < s->count; i++) {
        place(s, s->items[i].hash, (uint32_t)i);
    }
}

static void add(struct ngrams_scratch *s, uint64_t hash, float weight)
{
    size_t at = hash & (s->slot_count - 1);
    while (s->slots[at] > 0) {
        struct feature *f = &s->items[s->slots[at] - 1];
        if (f->hash == hash) {
            f->times++;
            return;
        }
        at = (at + 1) & (s->slot_count - 1);
    }
    if (s->count == s->cap) {
        size_t cap = s->cap > 0 ? 2 * s->cap : SLOTS;
        s->items = mem_realloc(s->items, s->cap * sizeof *s->items, cap * sizeof *s->items);
        s->cap = cap;
    }
    s->items[s->count++] = (struct feature){hash, 1, weight};
    s->slots[at] = (uint32_t)s->count;
    if (2 * s->count > s->slot_count) {
        widen(s);
    }
}

static void add_runs(struct ngrams_scratch *s, size_t at, uint32_t most)
{
    uint64_t hash = s->words.items[at].hash;
    for (uint32_t n = 2; n <= most && at + n <= s->words.count; n++) {
        hash = rng_mix(hash * RUN_SALT + s->words.items[at + n - 1].hash);
        add(s, hash, RUN_WEIGHT);
    }
}

/* Bytes in a row, ASCII letters without case. */
static void add_characters(struct ngrams_scratch *s, struct str word, uint32_t n)
{
    for (size_t i = 0; i + n <= word.len; i++) {
        uint64_t hash = CHAR_SALT;
        for (size_t k = i; k < i + n; k++) {
            unsigned char c = (unsigned char)word.ptr[k];
            c = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
            hash = (hash ^ c) * RUN_SALT;
        }
        add(s, rng_mix(hash), RUN_WEIGHT);
    }
}

winnow_status ngrams_read(const struct ngrams_shape *shape, struct str text,
                          struct ngrams_scratch *s, uint32_t *words, bool *cut,
                          struct winnow_error *err)
{
    struct str seen = utf8_cut(text, NGRAMS_TEXT_MAX);
    *cut = seen.len < text.len;
    s->count = 0;
    if (s->slot_count > SLOTS * 64) { /* a long text's */
        mem_free(s->slots);
        s->slot_count = SLOTS;
        s->slots = mem_alloc(SLOTS * sizeof *s->slots);
    }
    memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    TRY(leak_words_split(&s->words, seen, err));
    *words = (uint32_t)s->words.count;
    for (size_t i = 0; i < s->words.count; i++) {
        const struct leak_word *w = &s->words.items[i];
        add(s, w->hash, 1);
        add_runs(s, i, shape->words);
        if (shape->characters > 0) {
            add_characters(s, str_sub(seen, w->start, w->end), shape->characters);
        }
    }
    return WINNOW_OK;
}

static size_t bucket(uint64_t hash)
{
    return (size_t)(hash >> 43); /* 21 bits */
}

void ngrams_buckets(const struct ngrams_scratch *s, struct u32_list *out)
{
    uint32_t *to = u32_list_reserve(out, s->count + 1);
    for (size_t i = 0; i < s->count; i++) {
        to[i] = (uint32_t)bucket(s->items[i].hash);
    }
    out->len += s->count;
}

void ngrams_count(struct ngrams_counts *c, const uint32_t *buckets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        c->having[buckets[i]]++;
    }
    c->documents++;
}

/* ---- vectors ---- */

void ngrams_vector(const struct ngrams_shape *shape, const struct ngrams_counts *c,
                   const struct ngrams_scratch *s, float *out)
{
    memset(out, 0, shape->dim * sizeof *out);
    float documents = logf((float)c->documents + 1);
    for (size_t i = 0; i < s->count; i++) {
        const struct feature *f = &s->items[i];
        /* of another corpus's counts a word may be in more documents than there are */
        float having = (float)c->having[bucket(f->hash)];
        float rare = documents - logf(having + 0.5F);
        float x = f->weight * (rare > 0 ? rare : 0) * (having + 1) / (having + SINGLE);
        x *= f->times > 1 ? 1 + logf((float)f->times) : 1;
        uint64_t bits = rng_mix(f->hash ^ RUN_SALT);
        for (uint32_t k = 0; k < NGRAMS_PLACES; k++, bits >>= 16) {
            uint32_t at = (uint32_t)(bits >> 1 & 0x7FFFU) * shape->dim >> 15;
            out[at] += bits & 1U ? x : -x;
        }
    }
}
