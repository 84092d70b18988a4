/* packer.c -- a window of shuffled sequences, filled by a cursor over (document,
 * place in its stream).  The shuffle has a seed of its own that never changes:
 * what differs between experiments is the order of their documents. */
#include "train/packer.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/config.h"

#include <assert.h>

void token_docs_release(struct token_docs *d)
{
    u32_list_release(&d->tokens);
    mem_free(d->ends);
    *d = (struct token_docs){0};
}

void token_docs_end(struct token_docs *d)
{
    GROW(d->ends, d->count, d->cap, 256);
    d->ends[d->count++] = d->tokens.len;
}

struct packer {
    const struct token_docs *docs;
    const uint32_t *order;
    size_t count;
    struct packer_options opt;
    size_t next;   /* place in order of the document being cut into sequences */
    uint64_t from; /* where its next sequence starts */
    struct sequence {
        uint32_t document;
        uint64_t from, to; /* stream positions */
    } * window;
    size_t window_count, window_next;
    struct rng rng;
    uint64_t used;
    uint32_t *tokens;
    uint32_t *starts;
    uint32_t *documents; /* of each sequence of the batch */
    float *weights;      /* the same; NULL: all are 1 */
};

uint64_t packer_stream(const struct packer_options *opt, uint64_t tokens)
{
    if (opt->document_tokens > 0 && tokens > opt->document_tokens) {
        tokens = opt->document_tokens;
    }
    uint64_t n = tokens + (opt->bos != MODEL_NO_TOKEN) + (opt->eos != MODEL_NO_TOKEN);
    return tokens > 0 && n >= 2 ? n : 0;
}

uint64_t packer_steps(const struct packer_options *opt, uint64_t stream_tokens)
{
    return stream_tokens / opt->batch_tokens;
}

struct packer *packer_new(const struct token_docs *docs, const uint32_t *order, size_t count,
                          const struct packer_options *opt)
{
    assert(opt->context >= 2 && opt->batch_tokens >= 2);
    struct packer *p = mem_zalloc(sizeof *p);
    p->docs = docs;
    p->order = order;
    p->count = count;
    p->opt = *opt;
    rng_init(&p->rng, 0, "packer");
    p->window = mem_alloc(PACKER_WINDOW * sizeof *p->window);
    p->tokens = mem_alloc(opt->batch_tokens * sizeof *p->tokens);
    p->starts = mem_alloc((opt->batch_tokens + 1) * sizeof *p->starts);
    p->documents = mem_alloc((opt->batch_tokens + 1) * sizeof *p->documents);
    p->weights = opt->weights ? mem_alloc((opt->batch_tokens + 1) * sizeof *p->weights) : NULL;
    return p;
}

void packer_free(struct packer *p)
{
    if (p) {
        mem_free(p->window);
        mem_free(p->tokens);
        mem_free(p->starts);
        mem_free(p->documents);
        mem_free(p->weights);
        mem_free(p);
    }
}

/* Tokens of a document that count. */
static const uint32_t *document_tokens(const struct token_docs *docs,
                                       const struct packer_options *opt, uint32_t document,
                                       size_t *n)
{
    const uint32_t *tokens = token_docs_at(docs, document, n);
    if (opt->document_tokens > 0 && *n > opt->document_tokens) {
        *n = opt->document_tokens;
    }
    return tokens;
}

/* The next sequence in the order of the documents; false behind the last. */
static bool cut_sequence(struct packer *p, struct sequence *s)
{
    while (p->next < p->count) {
        size_t n;
        (void)document_tokens(p->docs, &p->opt, p->order[p->next], &n);
        uint64_t length = packer_stream(&p->opt, n);
        if (p->from >= length) { /* cannot be trained on */
            p->next++;
            continue;
        }
        uint64_t to = p->from + p->opt.context;
        to = to < length ? to : length;
        *s = (struct sequence){p->order[p->next], p->from, to};
        p->next += to == length;
        p->from = to == length ? 0 : to - 1;
        return true;
    }
    return false;
}

static void fill_window(struct packer *p)
{
    p->window_next = 0;
    p->window_count = 0;
    while (p->window_count < PACKER_WINDOW && cut_sequence(p, &p->window[p->window_count])) {
        p->window_count++;
    }
    for (size_t i = p->window_count; i > 1; i--) {
        size_t j = (size_t)rng_below(&p->rng, i);
        struct sequence t = p->window[i - 1];
        p->window[i - 1] = p->window[j];
        p->window[j] = t;
    }
}

void packer_copy(const struct token_docs *docs, const struct packer_options *opt, uint32_t document,
                 uint64_t from, uint64_t to, uint32_t *out)
{
    size_t n;
    const uint32_t *tokens = document_tokens(docs, opt, document, &n);
    uint64_t head = opt->bos != MODEL_NO_TOKEN;
    for (uint64_t i = from; i < to; i++) {
        *out++ = i < head ? opt->bos : i - head < n ? tokens[i - head] : opt->eos;
    }
}

bool packer_next(struct packer *p, struct token_batch *batch)
{
    uint64_t at = 0;
    uint32_t sequences = 0;
    while (at < p->opt.batch_tokens) {
        if (p->window_next == p->window_count) {
            fill_window(p);
        }
        if (p->window_count == 0) {
            break;
        }
        struct sequence *s = &p->window[p->window_next];
        uint64_t room = p->opt.batch_tokens - at;
        uint64_t to = s->to - s->from <= room ? s->to : s->from + room;
        packer_copy(p->docs, &p->opt, s->document, s->from, to, p->tokens + at);
        p->documents[sequences] = s->document;
        if (p->weights) {
            p->weights[sequences] = p->opt.weights[s->document];
        }
        p->starts[sequences++] = (uint32_t)at;
        at += to - s->from;
        /* a token that stands alone at the end of a batch starts again in the next */
        p->used += to - s->from - (s->from > 0 || to == 1);
        p->window_next += to == s->to;
        s->from = to - 1; /* what is left, if any, repeats one token as its context */
    }
    p->starts[sequences] = (uint32_t)at;
    *batch = (struct token_batch){p->tokens, p->starts, sequences, NULL, p->weights};
    return at == p->opt.batch_tokens;
}

uint64_t packer_used(const struct packer *p)
{
    return p->used;
}

static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    (void)err;
    struct packer *p = state;
    *more = packer_next(p, &out->batch);
    out->documents = p->documents;
    return WINNOW_OK;
}

struct sampler packer_sampler(struct packer *p)
{
    return (struct sampler){.state = p, .next = next_batch};
}
