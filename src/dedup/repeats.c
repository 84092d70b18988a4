/* repeats.c -- `dedup --unit paragraph|line`, in two passes:
 *
 *   1. hashes    of every unit with its place; sorted by hash outside of memory, each but the
 *                first of a hash is a repeat
 *   2. verdicts  documents without their repeats, or the end of those that were nothing else
 *
 * The list of repeats, sorted by place, is a file of the stage's own: a killed run goes on
 * behind it.  Two different units are taken for one with probability n^2 / 2^89. */
#include "dedup/repeats.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/record_sort.h"
#include "dedup/dedup_exact.h"
#include "dedup/dedup_guard.h"
#include "dedup/left.h"
#include "dedup/near_file.h"
#include "dedup/units.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#define HASH_WORDS     3U /* hash | rest of the hash, ordinal | index, source */
#define PLACE_WORDS    2U /* ordinal | index */
#define ORDINAL_BITS   40U
#define BATCH          4096U
#define SORT_MOST      ((uint64_t)1 << 30)
#define FORGET_EVERY   65536U /* look-ups */
#define UNIT_NAME(opt) ((opt)->unit == WINNOW_DEDUP_LINE ? "line" : "paragraph")

struct repeats {
    struct stage *stage;
    const struct winnow_dedup_options *opt;
    struct buf list_path, summary_path, folder;
    pthread_mutex_t lock;
    struct record_sort *hashes, *places;
    struct guard guard;
    winnow_status status; /* of a batch that was handed over at the end of a thread */
    struct winnow_error error;
    struct file_map list;
    _Atomic uint64_t looked; /* so many times */
};

static bool by_paragraphs(const struct repeats *r)
{
    return r->opt->unit == WINNOW_DEDUP_PARAGRAPH;
}

/* ---- 1. hashes ---- */

struct hasher {
    struct repeats *r;
    struct buf text;
    uint64_t batch[BATCH * HASH_WORDS];
    size_t count;
};

static void *hasher_new(void *state)
{
    struct hasher *h = mem_zalloc(sizeof *h);
    h->r = state;
    return h;
}

static winnow_status hand_over(struct hasher *h, struct winnow_error *err)
{
    struct repeats *r = h->r;
    (void)pthread_mutex_lock(&r->lock);
    winnow_status st = record_sort_add(r->hashes, h->batch, h->count, err);
    (void)pthread_mutex_unlock(&r->lock);
    h->count = 0;
    return st;
}

static void hasher_free(void *worker)
{
    struct hasher *h = worker;
    struct winnow_error err;
    winnow_status st = hand_over(h, &err);
    if (st != WINNOW_OK) {
        h->r->status = error_set(&h->r->error, st, "%s", err.text);
    }
    buf_release(&h->text);
    mem_free(h);
}

static size_t source_of(struct repeats *r, struct str source)
{
    (void)pthread_mutex_lock(&r->lock);
    size_t at = guard_source(&r->guard, source);
    (void)pthread_mutex_unlock(&r->lock);
    return at;
}

static void count_units(struct repeats *r, size_t source, uint64_t units)
{
    (void)pthread_mutex_lock(&r->lock);
    guard_count(&r->guard, source, units, 0);
    (void)pthread_mutex_unlock(&r->lock);
}

static winnow_status hash_units(void *state, void *worker, const struct document *d,
                                struct stage_result *result, struct winnow_error *err)
{
    (void)result;
    struct repeats *r = state;
    struct hasher *h = worker;
    struct str rest = d->text;
    struct unit u;
    size_t source = source_of(r, d->source);
    uint64_t units = 0;
    if (d->ordinal >> ORDINAL_BITS != 0) {
        return error_set(err, WINNOW_E_LIMIT, "more than 2^%u documents", ORDINAL_BITS);
    }
    for (uint64_t i = 0; units_next(&rest, by_paragraphs(r), &u); i++) {
        if (units_words(u.text, r->opt->unit_words) < r->opt->unit_words) {
            continue;
        }
        struct hash128 hash = dedup_hash(u.text, r->opt->spaces, r->opt->fold_case, &h->text);
        uint64_t *record = &h->batch[h->count++ * HASH_WORDS];
        record[0] = hash.low;
        record[1] = hash.high << ORDINAL_BITS | d->ordinal;
        record[2] = i << 32 | source;
        units++;
        if (h->count == BATCH) {
            TRY(hand_over(h, err));
        }
    }
    count_units(r, source, units);
    return WINNOW_OK;
}

static uint64_t held(void *state)
{
    struct repeats *r = state;
    (void)pthread_mutex_lock(&r->lock);
    uint64_t bytes = record_sort_bytes(r->hashes);
    (void)pthread_mutex_unlock(&r->lock);
    return bytes;
}

static bool same_hash(const uint64_t *a, const uint64_t *b)
{
    return a[0] == b[0] && a[1] >> ORDINAL_BITS == b[1] >> ORDINAL_BITS;
}

/* All but the first of each hash: hashes to places. */
static winnow_status find_repeats(struct repeats *r, struct winnow_error *err)
{
    const uint64_t *record;
    uint64_t before[HASH_WORDS];
    bool any = false;
    TRY(record_sort_finish(r->hashes, err));
    for (;;) {
        TRY(record_sort_next(r->hashes, &record, err));
        if (!record) {
            return record_sort_finish(r->places, err);
        }
        if (any && same_hash(before, record)) {
            const uint64_t place[PLACE_WORDS] = {record[1] & (((uint64_t)1 << ORDINAL_BITS) - 1),
                                                 record[2] >> 32};
            guard_count(&r->guard, (size_t)(record[2] & UINT32_MAX), 0, 1);
            TRY(record_sort_add(r->places, place, 1, err));
        }
        memcpy(before, record, sizeof before);
        any = true;
    }
}

static winnow_status write_places(struct repeats *r, struct near_file *list,
                                  struct winnow_error *err)
{
    const uint64_t *record;
    TRY(near_file_open(list, buf_cstr(&r->list_path), 0, err));
    for (;;) {
        TRY(record_sort_next(r->places, &record, err));
        if (!record) {
            return near_file_sync(list, err);
        }
        const struct str bytes = {(const char *)record, PLACE_WORDS * sizeof *record};
        TRY(near_file_add(list, bytes, err));
    }
}

static winnow_status write_summary(struct repeats *r, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "winnow_repeats", 1);
    json_member_text(&w, "unit", UNIT_NAME(r->opt));
    guard_write(&r->guard, &w);
    winnow_status st = left_write((struct buf *const[]){&r->list_path}, 1, &w, err);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    st = st == WINNOW_OK ? file_write_atomic(buf_cstr(&r->summary_path), buf_str(&text), err) : st;
    buf_release(&text);
    return st;
}

static winnow_status survey(struct repeats *r, struct winnow_error *err)
{
    uint64_t limit = stage_env(r->stage)->memory_max;
    uint64_t left = limit > STAGE_MEMORY_LEAST ? limit - STAGE_MEMORY_LEAST : 0;
    uint64_t memory = limit == 0 || left / 3 > SORT_MOST ? SORT_MOST : left / 3;
    TRY(record_sort_new(&r->hashes, HASH_WORDS, memory, buf_cstr(&r->folder), err));
    TRY(record_sort_new(&r->places, PLACE_WORDS, memory, buf_cstr(&r->folder), err));
    const struct stage_pass pass = {.name = "hashes",
                                    .state = r,
                                    .worker_new = hasher_new,
                                    .worker_free = hasher_free,
                                    .document = hash_units,
                                    .growth = held,
                                    .scratch_factor = 2,
                                    .worker_bytes = sizeof(struct hasher)};
    TRY(stage_run_pass(r->stage, &pass, err));
    if (r->status != WINNOW_OK) {
        return error_set(err, r->status, "%s", r->error.text);
    }
    TRY(find_repeats(r, err));
    struct near_file list = NEAR_FILE_NONE;
    winnow_status st = write_places(r, &list, err);
    near_file_close(&list);
    TRY(st);
    return write_summary(r, err);
}

static winnow_status read_summary(struct repeats *r, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    guard_release(&r->guard);
    r->guard = (struct guard){.what = UNIT_NAME(r->opt)};
    winnow_status st =
        json_read_file(buf_cstr(&r->summary_path), LEFT_SUMMARY_MAX, parser, &root, err);
    if (st == WINNOW_OK && !guard_read(&r->guard, root)) {
        st = error_set(err, WINNOW_E_FORMAT, "%s is no summary of a dedup: remove it",
                       buf_cstr(&r->summary_path));
    }
    json_parser_free(parser);
    stage_note_double(r->stage, "units", (double)r->guard.in);
    stage_note_double(r->stage, "repeated", (double)r->guard.removed);
    return st;
}

/* ---- 2. verdicts ---- */

/* The repeats of a document: pairs of ordinal and index. */
static const uint64_t *repeats_of(struct repeats *r, uint64_t ordinal, size_t *count)
{
    if (atomic_fetch_add(&r->looked, 1) % FORGET_EVERY == FORGET_EVERY - 1) {
        file_map_forget(r->list.bytes); /* documents come nearly in order: it is behind us */
    }
    const uint64_t *places = (const uint64_t *)(const void *)r->list.bytes.ptr;
    size_t all = r->list.bytes.len / (PLACE_WORDS * sizeof *places), low = 0, high = all;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (places[middle * PLACE_WORDS] < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < all && places[end * PLACE_WORDS] == ordinal) {
        end++;
    }
    *count = end - low;
    return places + low * PLACE_WORDS;
}

struct cutter {
    uint64_t *indices;
    size_t cap;
};

static void *cutter_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct cutter));
}

static void cutter_free(void *worker)
{
    struct cutter *c = worker;
    mem_free(c->indices);
    mem_free(c);
}

static winnow_status cut(void *state, void *worker, const struct document *d,
                         struct stage_result *result, struct winnow_error *err)
{
    (void)err;
    struct repeats *r = state;
    struct cutter *c = worker;
    size_t count;
    const uint64_t *places = repeats_of(r, d->ordinal, &count);
    if (count == 0) {
        return WINNOW_OK;
    }
    if (count > c->cap) {
        mem_free(c->indices);
        c->cap = count * 2;
        c->indices = mem_alloc(c->cap * sizeof *c->indices);
    }
    for (size_t i = 0; i < count; i++) {
        c->indices[i] = places[i * PLACE_WORDS + 1];
    }
    units_without(d->text, by_paragraphs(r), c->indices, count, &result->text);
    bool nothing = str_trim(buf_str(&result->text)).len == 0;
    result->verdict = nothing ? STAGE_REMOVE : STAGE_EDIT;
    result->rule = by_paragraphs(r) ? "repeated_paragraphs" : "repeated_lines";
    result->score = (double)count;
    return WINNOW_OK;
}

static winnow_status run_steps(struct repeats *r, struct winnow_error *err)
{
    if (!left_whole(&r->summary_path, (struct buf *const[]){&r->list_path}, 1)) {
        TRY(survey(r, err));
        record_sort_free(r->hashes);
        record_sort_free(r->places);
        r->hashes = r->places = NULL;
    }
    TRY(read_summary(r, err));
    guard_warn(&r->guard, stage_env(r->stage));
    TRY(guard_check(&r->guard, r->opt, err));
    TRY(file_map_open(buf_cstr(&r->list_path), &r->list, err));
    stage_owns(r->stage, "state/repeats");
    stage_owns(r->stage, "state/repeats.json");
    const struct stage_pass pass = {.name = "dedup",
                                    .verdicts = true,
                                    .state = r,
                                    .worker_new = cutter_new,
                                    .worker_free = cutter_free,
                                    .document = cut,
                                    .edits = true};
    return stage_run_pass(r->stage, &pass, err);
}

winnow_status repeats_run(struct stage *stage, const struct winnow_dedup_options *opt,
                          struct winnow_error *err)
{
    struct repeats r = {.stage = stage, .opt = opt};
    (void)pthread_mutex_init(&r.lock, NULL);
    (void)stage_path(stage, "repeats", &r.list_path);
    (void)stage_path(stage, "repeats.json", &r.summary_path);
    (void)stage_path(stage, "", &r.folder);
    winnow_status st = run_steps(&r, err);
    record_sort_free(r.hashes);
    record_sort_free(r.places);
    file_map_close(&r.list);
    guard_release(&r.guard);
    buf_release(&r.list_path);
    buf_release(&r.summary_path);
    buf_release(&r.folder);
    (void)pthread_mutex_destroy(&r.lock);
    return st;
}
