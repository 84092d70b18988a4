/* fasttext.c -- a text's rows, their mean, and what the labels make of it. */
#include "quality/fasttext.h"

#include "base/mem.h"
#include "quality/fasttext_internal.h"

#include <math.h>

#define AHEAD 8U /* rows that are asked for before they are added */

/* fastText's steps of a sigmoid, and what it adds before a logarithm. */
#define SIGMOID_STEPS 512
#define SIGMOID_MAX   8
#define LOG_ADDS      1e-5

struct fasttext_slot *fasttext_slot(const struct fasttext *m, struct str word, uint32_t hash)
{
    size_t mask = m->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct fasttext_slot *slot = &m->slots[i];
        if (slot->index == 0 ||
            (slot->hash == hash && str_eq(m->entries[slot->index - 1].text, word))) {
            return slot;
        }
    }
}

struct str fasttext_label(const struct fasttext *m, uint32_t label)
{
    return m->entries[m->word_count + label].text;
}

winnow_status fasttext_find_label(const struct fasttext *m, const char *name, uint32_t *label,
                                  struct winnow_error *err)
{
    struct str prefix = STR_LIT(FASTTEXT_LABEL);
    for (uint32_t i = 0; i < m->label_count; i++) {
        struct str text = fasttext_label(m, i);
        if (str_is(text, name) ||
            (str_starts(text, prefix) && str_is(str_sub(text, prefix.len, text.len), name))) {
            *label = i;
            return WINNOW_OK;
        }
    }
    struct buf names = {0};
    for (uint32_t i = 0; i < m->label_count && names.len < 200; i++) {
        buf_add_text(&names, i > 0 ? ", " : "");
        buf_add_str(&names, fasttext_label(m, i));
    }
    winnow_status st =
        error_set(err, WINNOW_E_USAGE, "the model has no label '%s'; --label is one of its %u: %s",
                  name, m->label_count, buf_cstr(&names));
    buf_release(&names);
    return st;
}

struct fasttext_scratch *fasttext_scratch_new(const struct fasttext *m)
{
    struct fasttext_scratch *s = mem_zalloc(sizeof *s);
    s->hidden = mem_alloc((size_t)m->args.dim * sizeof *s->hidden);
    s->scores = mem_alloc(2 * (size_t)m->label_count * sizeof *s->scores);
    return s;
}

void fasttext_scratch_free(struct fasttext_scratch *s)
{
    if (s) {
        fasttext_ids_release(&s->ids);
        fasttext_ids_release(&s->hashes);
        mem_free(s->hidden);
        mem_free(s->scores);
        mem_free(s);
    }
}

/* The row of a bucket; false where the model has not kept it. */
static bool row_of_bucket(const struct fasttext *m, uint32_t bucket, uint32_t *row)
{
    if (!m->keeps_some) {
        *row = m->word_count + bucket;
        return true;
    }
    size_t low = 0, high = m->kept_count;
    while (low < high) {
        size_t at = low + (high - low) / 2;
        if (m->kept[at].bucket < (int64_t)bucket) {
            low = at + 1;
        } else {
            high = at;
        }
    }
    if (low == m->kept_count || m->kept[low].bucket != (int64_t)bucket) {
        return false;
    }
    *row = m->word_count + (uint32_t)m->kept[low].row;
    return true;
}

/* Buckets behind `from` become rows, those without one go. */
static void buckets_to_rows(const struct fasttext *m, struct fasttext_ids *ids, size_t from)
{
    size_t count = from;
    for (size_t i = from; i < ids->count; i++) {
        uint32_t row;
        if (row_of_bucket(m, ids->items[i], &row)) {
            ids->items[count++] = row;
        }
    }
    ids->count = count;
}

/* A word's rows and hash; false where it is a label, which says nothing of the text. */
static bool add_word(const struct fasttext *m, struct str word, uint32_t hash,
                     struct fasttext_scratch *s)
{
    uint32_t index = fasttext_slot(m, word, hash)->index;
    if (index > m->word_count || (index == 0 && str_starts(word, STR_LIT(FASTTEXT_LABEL)))) {
        return false;
    }
    if (index > 0) {
        fasttext_ids_add(&s->ids, index - 1);
    }
    if (m->args.maxn > 0 && !str_is(word, FASTTEXT_END_OF_LINE)) {
        size_t from = s->ids.count;
        fasttext_pieces(word, m->args.minn, m->args.maxn, (uint32_t)m->args.bucket, &s->ids);
        buckets_to_rows(m, &s->ids, from);
    }
    fasttext_ids_add(&s->hashes, hash);
    return true;
}

void fasttext_ngrams(const struct fasttext_ids *hashes, const struct fasttext_args *args,
                     struct fasttext_ids *out)
{
    size_t n = args->word_ngrams > 0 ? (size_t)args->word_ngrams : 0;
    for (size_t i = 0; n > 1 && i < hashes->count; i++) {
        uint64_t h = fasttext_gram(hashes->items[i]);
        for (size_t j = i + 1; j < hashes->count && j < i + n; j++) {
            h = fasttext_gram_add(h, hashes->items[j]);
            fasttext_ids_add(out, (uint32_t)(h % (uint64_t)args->bucket));
        }
    }
}

void fasttext_rows(const struct fasttext *m, struct str text, struct fasttext_scratch *s)
{
    struct str word;
    uint32_t hash;
    s->ids.count = s->hashes.count = 0;
    while (fasttext_next_word(&text, &word, &hash)) {
        if (str_is(word, FASTTEXT_END_OF_LINE)) {
            break; /* fastText, too, takes it for the end, wherever it stands */
        }
        (void)add_word(m, word, hash, s);
    }
    word = STR_LIT(FASTTEXT_END_OF_LINE);
    (void)add_word(m, word, fasttext_hash(word), s);
    size_t from = s->ids.count;
    fasttext_ngrams(&s->hashes, &m->args, &s->ids);
    buckets_to_rows(m, &s->ids, from);
}

static void mean_of_rows(const struct fasttext *m, struct fasttext_scratch *s)
{
    const struct fasttext_ids *ids = &s->ids;
    size_t dim = (size_t)m->args.dim;
    memset(s->hidden, 0, dim * sizeof *s->hidden);
    for (size_t i = 0; i < ids->count; i++) {
        if (i + AHEAD < ids->count) {
            fasttext_matrix_prefetch(&m->input, ids->items[i + AHEAD]);
        }
        fasttext_matrix_add(&m->input, ids->items[i], s->hidden);
    }
    for (size_t i = 0; i < dim; i++) {
        s->hidden[i] *= (float)(1.0 / (double)ids->count);
    }
}

static void softmax(const struct fasttext *m, struct fasttext_scratch *s)
{
    double most = -(double)INFINITY, sum = 0;
    for (uint32_t i = 0; i < m->label_count; i++) {
        s->scores[i] = fasttext_matrix_dot(&m->output, i, s->hidden);
        most = s->scores[i] > most ? s->scores[i] : most;
    }
    for (uint32_t i = 0; i < m->label_count; i++) {
        s->scores[i] = exp(s->scores[i] - most);
        sum += s->scores[i];
    }
    for (uint32_t i = 0; i < m->label_count; i++) {
        s->scores[i] = s->scores[i] / sum + LOG_ADDS;
    }
}

/* fastText looks these up in a table of 512 steps. */
static void sigmoids(const struct fasttext *m, struct fasttext_scratch *s)
{
    for (uint32_t i = 0; i < m->label_count; i++) {
        double x = fasttext_matrix_dot(&m->output, i, s->hidden);
        if (x > -SIGMOID_MAX && x <= SIGMOID_MAX) {
            double step = floor((x + SIGMOID_MAX) * SIGMOID_STEPS / SIGMOID_MAX / 2);
            double at = step * 2 * SIGMOID_MAX / SIGMOID_STEPS - SIGMOID_MAX;
            s->scores[i] = 1 / (1 + exp(-at)) + LOG_ADDS;
        } else if (isnan(x)) {
            s->scores[i] = x;
        } else {
            s->scores[i] = (x > 0 ? 1 : 0) + LOG_ADDS;
        }
    }
}

/* From the root down; a node's row of the output matrix says how likely right is. */
static void tree(const struct fasttext *m, struct fasttext_scratch *s)
{
    uint32_t root = 2 * m->label_count - 2;
    s->scores[root] = 1;
    for (uint32_t i = root; i >= m->label_count; i--) {
        double x = fasttext_matrix_dot(&m->output, i - m->label_count, s->hidden);
        double right = 1 / (1 + exp(-x));
        s->scores[m->tree[i].left] = s->scores[i] * (1 - right + LOG_ADDS);
        s->scores[m->tree[i].right] = s->scores[i] * (right + LOG_ADDS);
    }
}

bool fasttext_score(const struct fasttext *m, struct str text, struct fasttext_scratch *s)
{
    fasttext_rows(m, text, s);
    if (s->ids.count == 0) {
        return false;
    }
    mean_of_rows(m, s);
    switch (m->args.loss) {
    case FASTTEXT_HS:
        tree(m, s);
        break;
    case FASTTEXT_SOFTMAX:
        softmax(m, s);
        break;
    default:
        sigmoids(m, s);
    }
    for (uint32_t i = 0; i < m->label_count; i++) {
        s->scores[i] = s->scores[i] > 1 ? 1 : s->scores[i];
    }
    return true;
}
