/* blocks.c -- cutting, filling steps, and the account of losses. */
#include "train/blocks.h"

#include "base/grow.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

static void cut_document(struct blocks *b, uint32_t document)
{
    size_t n;
    (void)token_docs_at(b->docs, document, &n);
    uint64_t length = packer_stream(&b->opt, n);
    for (uint64_t from = 0; from + 1 < length; from += b->opt.context - 1) {
        uint64_t to = from + b->opt.context;
        GROW(b->items, b->count, b->cap, 256);
        b->items[b->count++] = (struct block){document, from, to < length ? to : length};
        b->tokens += b->items[b->count - 1].to - from;
    }
}

void blocks_cut(struct blocks *b, const struct sampling_home *home)
{
    *b = (struct blocks){.docs = home->docs, .opt = *home->packer};
    bool *seen = mem_zalloc((b->docs->count + 1) * sizeof *seen);
    for (size_t i = 0; i < home->order_count; i++) {
        if (!seen[home->order[i]]) {
            seen[home->order[i]] = true;
            cut_document(b, home->order[i]);
        }
    }
    mem_free(seen);
    b->order = mem_alloc((b->count + 1) * sizeof *b->order);
    b->nll = mem_zalloc((b->count + 1) * sizeof *b->nll);
    b->targets = mem_zalloc((b->count + 1) * sizeof *b->targets);
    size_t most = b->opt.batch_tokens + 1;
    b->batch_tokens = mem_alloc(most * sizeof *b->batch_tokens);
    b->starts = mem_alloc(most * sizeof *b->starts);
    b->documents = mem_alloc(most * sizeof *b->documents);
    b->which = mem_alloc(most * sizeof *b->which);
}

void blocks_release(struct blocks *b)
{
    for (size_t i = 0; i < b->passes; i++) {
        mem_free(b->losses[i]);
    }
    mem_free(b->losses);
    mem_free(b->items);
    mem_free(b->order);
    mem_free(b->nll);
    mem_free(b->targets);
    mem_free(b->batch_tokens);
    mem_free(b->starts);
    mem_free(b->documents);
    mem_free(b->which);
    *b = (struct blocks){0};
}

/* ---- passes ---- */

void blocks_end_pass(struct blocks *b)
{
    if (b->order_count == 0) {
        return;
    }
    GROW(b->losses, b->passes, b->passes_cap, 8);
    float *losses = mem_alloc((b->count + 1) * sizeof *losses);
    for (size_t i = 0; i < b->count; i++) {
        losses[i] = b->targets[i] > 0 ? (float)(b->nll[i] / (double)b->targets[i]) : NAN;
        b->nll[i] = 0;
        b->targets[i] = 0;
    }
    b->losses[b->passes++] = losses;
    b->order_count = 0;
}

void blocks_pass(struct blocks *b, const uint32_t *order, size_t count)
{
    blocks_end_pass(b);
    memcpy(b->order, order, count * sizeof *order);
    b->order_count = count;
    b->next = 0;
    b->from = 0;
}

void blocks_next(struct blocks *b, struct sampler_batch *out)
{
    uint64_t at = 0;
    uint32_t sequences = 0;
    size_t i = b->next; /* behind the last block of the pass come its first ones again */
    while (at < b->opt.batch_tokens) {
        uint32_t which = b->order[i % b->order_count];
        const struct block *k = &b->items[which];
        uint64_t from = b->from > 0 ? b->from : k->from, room = b->opt.batch_tokens - at;
        uint64_t to = k->to - from <= room ? k->to : from + room;
        packer_copy(b->docs, &b->opt, k->document, from, to, b->batch_tokens + at);
        b->documents[sequences] = k->document;
        b->which[sequences] = which;
        b->starts[sequences++] = (uint32_t)at;
        at += to - from;
        b->from = to == k->to ? 0 : to - 1; /* one token again, as the context of the rest */
        i += to == k->to;
    }
    b->next = i;
    b->starts[sequences] = (uint32_t)at;
    *out =
        (struct sampler_batch){{b->batch_tokens, b->starts, sequences, NULL, NULL}, b->documents};
}

void blocks_told(struct blocks *b, const struct sampler_batch *batch, const double *nll)
{
    for (size_t s = 0; s < batch->batch.sequences; s++) {
        b->nll[b->which[s]] += nll[s];
        b->targets[b->which[s]] += b->starts[s + 1] - b->starts[s] - 1;
    }
}

/* ---- courses ---- */

/* Losses in the order of passes; what was not read in one is left out. */
struct walk {
    float first, last;
    uint32_t seen, rises; /* rises: after a fall */
    bool fallen;
};

static struct walk walk_block(const struct blocks *b, size_t block)
{
    struct walk w = {NAN, NAN, 0, 0, false};
    for (size_t p = 0; p < b->passes; p++) {
        float l = b->losses[p][block];
        if (isnan(l)) {
            continue;
        }
        if (w.seen > 0 && l < w.last) {
            w.fallen = true;
        } else if (w.fallen && l > w.last) {
            w.rises++;
            w.fallen = false;
        }
        w.first = w.seen == 0 ? l : w.first;
        w.last = l;
        w.seen++;
    }
    return w;
}

enum block_course blocks_course(const struct blocks *b, size_t block)
{
    struct walk w = walk_block(b, block);
    return w.seen < 2          ? BLOCK_SEEN_ONCE
           : w.rises > 0       ? BLOCK_FORGOTTEN
           : w.last >= w.first ? BLOCK_UNLEARNED
                               : BLOCK_LEARNED;
}

uint32_t blocks_rises(const struct blocks *b, size_t block)
{
    return walk_block(b, block).rises;
}

static uint64_t targets_of(const struct block *k)
{
    return k->to - k->from - 1;
}

static void tell_pass(const struct blocks *b, const float *losses, struct json_writer *w)
{
    double sum = 0;
    uint64_t targets = 0, read = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (!isnan(losses[i])) {
            sum += (double)losses[i] * (double)targets_of(&b->items[i]);
            targets += targets_of(&b->items[i]);
            read++;
        }
    }
    json_open(w, '{');
    json_member_u64(w, "blocks", read);
    json_member_u64(w, "tokens", targets);
    json_member_double(w, "loss", targets > 0 ? sum / (double)targets : (double)NAN);
    json_close(w, '}');
}

void blocks_tell(const struct blocks *b, struct json_writer *w)
{
    uint64_t of[BLOCK_FORGOTTEN + 1] = {0}, again = 0;
    for (size_t i = 0; i < b->count; i++) {
        of[blocks_course(b, i)]++;
        again += blocks_rises(b, i) > 1;
    }
    json_member_u64(w, "blocks", b->count);
    json_member_u64(w, "learned", of[BLOCK_LEARNED]);
    json_member_u64(w, "unlearned", of[BLOCK_UNLEARNED]);
    json_member_u64(w, "forgotten", of[BLOCK_FORGOTTEN]);
    json_member_u64(w, "forgotten_again", again);
    json_member_open(w, "passes", '[');
    for (size_t p = 0; p < b->passes; p++) {
        tell_pass(b, b->losses[p], w);
    }
    json_close(w, ']');
}

void blocks_documents(const struct blocks *b, struct sampling_document *out)
{
    double *targets = mem_zalloc((b->docs->count + 1) * sizeof *targets);
    for (size_t i = 0; i < b->count; i++) {
        struct sampling_document *d = &out[b->items[i].document];
        enum block_course course = blocks_course(b, i);
        struct walk w = walk_block(b, i);
        double n = (double)targets_of(&b->items[i]);
        d->blocks++;
        d->learned += course == BLOCK_LEARNED;
        d->unlearned += course == BLOCK_UNLEARNED;
        d->forgotten += course == BLOCK_FORGOTTEN;
        d->first += n * (double)w.first;
        d->last += n * (double)w.last;
        targets[b->items[i].document] += n;
    }
    for (size_t i = 0; i < b->docs->count; i++) {
        out[i].first /= targets[i] > 0 ? targets[i] : 1;
        out[i].last /= targets[i] > 0 ? targets[i] : 1;
    }
    mem_free(targets);
}
