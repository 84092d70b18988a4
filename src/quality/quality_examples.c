/* quality_examples.c -- texts to numbers of words, and these to rows. */
#include "quality/quality_examples.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

void quality_examples_release(struct quality_examples *e)
{
    mem_free(e->items);
    mem_free(e->words);
    mem_free(e->known);
    mem_free(e->entries);
    map_release(&e->texts);
    map_release(&e->sources);
    *e = (struct quality_examples){0};
}

static uint32_t number_of(struct quality_examples *e, struct str word, uint32_t hash)
{
    bool is_new;
    uint64_t *value = map_put(&e->texts, word, &is_new);
    if (is_new) {
        size_t number = e->texts.count - 1;
        *value = number;
        GROW(e->known, number, e->known_cap, 1024);
        e->known[number] = (struct quality_word){.hash = hash, .row = FASTTEXT_NO_ROW};
    }
    return (uint32_t)*value;
}

static void add_word(struct quality_examples *e, struct str word, uint32_t hash, bool counts)
{
    uint32_t number = number_of(e, word, hash);
    e->known[number].count += counts ? 1 : 0;
    GROW(e->words, e->word_count, e->word_cap, 65536);
    e->words[e->word_count++] = number;
}

void quality_examples_add(struct quality_examples *e, struct str text, struct str source, bool good,
                          bool held)
{
    bool is_new;
    uint64_t *number = map_put(&e->sources, source, &is_new);
    if (is_new) {
        *number = e->sources.count - 1;
    }
    struct quality_example item = {.from = e->word_count,
                                   .source = (uint32_t)*number,
                                   .good = good,
                                   .held = held,
                                   .print = hash64(text, 0)};
    struct str end = STR_LIT(FASTTEXT_END_OF_LINE), word;
    uint32_t hash;
    e->bytes += text.len;
    while (fasttext_next_word(&text, &word, &hash) && !str_eq(word, end)) {
        if (!str_starts(word, STR_LIT(FASTTEXT_LABEL))) {
            add_word(e, word, hash, !held);
        }
    }
    add_word(e, end, fasttext_hash(end), !held);
    item.count = (uint32_t)(e->word_count - item.from);
    e->tokens += item.count;
    GROW(e->items, e->count, e->cap, 1024);
    e->items[e->count++] = item;
}

struct ranked {
    struct str text;
    uint64_t count;
    uint32_t number;
};

static int by_count(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : str_cmp(x->text, y->text);
}

void quality_examples_index(struct quality_examples *e, uint64_t count_min, struct str good,
                            struct str bad)
{
    struct ranked *all = mem_alloc((e->texts.count + 1) * sizeof *all);
    size_t n = 0, goods = 0, bads = 0;
    for (size_t i = 0; i < e->texts.count; i++) {
        if (e->known[i].count >= count_min && e->known[i].count > 0) {
            all[n++] = (struct ranked){e->texts.entries[i].key, e->known[i].count, (uint32_t)i};
        }
    }
    for (size_t i = 0; i < e->count; i++) {
        goods += !e->items[i].held && e->items[i].good;
        bads += !e->items[i].held && !e->items[i].good;
    }
    sort(all, n, sizeof *all, by_count);
    e->entries = mem_alloc((n + 2) * sizeof *e->entries);
    for (size_t i = 0; i < n; i++) {
        e->entries[i] = (struct fasttext_entry){all[i].text, (int64_t)all[i].count};
        e->known[all[i].number].row = (uint32_t)i;
    }
    e->entries[n] = (struct fasttext_entry){good, (int64_t)goods};
    e->entries[n + 1] = (struct fasttext_entry){bad, (int64_t)bads};
    e->row_count = (uint32_t)n;
    mem_free(all);
}

/* A word's own row and those of its pieces. */
static void add_rows(const struct quality_examples *e, uint32_t number,
                     const struct fasttext_args *args, struct fasttext_ids *out)
{
    if (e->known[number].row != FASTTEXT_NO_ROW) {
        fasttext_ids_add(out, e->known[number].row);
    }
    struct str text = e->texts.entries[number].key;
    if (args->maxn > 0 && !str_is(text, FASTTEXT_END_OF_LINE)) {
        size_t from = out->count;
        fasttext_pieces(text, args->minn, args->maxn, (uint32_t)args->bucket, out);
        for (size_t i = from; i < out->count; i++) {
            out->items[i] += e->row_count;
        }
    }
}

void quality_examples_rows(const struct quality_examples *e, const struct quality_example *item,
                           const struct fasttext_args *args, struct fasttext_ids *hashes,
                           struct fasttext_ids *out)
{
    const uint32_t *words = e->words + item->from;
    out->count = hashes->count = 0;
    for (uint32_t i = 0; i < item->count; i++) {
        fasttext_ids_add(hashes, e->known[words[i]].hash);
        add_rows(e, words[i], args, out);
    }
    size_t from = out->count;
    fasttext_ngrams(hashes, args, out);
    for (size_t i = from; i < out->count; i++) {
        out->items[i] += e->row_count;
    }
}

static int by_print(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

uint64_t quality_examples_both(const struct quality_examples *e)
{
    uint64_t *prints = mem_alloc((e->count + 1) * sizeof *prints), both = 0;
    for (size_t i = 0; i < e->count; i++) { /* the kind in the last bit */
        prints[i] = (e->items[i].print & ~(uint64_t)1) | e->items[i].good;
    }
    sort(prints, e->count, sizeof *prints, by_print);
    for (size_t i = 1; i < e->count; i++) {
        both += prints[i] == prints[i - 1] + 1 && (prints[i] & 1);
    }
    mem_free(prints);
    return both;
}

uint64_t quality_examples_bytes(const struct quality_examples *e)
{
    return e->cap * sizeof *e->items + e->count * sizeof(uint64_t) +
           e->word_cap * sizeof *e->words + e->known_cap * sizeof *e->known +
           e->texts.cap * sizeof *e->texts.entries + e->texts.slot_count * sizeof *e->texts.slots +
           e->texts.count * 16 + e->texts.count * (sizeof(struct ranked) + sizeof *e->entries);
}

uint64_t quality_examples_hash(const struct quality_examples *e)
{
    uint64_t h = hash64((struct str){(const char *)e->words, e->word_count * sizeof *e->words}, 0);
    for (size_t i = 0; i < e->texts.count; i++) {
        h = hash64(e->texts.entries[i].key, h);
    }
    for (size_t i = 0; i < e->count; i++) {
        const struct quality_example *item = &e->items[i];
        const uint64_t row[] = {item->from, item->count, item->good, item->held};
        h = hash64((struct str){(const char *)row, sizeof row}, h);
    }
    return h;
}
