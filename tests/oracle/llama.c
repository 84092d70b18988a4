#include "llama.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    const struct model *m;
    const struct model_config *c;
    const double *weights;
    oracle_factor factor; /* NULL: 1 */
    void *ctx;
    size_t start; /* of the sequence */
};

static double factor(const struct oracle *o, uint32_t layer, int site, size_t t, size_t i)
{
    return o->factor ? o->factor(o->ctx, layer, site, o->start + t, i) : 1;
}

static const double *tensor(const struct oracle *o, enum tensor_role role, uint32_t layer)
{
    const struct model_tensor *t = model_find_role(o->m, role, layer);
    return t ? o->weights + t->offset : NULL;
}

/* y = W x + bias, W n x k. */
static void linear(double *y, const double *w, const double *bias, const double *x, size_t n,
                   size_t k)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = bias ? bias[i] : 0.0;
        for (size_t j = 0; j < k; j++) {
            y[i] += w[i * k + j] * x[j];
        }
    }
}

static void rmsnorm(double *y, const double *x, const double *w, size_t n, double eps)
{
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        mean += x[i] * x[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] / sqrt(mean + eps) * w[i];
    }
}

static double angle(const struct model_config *c, size_t i, size_t position)
{
    double f = 1.0 / pow(c->rope_base, 2.0 * (double)i / c->head_dim);
    if (c->rope_scaling == ROPE_LINEAR) {
        f /= c->rope_factor;
    } else if (c->rope_scaling == ROPE_LLAMA3) {
        double turns = c->rope_context * f / (2 * acos(-1.0)); /* in the original context */
        double share = (turns - c->rope_low) / (c->rope_high - c->rope_low);
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        f = share * f + (1 - share) * f / c->rope_factor;
    }
    return f * (double)position;
}

static void rotate(const struct model_config *c, double *head, size_t position)
{
    size_t half = c->head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        double a = angle(c, i, position), x = head[i], y = head[i + half];
        head[i] = x * cos(a) - y * sin(a);
        head[i + half] = x * sin(a) + y * cos(a);
    }
}

/* out[heads * head_dim] of the last of n positions; q for it, k and v for all. */
static void attend(const struct model_config *c, double *out, const double *q, const double *k,
                   const double *v, size_t n)
{
    size_t h = c->head_dim, kv = (size_t)c->kv_heads * h;
    double *p = malloc(n * sizeof *p);
    for (size_t head = 0; head < c->heads; head++) {
        size_t shared = head / (c->heads / c->kv_heads) * h;
        double top = -INFINITY, sum = 0;
        for (size_t j = 0; j < n; j++) {
            p[j] = 0;
            for (size_t i = 0; i < h; i++) {
                p[j] += q[head * h + i] * k[j * kv + shared + i] / sqrt((double)h);
            }
            top = p[j] > top ? p[j] : top;
        }
        for (size_t j = 0; j < n; j++) {
            p[j] = exp(p[j] - top);
            sum += p[j];
        }
        for (size_t i = 0; i < h; i++) {
            out[head * h + i] = 0;
            for (size_t j = 0; j < n; j++) {
                out[head * h + i] += p[j] / sum * v[j * kv + shared + i];
            }
        }
    }
    free(p);
}

/* One layer over a sequence of n, x in place. */
static void layer(const struct oracle *o, uint32_t l, double *x, size_t n)
{
    const struct model_config *c = o->c;
    size_t d = c->dim, f = c->ffn, h = c->head_dim, qd = c->heads * h, kd = c->kv_heads * h;
    double *norm = malloc(d * sizeof *norm), *q = malloc(qd * sizeof *q);
    double *k = malloc(n * kd * sizeof *k), *v = malloc(n * kd * sizeof *v);
    double *att = malloc(qd * sizeof *att), *out = malloc(d * sizeof *out);
    double *g = malloc(f * sizeof *g), *u = malloc(f * sizeof *u);
    for (size_t t = 0; t < n; t++) {
        double *xt = x + t * d;
        rmsnorm(norm, xt, tensor(o, TENSOR_NORM1, l), d, c->norm_eps);
        linear(q, tensor(o, TENSOR_Q, l), tensor(o, TENSOR_Q_BIAS, l), norm, qd, d);
        linear(k + t * kd, tensor(o, TENSOR_K, l), tensor(o, TENSOR_K_BIAS, l), norm, kd, d);
        linear(v + t * kd, tensor(o, TENSOR_V, l), tensor(o, TENSOR_V_BIAS, l), norm, kd, d);
        for (size_t i = 0; i < c->heads; i++) {
            rotate(c, q + i * h, t);
        }
        for (size_t i = 0; i < c->kv_heads; i++) {
            rotate(c, k + t * kd + i * h, t);
        }
        attend(c, att, q, k, v, t + 1);
        linear(out, tensor(o, TENSOR_O, l), tensor(o, TENSOR_O_BIAS, l), att, d, qd);
        for (size_t i = 0; i < d; i++) {
            xt[i] += out[i] * factor(o, l, 0, t, i);
        }
        rmsnorm(norm, xt, tensor(o, TENSOR_NORM2, l), d, c->norm_eps);
        linear(g, tensor(o, TENSOR_GATE, l), tensor(o, TENSOR_GATE_BIAS, l), norm, f, d);
        linear(u, tensor(o, TENSOR_UP, l), tensor(o, TENSOR_UP_BIAS, l), norm, f, d);
        for (size_t i = 0; i < f; i++) {
            g[i] = g[i] / (1 + exp(-g[i])) * u[i];
        }
        linear(out, tensor(o, TENSOR_DOWN, l), tensor(o, TENSOR_DOWN_BIAS, l), g, d, f);
        for (size_t i = 0; i < d; i++) {
            xt[i] += out[i] * factor(o, l, 1, t, i);
        }
    }
    double *all[] = {norm, q, k, v, att, out, g, u};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

static double loss(double *logits, size_t vocab, uint32_t target)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < vocab; i++) {
        top = logits[i] > top ? logits[i] : top;
    }
    for (size_t i = 0; i < vocab; i++) {
        sum += exp(logits[i] - top);
    }
    return log(sum) + top - logits[target];
}

static double run(struct oracle o, const struct token_batch *b, double *nll, double *logits)
{
    size_t d = o.c->dim, vocab = o.c->vocab;
    const double *embed = tensor(&o, TENSOR_EMBED, 0);
    const double *head = o.c->tied ? embed : tensor(&o, TENSOR_HEAD, 0);
    double *z = malloc(vocab * sizeof *z), *norm = malloc(d * sizeof *norm);
    double total = 0;
    for (size_t s = 0; s < b->sequences; s++) {
        size_t start = b->starts[s], n = b->starts[s + 1] - start;
        o.start = start;
        double *x = malloc((n * d + 1) * sizeof *x);
        for (size_t t = 0; t < n; t++) {
            memcpy(x + t * d, embed + b->tokens[start + t] * d, d * sizeof *x);
        }
        for (uint32_t l = 0; l < o.c->layers; l++) {
            layer(&o, l, x, n);
        }
        for (size_t t = 0; t < n; t++) {
            rmsnorm(norm, x + t * d, tensor(&o, TENSOR_NORM, 0), d, o.c->norm_eps);
            linear(z, head, NULL, norm, vocab, d);
            uint32_t target = batch_target(b, start + t, start + n);
            double value = target == BATCH_NO_TARGET ? 0.0 : loss(z, vocab, target);
            total += value;
            if (nll) {
                nll[start + t] = value;
            }
            if (logits) {
                memcpy(logits + (start + t) * vocab, z, vocab * sizeof *z);
            }
        }
        free(x);
    }
    free(z);
    free(norm);
    return total;
}

double oracle_llama(const struct model *m, const double *weights, const struct token_batch *b,
                    double *nll, double *logits)
{
    return run((struct oracle){m, model_config(m), weights, NULL, NULL, 0}, b, nll, logits);
}

double oracle_llama_times(const struct model *m, const double *weights, const struct token_batch *b,
                          oracle_factor factor_of, void *ctx)
{
    return run((struct oracle){m, model_config(m), weights, factor_of, ctx, 0}, b, NULL, NULL);
}
