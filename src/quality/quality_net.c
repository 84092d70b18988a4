/* quality_net.c -- forward, backward and a step of the linear model. */
#include "quality/quality_net.h"

#include <math.h>
#include <string.h>

#define AHEAD 8U     /* rows that are asked for before they are added */
#define LEAST 1e-20F /* of a sum of squares */
#define LANES 4U

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* y += a * x */
static void add_scaled(float *y, float a, const float *x, size_t n)
{
    const lanes scale = {a, a, a, a};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes u, v;
        memcpy(&u, y + i, sizeof u);
        memcpy(&v, x + i, sizeof v);
        u += scale * v;
        memcpy(y + i, &u, sizeof u);
    }
    for (; i < n; i++) {
        y[i] += a * x[i];
    }
}

static void mean_of_rows(const struct quality_net *net, const uint32_t *ids, size_t count,
                         float *hidden)
{
    memset(hidden, 0, net->dim * sizeof *hidden);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            __builtin_prefetch(net->input + (size_t)ids[i + AHEAD] * net->dim);
        }
        add_scaled(hidden, 1, net->input + (size_t)ids[i] * net->dim, net->dim);
    }
    for (uint32_t k = 0; k < net->dim && count > 0; k++) {
        hidden[k] /= (float)count;
    }
}

double quality_net_logit(const struct quality_net *net, const float *hidden)
{
    double logit = 0;
    for (uint32_t k = 0; k < net->dim; k++) {
        logit += ((double)net->output[k] - (double)net->output[net->dim + k]) * (double)hidden[k];
    }
    return logit;
}

double quality_net_score(const struct quality_net *net, const uint32_t *ids, size_t count,
                         float *hidden)
{
    mean_of_rows(net, ids, count, hidden);
    return 1 / (1 + exp(-quality_net_logit(net, hidden)));
}

void quality_net_backward(const struct quality_net *net, float share, struct quality_gradient *g)
{
    double sum = 0;
    for (uint32_t k = 0; k < net->dim; k++) {
        g->row[k] =
            (g->labels[0] * net->output[k] + g->labels[1] * net->output[net->dim + k]) * share;
        sum += (double)g->row[k] * (double)g->row[k];
    }
    g->square = (float)(sum / net->dim);
}

void quality_net_gradient(const struct quality_net *net, const uint32_t *ids, size_t count,
                          unsigned label, struct quality_gradient *g)
{
    g->p_good = quality_net_score(net, ids, count, g->hidden);
    double p[QUALITY_LABELS] = {g->p_good, 1 - g->p_good};
    g->loss = -log(p[label] > 1e-30 ? p[label] : 1e-30);
    for (unsigned l = 0; l < QUALITY_LABELS; l++) {
        g->labels[l] = (float)(p[l] - (l == label ? 1 : 0));
    }
    quality_net_backward(net, count > 0 ? 1 / (float)count : 0, g);
}

void quality_net_move_rows(struct quality_net *net, const uint32_t *ids, size_t count,
                           uint32_t shards, uint32_t shard, const struct quality_gradient *g,
                           float rate)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] % shards == shard) {
            float *square = &net->squares[ids[i]];
            *square += g->square;
            add_scaled(net->input + (size_t)ids[i] * net->dim, -rate / sqrtf(*square + LEAST),
                       g->row, net->dim);
        }
    }
}

void quality_net_move_output(struct quality_net *net, const struct quality_gradient *g, float rate)
{
    for (unsigned l = 0; l < QUALITY_LABELS; l++) {
        add_scaled(net->output + l * net->dim, -rate * g->labels[l], g->hidden, net->dim);
    }
}
