/* quality_net.h -- the mean of a text's rows, two labels over it, and the gradient.
 *
 *     h = mean of the rows,  p = softmax(output h),  loss = -ln p(label)
 *
 * which is fastText's supervised model with softmax.  Nothing here allocates or locks: rows
 * are read by many threads and written by one each.
 */
#ifndef WINNOW_QUALITY_QUALITY_NET_H
#define WINNOW_QUALITY_QUALITY_NET_H

#include <stddef.h>
#include <stdint.h>

#define QUALITY_LABELS 2U /* the good one first */

struct quality_net {
    uint32_t dim;
    uint64_t rows;
    float *input;   /* rows * dim */
    float *output;  /* QUALITY_LABELS * dim */
    float *squares; /* a row: sum of its gradients' mean squares (Adagrad) */
};

struct quality_gradient {
    double loss;
    double p_good;
    float labels[QUALITY_LABELS]; /* by what each label's row times h is */
    float *hidden;                /* dim: h */
    float *row;                   /* dim: by each of the rows, once for each time it stands */
    float square;                 /* mean of row's squares */
};

/* ids: rows of a text; of none, h is 0. */
void quality_net_gradient(const struct quality_net *net, const uint32_t *ids, size_t count,
                          unsigned label, struct quality_gradient *g);

/* p(good) alone. */
double quality_net_score(const struct quality_net *net, const uint32_t *ids, size_t count,
                         float *hidden);

/* hidden to the difference of the labels' logits. */
double quality_net_logit(const struct quality_net *net, const float *hidden);

/* labels to row and square, where the text's rows count share each in h. */
void quality_net_backward(const struct quality_net *net, float share, struct quality_gradient *g);

/* Moves those of the rows for which id % shards == shard. */
void quality_net_move_rows(struct quality_net *net, const uint32_t *ids, size_t count,
                           uint32_t shards, uint32_t shard, const struct quality_gradient *g,
                           float rate);
void quality_net_move_output(struct quality_net *net, const struct quality_gradient *g, float rate);

#endif /* WINNOW_QUALITY_QUALITY_NET_H */
