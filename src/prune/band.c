/* band.c -- one sort gives every rank, so any band at any rate is a slice.
 *
 * Sorting n documents costs a fraction of a second a million, against hours of
 * scoring them; a histogram would save memory only, and would make the number
 * kept depend on its bins. */
#include "prune/band.h"

#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

void band_ranks(enum winnow_criterion c, double rate, size_t n, size_t *first, size_t *end)
{
    size_t kept = (size_t)llround(rate * (double)n);
    if (kept == 0 && n > 0 && rate > 0) {
        kept = 1;
    }
    if (kept > n) {
        kept = n;
    }
    *first = c == WINNOW_LOW ? 0 : c == WINNOW_HIGH ? n - kept : (n - kept) / 2;
    *end = *first + kept;
}

struct rank {
    double score;
    uint64_t key;
    uint32_t group;
    uint32_t index;
};

static int rank_compare(const void *pa, const void *pb)
{
    const struct rank *a = pa, *b = pb;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    if (a->score < b->score || a->score > b->score) {
        return a->score < b->score ? -1 : 1;
    }
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static void cut_group(struct selector_item *items, const struct rank *ranks, size_t n,
                      enum winnow_criterion c, double rate, struct band_edges *edges)
{
    size_t first, end;
    band_ranks(c, rate, n, &first, &end);
    *edges = (struct band_edges){NAN, NAN, n, end - first};
    if (end == first) {
        return;
    }
    for (size_t i = first; i < end; i++) {
        items[ranks[i].index].kept = true;
    }
    edges->low = ranks[first].score;
    edges->high = ranks[end - 1].score;
}

winnow_status band_cut(struct selector_item *items, size_t count, enum winnow_criterion c,
                       double rate, struct band_edges *edges, size_t groups,
                       struct winnow_error *err)
{
    if (count >= UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "%zu documents are more than a band can rank", count);
    }
    struct rank *ranks = mem_try_alloc((count + 1) * sizeof *ranks);
    if (!ranks) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to rank %zu documents", count);
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].kept = false;
        if (!isnan(items[i].score)) {
            ranks[n++] = (struct rank){items[i].score, items[i].key, items[i].group, (uint32_t)i};
        }
    }
    sort(ranks, n, sizeof *ranks, rank_compare);
    size_t at = 0;
    for (uint32_t g = 0; g < groups; g++) {
        size_t start = at;
        while (at < n && ranks[at].group == g) {
            at++;
        }
        cut_group(items, ranks + start, at - start, c, rate, &edges[g]);
    }
    mem_free(ranks);
    return WINNOW_OK;
}

static int double_compare(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

size_t band_sorted_scores(const struct selector_item *items, size_t count, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(items[i].score)) {
            out[n++] = items[i].score;
        }
    }
    sort(out, n, sizeof *out, double_compare);
    return n;
}
