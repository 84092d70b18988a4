/* near_nodes.c -- see near_nodes.h.
 *
 * Signatures lie in mapped files.  Under --memory their pages are given back whenever as
 * many as allowed may have been touched: what is needed again comes from the disk. */
#include "dedup/near_nodes.h"

#include "dedup/minhash.h"

#include <inttypes.h>
#include <math.h>

#define AROUND_BYTES ((uint64_t)128 << 10) /* that the system maps around what is touched */

winnow_status near_nodes_count(struct near_nodes *n, struct winnow_error *err)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n->corpus_count; i++) {
        n->starts[i] = count;
        count += n->corpora[i].count;
    }
    n->starts[n->corpus_count] = count;
    const struct signatures_shape *shape = &n->corpora[0].shape;
    n->numbers = shape->bands * shape->rows;
    n->agree = (uint32_t)ceil(n->threshold * n->numbers - 1e-9);
    if (count >= UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT,
                         "%" PRIu64 " documents are more than the 4294967294 that one dedup "
                         "compares: cut the corpus, and give the parts to --against",
                         count);
    }
    return WINNOW_OK;
}

void near_nodes_release(struct near_nodes *n)
{
    for (size_t i = 0; i < n->corpus_count; i++) {
        signatures_release(&n->corpora[i]);
    }
    *n = (struct near_nodes){0};
}

size_t near_corpus_of(const struct near_nodes *n, uint64_t node)
{
    size_t i = 0;
    while (node >= n->starts[i + 1]) {
        i++;
    }
    return i;
}

const struct signature *near_signature(struct near_nodes *n, uint64_t node)
{
    size_t corpus = near_corpus_of(n, node);
    n->touched += n->corpora[corpus].stride + (node == n->last + 1 ? 0 : AROUND_BYTES);
    n->last = node;
    if (n->memory > 0 && n->touched > n->memory) {
        for (size_t i = 0; i < n->corpus_count; i++) {
            file_map_forget(n->corpora[i].maps[0].bytes);
            file_map_forget(n->corpora[i].maps[1].bytes);
        }
        n->touched = 0;
    }
    return signatures_at(&n->corpora[corpus], node - n->starts[corpus]);
}

/* Of old documents there are signatures only. */
static bool by_sets(const struct near_nodes *n, uint64_t a, uint64_t b)
{
    return n->sets && !near_is_old(n, a) && !near_is_old(n, b);
}

winnow_status near_similarity(struct near_nodes *n, uint64_t a, uint64_t b, double *out,
                              struct winnow_error *err)
{
    const struct signature *x = near_signature(n, a), *y = near_signature(n, b);
    if (x->words == y->words) {
        *out = 1;
        return WINNOW_OK;
    }
    if (by_sets(n, a, b)) {
        return near_sets_jaccard(n->sets, a, b, out, err);
    }
    *out = (double)minhash_agree(x->numbers, y->numbers, n->numbers) / n->numbers;
    return WINNOW_OK;
}

winnow_status near_similar(struct near_nodes *n, uint64_t a, uint64_t b, bool *out,
                           struct winnow_error *err)
{
    const struct signature *x = near_signature(n, a), *y = near_signature(n, b);
    if (x->words != y->words && by_sets(n, a, b)) {
        double j;
        TRY(near_sets_jaccard(n->sets, a, b, &j, err));
        *out = j >= n->threshold;
        return WINNOW_OK;
    }
    *out = x->words == y->words || minhash_agree(x->numbers, y->numbers, n->numbers) >= n->agree;
    return WINNOW_OK;
}
