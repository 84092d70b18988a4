/* store.c -- one memory-mapped file: a row's numbers are written before the bit that says so. */
#include "vectors/store.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Nothing in a file is trusted: rows x parts x dim may not even overflow. */
#define ROWS_MAX ((uint64_t)1 << 34)
#define DIM_MAX  ((uint32_t)1 << 20)

_Static_assert(sizeof(struct store_head) <= STORE_PAGE / 4, "the head is in its page");
_Static_assert(sizeof(struct store_part) == 64 && sizeof(struct store_row) == 64, "as documented");

static uint64_t pages(uint64_t bytes)
{
    return (bytes + STORE_PAGE - 1) / STORE_PAGE * STORE_PAGE;
}

struct store_layout store_layout(uint64_t rows, uint32_t parts, uint32_t dim)
{
    struct store_layout at = {.rows = STORE_PAGE};
    at.norms = at.rows + pages(rows * sizeof(struct store_row));
    at.data = at.norms + pages(rows * parts * sizeof(float));
    at.bytes = at.data + pages(rows * parts * dim * sizeof(uint16_t));
    return at;
}

/* ---- reading ---- */

static winnow_status check_head(const struct store_head *h, uint64_t bytes, const char *path,
                                struct winnow_error *err)
{
    static const char *const WHAT[] = {"gradients", "hidden states", "n-grams"};
    static const uint32_t SKETCHES[][2] = {
        {STORE_FACTORED, STORE_HASHED}, {STORE_MEAN, STORE_LAST}, {STORE_NGRAMS, STORE_NGRAMS}};
    if (memcmp(h->magic, STORE_MAGIC, sizeof h->magic) != 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s holds no vectors: winnow features makes them",
                         path);
    }
    bool known = h->kind <= STORE_TEXT && h->sketch >= SKETCHES[h->kind][0] &&
                 h->sketch <= SKETCHES[h->kind][1];
    if (!known) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s holds vectors of a kind that this version does not know (%u, %u)",
                         path, h->kind, h->sketch);
    }
    if (h->parts == 0 || h->parts > STORE_PARTS_MAX || h->dim == 0 || h->dim > DIM_MAX ||
        h->rows > ROWS_MAX) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s is damaged: %" PRIu64 " rows of %u parts of %u numbers cannot be",
                         path, h->rows, h->parts, h->dim);
    }
    uint64_t need = store_layout(h->rows, h->parts, h->dim).bytes;
    if (need != bytes) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s has %" PRIu64 " bytes where %" PRIu64 " rows of %s take %" PRIu64
                         ": it was cut short or grew; make it anew with winnow features",
                         path, bytes, h->rows, WHAT[h->kind], need);
    }
    return WINNOW_OK;
}

static winnow_status check_rows(const struct store *s, const char *path, struct winnow_error *err)
{
    const struct store_head *h = s->head;
    uint32_t all = (uint32_t)(((uint64_t)1 << h->parts) - 1);
    for (uint64_t i = 0; i < h->rows; i++) {
        const struct store_row *r = &s->rows[i];
        if (r->done != all && !(r->flags & STORE_EMPTY)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s is unfinished: row %" PRIu64 " has no vector yet; call winnow "
                             "features again, it goes on where it stopped",
                             path, i);
        }
        for (uint32_t t = 0; t < h->parts; t++) {
            float norm = s->norms[i * h->parts + t];
            if (!(norm >= 0) || !isfinite(norm)) {
                return error_set(err, WINNOW_E_FORMAT,
                                 "%s is damaged: row %" PRIu64 " has a norm that is none", path, i);
            }
        }
        if (i > 0 && r->ordinal <= s->rows[i - 1].ordinal) {
            return error_set(err, WINNOW_E_FORMAT, "%s is damaged: row %" PRIu64 " is out of order",
                             path, i);
        }
    }
    return WINNOW_OK;
}

winnow_status store_check(struct str bytes, const char *path, struct store *out,
                          struct winnow_error *err)
{
    *out = (struct store){0};
    if (bytes.len < STORE_PAGE) {
        return error_set(err, WINNOW_E_FORMAT, "%s holds no vectors: winnow features makes them",
                         path);
    }
    const struct store_head *h = (const struct store_head *)(const void *)bytes.ptr;
    TRY(check_head(h, bytes.len, path, err));
    struct store_layout at = store_layout(h->rows, h->parts, h->dim);
    out->head = h;
    out->parts = (const struct store_part *)(const void *)(bytes.ptr + STORE_PAGE / 4);
    out->rows = (const struct store_row *)(const void *)(bytes.ptr + at.rows);
    out->norms = (const float *)(const void *)(bytes.ptr + at.norms);
    out->data = (const uint16_t *)(const void *)(bytes.ptr + at.data);
    return check_rows(out, path, err);
}

winnow_status store_open(const char *folder, struct store *out, struct winnow_error *err)
{
    struct buf path = {0};
    *out = (struct store){0};
    const char *name = file_join(&path, folder, STORE_FILE);
    struct file_map map = {{NULL, 0}};
    winnow_status st = WINNOW_OK;
    if (!file_exists(name)) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds no finished vectors (" STORE_FILE "): winnow features makes them",
                       folder);
    }
    if (st == WINNOW_OK) {
        st = file_map_open(name, &map, err);
    }
    if (st == WINNOW_OK) {
        st = store_check(map.bytes, name, out, err);
        out->map = map;
    }
    if (st != WINNOW_OK) {
        file_map_close(&map);
        *out = (struct store){0};
    }
    buf_release(&path);
    return st;
}

void store_close(struct store *s)
{
    file_map_close(&s->map);
    *s = (struct store){0};
}

winnow_status store_alike(const struct store *a, const char *a_name, const struct store *b,
                          const char *b_name, struct winnow_error *err)
{
    const struct store_head *x = a->head, *y = b->head;
    const char *what = NULL;
    if (x->kind != y->kind || x->sketch != y->sketch) {
        what = "they are of different kinds";
    } else if (x->parts != y->parts) {
        what = "they have different numbers of checkpoints";
    } else if (x->dim != y->dim || x->rank != y->rank) {
        what = "they have different numbers of dimensions";
    } else if (x->seed != y->seed) {
        what = "they were made with different seeds";
    } else if (x->scaled != y->scaled) {
        what = "only one is scaled by second moments";
    } else if (x->context != y->context || x->form != y->form || x->tokenizer != y->tokenizer) {
        what = "their documents became tokens in different ways";
    }
    for (uint32_t t = 0; !what && t < x->parts; t++) {
        const struct store_part *p = &a->parts[t], *q = &b->parts[t];
        if (p->weights != q->weights || p->moments != q->moments) {
            what = x->kind == STORE_TEXT ? "their words were counted in different corpora (--like "
                                           "STORE takes the counts of a store)"
                                         : "they were made with different models";
        } else if (p->projections != q->projections) {
            what = "they were projected on different bases (--like STORE takes those of a store)";
        }
    }
    return what ? error_set(err, WINNOW_E_FORMAT, "the vectors of %s and %s cannot be compared: %s",
                            a_name, b_name, what)
                : WINNOW_OK;
}
