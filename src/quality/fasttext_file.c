/* fasttext_file.c -- reads a model's file: arguments, dictionary, matrices; all checked. */
#include "base/mem.h"
#include "base/sort.h"
#include "quality/fasttext.h"
#include "quality/fasttext_internal.h"

#include <inttypes.h>

#define COUNT_MAX   1000000000000000 /* fastText's own bound of a node's count */
#define ENTRY_LEAST 10U              /* bytes: an empty word, its count and its kind */

enum { WORD, LABEL };

struct reading {
    struct fasttext_cursor at;
    struct fasttext *m;
};

static winnow_status wrong(const struct reading *r, const char *what, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT, "%s: %s", r->at.path, what);
}

static winnow_status take_head(struct reading *r, struct winnow_error *err)
{
    int32_t head[2];
    struct fasttext_args *a = &r->m->args;
    TRY(fasttext_take(&r->at, head, sizeof head, "its head", err));
    if (head[0] != FASTTEXT_MAGIC) {
        return wrong(r, "it does not begin as a fastText model (.bin, .ftz) does", err);
    }
    if (head[1] != FASTTEXT_VERSION && head[1] != FASTTEXT_VERSION - 1) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: a fastText model of version %d; versions 11 and 12 are read",
                         r->at.path, head[1]);
    }
    TRY(fasttext_take(&r->at, a, sizeof *a, "its arguments", err));
    if (a->model != FASTTEXT_SUPERVISED) {
        return wrong(r, "word vectors without labels; a supervised model is needed", err);
    }
    if (head[1] < FASTTEXT_VERSION) {
        a->maxn = 0; /* as fastText reads its own older models */
    }
    if (a->dim < 1 || a->dim > 65536 || a->loss < FASTTEXT_HS || a->loss > FASTTEXT_OVA ||
        a->word_ngrams > 1000 || a->minn < 0 || a->maxn > 1000 || a->bucket < 0) {
        return wrong(r, "its arguments make no sense", err);
    }
    if (a->bucket == 0 && (a->word_ngrams > 1 || a->maxn > 0)) {
        return wrong(r, "it hashes n-grams into no buckets at all", err);
    }
    return WINNOW_OK;
}

static winnow_status take_entry(struct reading *r, struct fasttext_entry *e, int kind_wanted,
                                struct winnow_error *err)
{
    signed char kind;
    struct str left = r->at.left;
    const char *end = left.len > 0 ? memchr(left.ptr, '\0', left.len) : NULL;
    if (!end) {
        return wrong(r, "the file ends within a word of its dictionary", err);
    }
    e->text = str_sub(left, 0, (size_t)(end - left.ptr));
    r->at.left = str_sub(left, e->text.len + 1, left.len);
    TRY(fasttext_take(&r->at, &e->count, sizeof e->count, "its dictionary", err));
    TRY(fasttext_take(&r->at, &kind, sizeof kind, "its dictionary", err));
    if (kind != kind_wanted || e->count < 0 || e->count >= COUNT_MAX) {
        return wrong(r, "its dictionary is not words first, then labels, with their counts", err);
    }
    return WINNOW_OK;
}

static winnow_status index_entries(struct reading *r, struct winnow_error *err)
{
    struct fasttext *m = r->m;
    size_t count = (size_t)m->word_count + m->label_count;
    m->slot_count = 16;
    while (m->slot_count < 2 * count) {
        m->slot_count *= 2;
    }
    m->slots = mem_try_alloc(m->slot_count * sizeof *m->slots);
    if (!m->slots) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for an index of %zu words", r->at.path,
                         count);
    }
    memset(m->slots, 0, m->slot_count * sizeof *m->slots);
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = fasttext_hash(m->entries[i].text);
        struct fasttext_slot *slot = fasttext_slot(m, m->entries[i].text, hash);
        if (slot->index != 0) {
            return wrong(r, "its dictionary has the same word twice", err);
        }
        *slot = (struct fasttext_slot){(uint32_t)i + 1, hash};
    }
    return WINNOW_OK;
}

static int by_bucket(const void *a, const void *b)
{
    const struct fasttext_kept *x = a, *y = b;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static winnow_status take_kept(struct reading *r, int64_t count, struct winnow_error *err)
{
    struct fasttext *m = r->m;
    const char *at;
    if (count < 0) {
        return WINNOW_OK; /* all buckets have their rows */
    }
    m->keeps_some = true;
    TRY(fasttext_view(&r->at, (uint64_t)count, sizeof *m->kept, &at, "its list of n-grams", err));
    m->kept_count = (size_t)count;
    m->kept = mem_try_alloc(m->kept_count * sizeof *m->kept);
    if (!m->kept) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %zu n-grams", r->at.path,
                         m->kept_count);
    }
    if (count > 0) {
        memcpy(m->kept, at, m->kept_count * sizeof *m->kept);
        sort(m->kept, m->kept_count, sizeof *m->kept, by_bucket);
    }
    for (size_t i = 0; i < m->kept_count; i++) {
        if (m->kept[i].row < 0 || m->kept[i].row >= count ||
            (i > 0 && m->kept[i].bucket == m->kept[i - 1].bucket)) {
            return wrong(r, "its list of n-grams names rows that are not there, or one twice", err);
        }
    }
    return WINNOW_OK;
}

static winnow_status take_dictionary(struct reading *r, struct winnow_error *err)
{
    struct fasttext *m = r->m;
    int32_t counts[3]; /* all, words, labels */
    int64_t more[2];   /* tokens that were read, n-grams kept */
    TRY(fasttext_take(&r->at, counts, sizeof counts, "its dictionary", err));
    TRY(fasttext_take(&r->at, more, sizeof more, "its dictionary", err));
    if (counts[0] < 1 || counts[1] < 0 || counts[2] < 1 ||
        (int64_t)counts[1] + counts[2] != counts[0] ||
        (size_t)counts[0] > r->at.left.len / ENTRY_LEAST) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: a dictionary of %d words and %d labels, %d in all, makes no sense in "
                         "the %zu bytes that follow",
                         r->at.path, counts[1], counts[2], counts[0], r->at.left.len);
    }
    m->word_count = (uint32_t)counts[1];
    m->label_count = (uint32_t)counts[2];
    m->entries = mem_try_alloc((size_t)counts[0] * sizeof *m->entries);
    if (!m->entries) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %d words", r->at.path, counts[0]);
    }
    for (uint32_t i = 0; i < (uint32_t)counts[0]; i++) {
        TRY(take_entry(r, &m->entries[i], i < m->word_count ? WORD : LABEL, err));
    }
    TRY(take_kept(r, more[1], err));
    return index_entries(r, err);
}

/* A Huffman tree over the labels' counts, which fall: two rows of ever growing counts are
 * merged, the labels from their end and the nodes as they come.  Where counts are equal the
 * node goes first. */
static winnow_status build_tree(struct reading *r, struct winnow_error *err)
{
    struct fasttext *m = r->m;
    uint32_t labels = m->label_count, leaf = labels, node = labels;
    m->tree = mem_try_alloc((2 * (size_t)labels - 1) * sizeof *m->tree);
    if (!m->tree) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %u labels", r->at.path, labels);
    }
    for (uint32_t i = 0; i < labels; i++) {
        m->tree[i] = (struct fasttext_node){.count = m->entries[m->word_count + i].count};
        if (i > 0 && m->tree[i].count > m->tree[i - 1].count) {
            return wrong(r, "its labels are not in the order of their counts", err);
        }
    }
    for (uint32_t made = labels; made < 2 * labels - 1; made++) {
        uint32_t two[2];
        for (int k = 0; k < 2; k++) {
            bool take_leaf =
                leaf > 0 && (node == made || m->tree[leaf - 1].count < m->tree[node].count);
            two[k] = take_leaf ? --leaf : node++;
        }
        m->tree[made] =
            (struct fasttext_node){two[0], two[1], m->tree[two[0]].count + m->tree[two[1]].count};
    }
    return WINNOW_OK;
}

static winnow_status take_matrices(struct reading *r, struct winnow_error *err)
{
    struct fasttext *m = r->m;
    unsigned char quantised[2];
    TRY(fasttext_take(&r->at, &quantised[0], 1, "its input matrix", err));
    if (quantised[0] > 1 || (!quantised[0] && m->keeps_some)) {
        return wrong(r, "it keeps some of its n-grams only and is not quantised", err);
    }
    TRY(fasttext_matrix_take(&r->at, quantised[0], &m->input, "its input matrix", err));
    TRY(fasttext_take(&r->at, &quantised[1], 1, "its output matrix", err));
    if (quantised[1] > 1) {
        return wrong(r, "its output matrix is neither dense nor quantised", err);
    }
    TRY(fasttext_matrix_take(&r->at, quantised[0] && quantised[1], &m->output, "its output matrix",
                             err));
    uint64_t rows = (uint64_t)m->word_count +
                    (m->keeps_some ? (uint64_t)m->kept_count : (uint64_t)m->args.bucket);
    uint32_t dim = (uint32_t)m->args.dim;
    if (m->input.rows < rows || m->input.rows > UINT32_MAX || m->input.cols != dim ||
        m->output.rows != m->label_count || m->output.cols != dim) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: matrices of %" PRIu64 " rows of %u and %" PRIu64
                         " of %u do not fit %" PRIu64
                         " words and n-grams, %u labels and %u numbers "
                         "each",
                         r->at.path, m->input.rows, m->input.cols, m->output.rows, m->output.cols,
                         rows, m->label_count, dim);
    }
    if (r->at.left.len > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: %zu bytes stand behind the end of the model",
                         r->at.path, r->at.left.len);
    }
    return WINNOW_OK;
}

static winnow_status read_model(struct reading *r, struct winnow_error *err)
{
    TRY(take_head(r, err));
    TRY(take_dictionary(r, err));
    TRY(take_matrices(r, err));
    return r->m->args.loss == FASTTEXT_HS ? build_tree(r, err) : WINNOW_OK;
}

winnow_status fasttext_read(struct str bytes, const char *path, struct fasttext **out,
                            struct winnow_error *err)
{
    struct reading r = {{bytes, path}, mem_zalloc(sizeof *r.m)};
    winnow_status st = read_model(&r, err);
    if (st != WINNOW_OK) {
        fasttext_free(r.m);
        r.m = NULL;
    }
    *out = r.m;
    return st;
}

winnow_status fasttext_open(const char *path, struct fasttext **out, struct winnow_error *err)
{
    struct file_map map;
    *out = NULL;
    TRY(file_map_open(path, &map, err));
    winnow_status st = fasttext_read(map.bytes, path, out, err);
    if (st == WINNOW_OK) {
        (*out)->map = map;
    } else {
        file_map_close(&map);
    }
    return st;
}

void fasttext_free(struct fasttext *m)
{
    if (!m) {
        return;
    }
    mem_free(m->entries);
    mem_free(m->slots);
    mem_free(m->kept);
    mem_free(m->tree);
    file_map_close(&m->map);
    mem_free(m);
}

uint64_t fasttext_bytes(const struct fasttext *m)
{
    return ((uint64_t)m->word_count + m->label_count) * sizeof *m->entries +
           m->slot_count * sizeof *m->slots + m->kept_count * sizeof *m->kept +
           (m->tree ? 2 * (uint64_t)m->label_count * sizeof *m->tree : 0);
}
