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

#define CHUNK_SLOTS  512U /* a chunk is large enough to go back to the system when it is freed */
#define SOURCE_SHORT 48U

/* Its signature lies behind it. */
struct near_slot {
    struct near_slot *next_free;
    uint64_t number; /* chunk and place in it */
    struct buf long_source;
    size_t source_len;
    char source[SOURCE_SHORT];
};

struct signatures_shape near_shape(const struct near_run *r)
{
    return (struct signatures_shape){.bands = r->opt->bands,
                                     .rows = r->opt->rows,
                                     .ngram = r->opt->ngram,
                                     .numbers = r->opt->numbers,
                                     .seed = stage_env(r->stage)->seed};
}

static size_t stride_of(const struct near_run *r)
{
    const struct signatures_shape shape = near_shape(r);
    return signatures_stride(&shape);
}

static size_t slot_bytes(const struct near_run *r)
{
    return sizeof(struct near_slot) + stride_of(r);
}

static struct near_slot *slot_in(const struct near_run *r, uint64_t number)
{
    char *chunk = r->chunks[number / CHUNK_SLOTS];
    return (struct near_slot *)(void *)(chunk + number % CHUNK_SLOTS * slot_bytes(r));
}

static struct signature *signature_of(struct near_slot *slot)
{
    return (struct signature *)(void *)(slot + 1);
}

/* With the lock held. */
static void add_chunk(struct near_run *r)
{
    GROW(r->chunks, r->chunk_count, r->chunk_cap, 16);
    r->chunks[r->chunk_count++] = mem_zalloc(CHUNK_SLOTS * slot_bytes(r));
    for (uint64_t i = CHUNK_SLOTS; i > 0; i--) {
        uint64_t number = (r->chunk_count - 1) * CHUNK_SLOTS + i - 1;
        struct near_slot *slot = slot_in(r, number);
        slot->number = number;
        slot->next_free = r->free_slots;
        r->free_slots = slot;
    }
}

static struct near_slot *take_slot(struct near_run *r)
{
    (void)pthread_mutex_lock(&r->lock);
    if (!r->free_slots) {
        add_chunk(r);
    }
    struct near_slot *slot = r->free_slots;
    r->free_slots = slot->next_free;
    (void)pthread_mutex_unlock(&r->lock);
    memset(signature_of(slot), 0, stride_of(r));
    return slot;
}

static struct near_slot *slot_at(struct near_run *r, uint64_t number)
{
    (void)pthread_mutex_lock(&r->lock);
    struct near_slot *slot = slot_in(r, number);
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

static void set_source(struct near_slot *slot, struct str source)
{
    slot->source_len = source.len;
    buf_clear(&slot->long_source);
    if (source.len > SOURCE_SHORT) {
        buf_add_str(&slot->long_source, source);
    } else if (source.len > 0) {
        memcpy(slot->source, source.ptr, source.len);
    }
}

static struct str source_in(const struct near_slot *slot)
{
    return slot->source_len > SOURCE_SHORT ? buf_str(&slot->long_source)
                                           : (struct str){slot->source, slot->source_len};
}

void near_slots_release(struct near_run *r)
{
    for (uint64_t i = 0; i < r->chunk_count * CHUNK_SLOTS; i++) {
        buf_release(&slot_in(r, i)->long_source);
    }
    for (size_t i = 0; i < r->chunk_count; i++) {
        mem_free(r->chunks[i]);
    }
    mem_free(r->chunks);
    r->chunks = NULL;
    r->chunk_count = r->chunk_cap = 0;
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
    struct signature *s = signature_of(slot);
    s->ordinal = d->ordinal;
    s->bytes = d->text.len;
    s->value = r->opt->keep == WINNOW_KEEP_BEST ? number_at(d->json, r->opt->best) : 0;
    set_source(slot, d->source);
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
    TRY(signatures_add(&r->writer, signature_of(slot), id, source_in(slot), err));
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
                                    .line_bytes = (unsigned)slot_bytes(r)};
    TRY(stage_run_pass(r->stage, &pass, err));
    return signatures_finish(&r->writer, err);
}
