/* near_sign.c -- the first pass of `dedup --method minhash`: a signature a document.
 *
 * Threads sign; the signatures are written in the order of the corpus, so that a killed
 * process left a beginning of the file, and the next one signs only what is behind it.
 * Between the two a signature lies in a slot, which is used again. */
#include "base/grow.h"
#include "base/mem.h"
#include "dedup/near_internal.h"

#include <math.h>
#include <pthread.h>

struct near_slot {
    struct near_slot *next_free;
    size_t number; /* in the list of all */
    struct signature *signature;
    struct buf source;
};

struct signatures_shape near_shape(const struct near_run *r)
{
    return (struct signatures_shape){r->opt->bands, r->opt->rows, r->opt->ngram,
                                     stage_env(r->stage)->seed};
}

static size_t stride_of(const struct near_run *r)
{
    const struct signatures_shape shape = near_shape(r);
    return signatures_stride(&shape);
}

static struct near_slot *take_slot(struct near_run *r)
{
    (void)pthread_mutex_lock(&r->lock);
    struct near_slot *slot = r->free_slots;
    if (slot) {
        r->free_slots = slot->next_free;
    } else {
        slot = mem_zalloc(sizeof *slot);
        slot->signature = mem_alloc(stride_of(r));
        slot->number = r->slot_count;
        GROW(r->slots, r->slot_count, r->slot_cap, 64);
        r->slots[r->slot_count++] = slot;
    }
    (void)pthread_mutex_unlock(&r->lock);
    memset(slot->signature, 0, stride_of(r));
    return slot;
}

static struct near_slot *slot_at(struct near_run *r, uint64_t number)
{
    (void)pthread_mutex_lock(&r->lock);
    struct near_slot *slot = r->slots[number];
    (void)pthread_mutex_unlock(&r->lock);
    return slot;
}

static void give_slot(struct near_run *r, struct near_slot *slot)
{
    (void)pthread_mutex_lock(&r->lock);
    slot->next_free = r->free_slots;
    r->free_slots = slot;
    (void)pthread_mutex_unlock(&r->lock);
}

void near_slots_release(struct near_run *r)
{
    for (size_t i = 0; i < r->slot_count; i++) {
        mem_free(r->slots[i]->signature);
        buf_release(&r->slots[i]->source);
        mem_free(r->slots[i]);
    }
    mem_free(r->slots);
    r->slots = NULL;
    r->slot_count = r->slot_cap = 0;
    r->free_slots = NULL;
}

/* The number at a member, named as it stands or by a dotted path. */
static double number_at(struct json_value object, const char *key)
{
    double value;
    struct str rest = str_of(key);
    if (json_as_double(json_get(object, key), &value)) {
        return value;
    }
    while (rest.len > 0) {
        size_t dot = str_find(rest, STR_LIT("."));
        size_t end = dot == SIZE_MAX ? rest.len : dot;
        object = json_get_str(object, str_sub(rest, 0, end));
        rest = str_sub(rest, dot == SIZE_MAX ? end : end + 1, rest.len);
    }
    return json_as_double(object, &value) ? value : -(double)INFINITY;
}

static void *scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct minhash_scratch));
}

static void scratch_free(void *scratch)
{
    minhash_scratch_release(scratch);
    mem_free(scratch);
}

static winnow_status sign_document(void *state, void *scratch, const struct document *d,
                                   struct stage_result *result, struct winnow_error *err)
{
    struct near_run *r = state;
    if (d->ordinal < r->from) {
        return WINNOW_OK;
    }
    struct near_slot *slot = take_slot(r);
    struct signature *s = slot->signature;
    s->ordinal = d->ordinal;
    s->bytes = d->text.len;
    s->value = r->opt->keep == WINNOW_KEEP_BEST ? number_at(d->json, r->opt->best) : 0;
    buf_clear(&slot->source);
    buf_add_str(&slot->source, d->source);
    result->carry[0] = slot->number;
    return minhash_sign(&r->hash, r->alphabet, d->text, scratch, s->numbers, &s->words, err);
}

static winnow_status write_signature(void *state, struct str id, uint64_t ordinal,
                                     struct stage_result *result, struct winnow_error *err)
{
    struct near_run *r = state;
    if (ordinal < r->from) {
        return WINNOW_OK;
    }
    struct near_slot *slot = slot_at(r, result->carry[0]);
    struct str source = slot->source.len > 0 ? buf_str(&slot->source) : STR_LIT("");
    TRY(signatures_add(&r->writer, slot->signature, id, source, err));
    give_slot(r, slot);
    return WINNOW_OK;
}

winnow_status near_sign(struct near_run *r, struct winnow_error *err)
{
    const struct signatures_shape shape = near_shape(r);
    TRY(signatures_start(&r->writer, &shape, buf_cstr(&r->paths.records), buf_cstr(&r->paths.names),
                         err));
    if (r->writer.complete) {
        return WINNOW_OK;
    }
    r->from = r->writer.next_ordinal;
    const struct stage_pass pass = {.name = "signatures",
                                    .state = r,
                                    .worker_new = scratch_new,
                                    .worker_free = scratch_free,
                                    .document = sign_document,
                                    .decide = write_signature,
                                    .scratch_factor = 3,
                                    .word_bytes = 16,
                                    .line_bytes =
                                        (unsigned)(stride_of(r) + sizeof(struct near_slot) + 64)};
    TRY(stage_run_pass(r->stage, &pass, err));
    return signatures_finish(&r->writer, err);
}
