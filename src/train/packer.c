/* packer.c -- a cursor over (document, place in its stream). */
#include "train/packer.h"

#include "base/mem.h"
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
    if (d->count == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 256;
        d->ends = mem_realloc(d->ends, d->cap * sizeof *d->ends, cap * sizeof *d->ends);
        d->cap = cap;
    }
    d->ends[d->count++] = d->tokens.len;
}

struct packer {
    const struct token_docs *docs;
    const uint32_t *order;
    size_t count;
    struct packer_options opt;
    size_t next;   /* place in order of the document being laid out */
    uint64_t from; /* where its next sequence starts */
    uint64_t used;
    uint32_t *tokens;
    uint32_t *starts;
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
    p->tokens = mem_alloc(opt->batch_tokens * sizeof *p->tokens);
    p->starts = mem_alloc((opt->batch_tokens + 1) * sizeof *p->starts);
    return p;
}

void packer_free(struct packer *p)
{
    if (p) {
        mem_free(p->tokens);
        mem_free(p->starts);
        mem_free(p);
    }
}

/* Stream positions from..to (exclusive) of a document of n tokens. */
static void copy_stream(const struct packer *p, const uint32_t *tokens, uint64_t n, uint64_t from,
                        uint64_t to, uint32_t *out)
{
    uint64_t head = p->opt.bos != MODEL_NO_TOKEN;
    for (uint64_t i = from; i < to; i++) {
        *out++ = i < head ? p->opt.bos : i - head < n ? tokens[i - head] : p->opt.eos;
    }
}

bool packer_next(struct packer *p, struct token_batch *batch)
{
    uint64_t at = 0;
    uint32_t sequences = 0;
    while (at < p->opt.batch_tokens && p->next < p->count) {
        size_t n;
        const uint32_t *tokens = token_docs_at(p->docs, p->order[p->next], &n);
        uint64_t length = packer_stream(&p->opt, n);
        if (p->from >= length) { /* cannot be trained on */
            p->next++;
            continue;
        }
        if (p->opt.document_tokens > 0 && n > p->opt.document_tokens) {
            n = p->opt.document_tokens;
        }
        uint64_t to = p->from + p->opt.context;
        to = to < length ? to : length;
        uint64_t room = p->opt.batch_tokens - at;
        to = to - p->from <= room ? to : p->from + room;
        copy_stream(p, tokens, n, p->from, to, p->tokens + at);
        p->starts[sequences++] = (uint32_t)at;
        at += to - p->from;
        p->used += to - p->from - (p->from > 0);
        if (to == length) {
            p->next++;
            p->from = 0;
        } else {
            p->from = to - 1;
        }
    }
    p->starts[sequences] = (uint32_t)at;
    *batch = (struct token_batch){p->tokens, p->starts, sequences, NULL};
    return at == p->opt.batch_tokens;
}

uint64_t packer_used(const struct packer *p)
{
    return p->used;
}
