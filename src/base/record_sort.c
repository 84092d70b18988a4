/* record_sort.c -- radix sort in memory, sorted runs on disk, merged by a heap.
 *
 * In memory: least significant digit first, a byte at a time, passing over bytes that are
 * the same in all records, of which small numbers have many.  It needs a second array, so
 * half of the memory holds records.
 *
 * On disk: a run each time that half is full.  FAN_IN runs of one level are merged into one
 * of the next, so that at the end no more than FAN_IN a level are open side by side, each
 * with its share of the memory that the records had. */
#include "base/record_sort.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define FAN_IN       64U
#define FIRST_BYTES  ((size_t)1 << 16)
#define BUFFER_LEAST ((size_t)4096)
#define RADIX        256U

struct run {
    uint64_t at, end; /* in the file, bytes; at: of what is still to be read */
    unsigned level;
    uint64_t *items; /* read ahead, of the memory of the sort */
    size_t next, count;
};

struct record_sort {
    unsigned words;
    size_t bytes; /* of a record */
    uint64_t memory;
    uint64_t *items, *other; /* cap records each; other is scratch of the sort */
    size_t count, cap, next;
    int fd;
    uint64_t file_end;
    char *folder;
    struct run *runs;
    size_t run_count, run_cap;
    size_t *heap; /* indices of runs, the least record on top */
    size_t heap_count;
    uint64_t out[RECORD_WORDS_MAX];
    bool finished, merging;
};

winnow_status record_sort_new(struct record_sort **out, unsigned words, uint64_t memory,
                              const char *folder, struct winnow_error *err)
{
    (void)err;
    assert(words > 0 && words <= RECORD_WORDS_MAX);
    struct record_sort *s = mem_zalloc(sizeof *s);
    *out = s;
    s->words = words;
    s->bytes = words * sizeof(uint64_t);
    s->memory = memory < RECORD_MEMORY_LEAST ? RECORD_MEMORY_LEAST : memory;
    s->fd = -1;
    s->folder = mem_strdup(folder);
    return WINNOW_OK;
}

void record_sort_free(struct record_sort *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    mem_free(s->items);
    mem_free(s->other);
    mem_free(s->runs);
    mem_free(s->heap);
    mem_free(s->folder);
    mem_free(s);
}

uint64_t record_sort_bytes(const struct record_sort *s)
{
    return s->cap * s->bytes * 2 + s->run_cap * sizeof *s->runs;
}

/* ---- in memory ---- */

static int compare(const uint64_t *a, const uint64_t *b, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

static void copy_record(uint64_t *to, const uint64_t *from, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        to[i] = from[i];
    }
}

/* Stable, by the byte at `shift` of a word, from items to other. */
static void distribute(const struct record_sort *s, unsigned word, unsigned shift,
                       const size_t counts[RADIX])
{
    size_t place[RADIX], at = 0;
    for (size_t i = 0; i < RADIX; i++) {
        place[i] = at;
        at += counts[i];
    }
    const uint64_t *from = s->items;
    for (size_t i = 0; i < s->count; i++, from += s->words) {
        size_t digit = (from[word] >> shift) & (RADIX - 1);
        copy_record(&s->other[place[digit]++ * s->words], from, s->words);
    }
}

static void sort_word(struct record_sort *s, unsigned word)
{
    static const unsigned BYTES = sizeof(uint64_t);
    size_t counts[sizeof(uint64_t)][RADIX] = {{0}};
    for (size_t i = 0; i < s->count; i++) {
        uint64_t value = s->items[i * s->words + word];
        for (unsigned b = 0; b < BYTES; b++) {
            counts[b][(value >> (8 * b)) & (RADIX - 1)]++;
        }
    }
    for (unsigned b = 0; b < BYTES; b++) {
        if (counts[b][(s->items[word] >> (8 * b)) & (RADIX - 1)] == s->count) {
            continue;
        }
        distribute(s, word, 8 * b, counts[b]);
        uint64_t *swap = s->items;
        s->items = s->other;
        s->other = swap;
    }
}

static void sort_items(struct record_sort *s)
{
    for (unsigned word = s->words; s->count > 1 && word > 0; word--) {
        sort_word(s, word - 1);
    }
}

static winnow_status grow(struct record_sort *s, struct winnow_error *err)
{
    size_t most = (size_t)(s->memory / 2 / s->bytes);
    size_t cap = s->cap == 0 ? FIRST_BYTES / s->bytes : s->cap * 2;
    cap = cap < most ? cap : most;
    void *items = s->items;
    mem_free(s->other);
    s->other = NULL;
    bool grown = mem_try_grow(&items, s->cap * s->bytes, cap * s->bytes);
    s->items = items;
    s->other = grown ? mem_try_alloc(cap * s->bytes) : NULL;
    if (!s->other) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to sort %zu records of %zu bytes", cap,
                         s->bytes);
    }
    s->cap = cap;
    return WINNOW_OK;
}

/* ---- on disk ---- */

static winnow_status open_file(struct record_sort *s, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    const char *name = file_join(&path, s->folder, "sort-XXXXXX.tmp");
    char *made = mem_strdup(name);
    s->fd = mkostemps(made, 4, O_CLOEXEC);
    if (s->fd < 0) {
        st = error_errno(err, "cannot create", made);
    } else if (unlink(made) != 0) {
        st = error_errno(err, "cannot remove", made);
    }
    mem_free(made);
    buf_release(&path);
    return st;
}

static winnow_status write_items(struct record_sort *s, const uint64_t *items, size_t count,
                                 struct winnow_error *err)
{
    struct str bytes = {(const char *)items, count * s->bytes};
    while (bytes.len > 0) {
        ssize_t n = pwrite(s->fd, bytes.ptr, bytes.len, (off_t)s->file_end);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return error_errno(err, "cannot write the records to sort to", s->folder);
        }
        s->file_end += (uint64_t)n;
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return WINNOW_OK;
}

static winnow_status read_ahead(struct record_sort *s, struct run *r, size_t room,
                                struct winnow_error *err)
{
    uint64_t left = r->end - r->at;
    size_t want = (size_t)(left < room * s->bytes ? left : room * s->bytes), have = 0;
    while (have < want) {
        ssize_t n = pread(s->fd, (char *)r->items + have, want - have, (off_t)(r->at + have));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return error_errno(err, "cannot read the records to sort from", s->folder);
        }
        have += (size_t)n;
    }
    r->at += want;
    r->next = 0;
    r->count = want / s->bytes;
    return WINNOW_OK;
}

/* ---- merging ---- */

static const uint64_t *head_of(const struct record_sort *s, size_t run)
{
    const struct run *r = &s->runs[run];
    return &r->items[r->next * s->words];
}

/* Equal records are alike, so which run goes first cannot be seen. */
static bool before(const struct record_sort *s, size_t a, size_t b)
{
    return compare(head_of(s, a), head_of(s, b), s->words) < 0;
}

static void sift_down(struct record_sort *s, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < s->heap_count && before(s, s->heap[left], s->heap[least])) {
            least = left;
        }
        if (right < s->heap_count && before(s, s->heap[right], s->heap[least])) {
            least = right;
        }
        if (least == at) {
            return;
        }
        size_t swap = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = swap;
        at = least;
    }
}

/* Records that each of `count` runs may read ahead: of the memory of the records, of which
 * one more share is left for what is written. */
static size_t share_of(const struct record_sort *s, size_t count)
{
    size_t share = 2 * s->cap / (count + 1);
    assert(share > 0); /* FAN_IN a level, and RECORD_MEMORY_LEAST */
    return share;
}

/* The runs from `from` on, read ahead in items and other. */
static winnow_status start_merge(struct record_sort *s, size_t from, struct winnow_error *err)
{
    size_t count = s->run_count - from, share = share_of(s, count);
    size_t each = s->cap / share; /* runs that lie in one of the two arrays */
    mem_free(s->heap);
    s->heap = mem_alloc(count * sizeof *s->heap);
    s->heap_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct run *r = &s->runs[from + i];
        r->items =
            i < each ? s->items + i * share * s->words : s->other + (i - each) * share * s->words;
        assert(i - (i < each ? 0 : each) < each);
        TRY(read_ahead(s, r, share, err));
        s->heap[s->heap_count++] = from + i;
    }
    for (size_t i = s->heap_count; i > 0; i--) {
        sift_down(s, i - 1);
    }
    return WINNOW_OK;
}

static winnow_status pop(struct record_sort *s, size_t share, bool *more, struct winnow_error *err)
{
    *more = s->heap_count > 0;
    if (!*more) {
        return WINNOW_OK;
    }
    struct run *r = &s->runs[s->heap[0]];
    copy_record(s->out, head_of(s, s->heap[0]), s->words);
    r->next++;
    if (r->next == r->count && r->at < r->end) {
        TRY(read_ahead(s, r, share, err));
    } else if (r->next == r->count) {
        s->heap[0] = s->heap[--s->heap_count];
    }
    sift_down(s, 0);
    return WINNOW_OK;
}

/* The last runs, all of one level, become one of the next. */
static winnow_status merge_level(struct record_sort *s, size_t from, struct winnow_error *err)
{
    struct run merged = {.at = s->file_end, .level = s->runs[from].level + 1};
    size_t share = share_of(s, s->run_count - from), filled = 0;
    uint64_t *out = mem_alloc(BUFFER_LEAST * s->bytes);
    bool more = true;
    winnow_status st = start_merge(s, from, err);
    while (st == WINNOW_OK && more) {
        st = pop(s, share, &more, err);
        if (st == WINNOW_OK && more) {
            copy_record(out + filled++ * s->words, s->out, s->words);
        }
        if (st == WINNOW_OK && (filled == BUFFER_LEAST || !more)) {
            st = write_items(s, out, filled, err);
            filled = 0;
        }
    }
    mem_free(out);
    merged.end = s->file_end;
    s->run_count = from;
    s->runs[s->run_count++] = merged;
    return st;
}

static winnow_status spill(struct record_sort *s, struct winnow_error *err)
{
    if (s->fd < 0) {
        TRY(open_file(s, err));
    }
    sort_items(s);
    struct run run = {.at = s->file_end};
    TRY(write_items(s, s->items, s->count, err));
    run.end = s->file_end;
    s->count = 0;
    GROW(s->runs, s->run_count, s->run_cap, FAN_IN);
    s->runs[s->run_count++] = run;
    for (;;) {
        size_t from = s->run_count - 1;
        while (from > 0 && s->runs[from - 1].level == s->runs[s->run_count - 1].level) {
            from--;
        }
        if (s->run_count - from < FAN_IN) {
            return WINNOW_OK;
        }
        TRY(merge_level(s, from, err));
    }
}

/* ---- the interface ---- */

winnow_status record_sort_add(struct record_sort *s, const uint64_t *records, size_t count,
                              struct winnow_error *err)
{
    assert(!s->finished);
    while (count > 0) {
        size_t most = (size_t)(s->memory / 2 / s->bytes);
        if (s->count == most) {
            TRY(spill(s, err));
        }
        if (s->count == s->cap) {
            TRY(grow(s, err));
        }
        size_t room = s->cap - s->count, n = count < room ? count : room;
        memcpy(s->items + s->count * s->words, records, n * s->bytes);
        s->count += n;
        records += n * s->words;
        count -= n;
    }
    return WINNOW_OK;
}

winnow_status record_sort_finish(struct record_sort *s, struct winnow_error *err)
{
    s->finished = true;
    if (s->run_count == 0) {
        sort_items(s);
        return WINNOW_OK;
    }
    if (s->count > 0) {
        TRY(spill(s, err));
    }
    s->merging = true;
    return start_merge(s, 0, err);
}

winnow_status record_sort_next(struct record_sort *s, const uint64_t **record,
                               struct winnow_error *err)
{
    assert(s->finished);
    *record = NULL;
    if (!s->merging) {
        *record = s->next < s->count ? s->items + s->next++ * s->words : NULL;
        return WINNOW_OK;
    }
    bool more;
    TRY(pop(s, share_of(s, s->run_count), &more, err));
    *record = more ? s->out : NULL;
    return WINNOW_OK;
}
