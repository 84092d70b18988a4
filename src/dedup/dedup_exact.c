/* dedup_exact.c -- a set of hashes that knows who came first.
 *
 * The set is cut into PARTS small tables by the top bits of the hash.  Each is
 * open-addressed and grows by a quarter when 85 % full, so growing never holds
 * more than one small table twice, and load stays in 0.68..0.85: 20 bytes a
 * slot make 24 to 30 bytes a document.  A slot is
 *
 *     96 bits of the hash (with the 12 that name the part: 108)
 *     | 40 bits: offset of the id + 1 | 24 bits: how often it came, less one
 *
 * Two different texts are taken for one with probability n^2 / 2^109: 2e-15 for
 * a billion documents.
 *
 * Ids are only needed for duplicates (the ledger names the document that
 * stays), so they lie in a file that is unlinked as soon as it is open, each
 * behind its length; appended through a buffer, read back by offset. */
#include "dedup/dedup_exact.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

#define PARTS          4096U
#define PART_SLOTS_MIN 8U
#define OFFSET_HIGH    0xFFU /* of the last word; above it the count */
#define COUNT_ONE      0x100U
#define COUNT_SHIFT    8U

struct slot {
    uint32_t word[5]; /* hash, hash, hash, offset + 1 (low; high, count); offset 0: free */
};

struct part {
    struct slot *slots;
    uint32_t count, size;
};

struct dedup_exact {
    struct part parts[PARTS];
    uint64_t bytes, memory_max;
    uint64_t largest, largest_at; /* count of the text that came most often, offset of its id */
    int fd;
    uint64_t file_end; /* bytes in the file; what is in tail comes behind */
    struct buf tail, id;
};

/* ---- the hash ---- */

static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static void add_folded(struct buf *out, uint32_t code)
{
    utf8proc_int32_t folded[4];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)code, folded, 4, UTF8PROC_CASEFOLD, &boundary);
    if (n < 1 || n > 4) {
        utf8_add(out, code);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        utf8_add(out, (uint32_t)folded[i]);
    }
}

struct hash128 dedup_hash(struct str text, bool spaces, bool fold_case, struct buf *scratch)
{
    if (!spaces && !fold_case) {
        return hash128(text);
    }
    buf_clear(scratch);
    bool pending = false;
    for (size_t at = 0; at < text.len;) {
        uint32_t code;
        size_t n = utf8_decode(text, at, &code);
        if (n == 0) { /* documents are checked; be exact about what is not text, too */
            buf_add_char(scratch, text.ptr[at++]);
            continue;
        }
        at += n;
        if (spaces && is_space(code)) {
            pending = scratch->len > 0;
            continue;
        }
        if (pending) {
            buf_add_char(scratch, ' ');
            pending = false;
        }
        if (!fold_case) {
            utf8_add(scratch, code);
        } else if (code < 0x80) {
            buf_add_char(scratch, (char)(code >= 'A' && code <= 'Z' ? code + 32 : code));
        } else {
            add_folded(scratch, code);
        }
    }
    return hash128(buf_str(scratch));
}

/* ---- the set ---- */

winnow_status dedup_exact_new(struct dedup_exact **out, const char *folder, uint32_t rank,
                              uint64_t memory_max, struct winnow_error *err)
{
    struct dedup_exact *d = mem_zalloc(sizeof *d);
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    *out = d;
    d->memory_max = memory_max;
    d->bytes = sizeof *d;
    /* Always the same name: what a killed process left is replaced. */
    buf_addf(&path, "%s/ids-%u.tmp", folder, rank);
    const char *name = buf_cstr(&path);
    d->fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (d->fd < 0) {
        st = error_errno(err, "cannot create", name);
    } else if (unlink(name) != 0) {
        st = error_errno(err, "cannot remove", name);
    }
    buf_release(&path);
    return st;
}

void dedup_exact_free(struct dedup_exact *d)
{
    if (!d) {
        return;
    }
    for (size_t i = 0; i < PARTS; i++) {
        mem_free(d->parts[i].slots);
    }
    if (d->fd >= 0) {
        (void)close(d->fd);
    }
    buf_release(&d->tail);
    buf_release(&d->id);
    mem_free(d);
}

static uint64_t slot_offset(const struct slot *s)
{
    return (uint64_t)(s->word[4] & OFFSET_HIGH) << 32 | s->word[3];
}

/* The slot of that hash, or the free one where it belongs. */
static struct slot *find_slot(const struct part *p, const uint32_t hash[3])
{
    uint32_t at = (uint32_t)(((uint64_t)hash[0] * p->size) >> 32);
    for (;;) {
        struct slot *s = &p->slots[at];
        if (slot_offset(s) == 0 || memcmp(s->word, hash, 3 * sizeof *hash) == 0) {
            return s;
        }
        at = at + 1 == p->size ? 0 : at + 1;
    }
}

static winnow_status grow(struct dedup_exact *d, struct part *p, struct winnow_error *err)
{
    struct part bigger = {.count = p->count,
                          .size = p->size < PART_SLOTS_MIN ? PART_SLOTS_MIN
                                                           : p->size + p->size / 4 + 1};
    uint64_t more = (uint64_t)(bigger.size - p->size) * sizeof *p->slots;
    bool fits = d->memory_max == 0 || d->bytes + more <= d->memory_max;
    bigger.slots = fits ? mem_try_alloc(bigger.size * sizeof *bigger.slots) : NULL;
    if (!bigger.slots) {
        return error_set(err, fits ? WINNOW_E_NOMEM : WINNOW_E_LIMIT,
                         "the table of hashes would take more than %s%" PRIu64 " bytes",
                         fits ? "" : "--memory allows, ", d->bytes + more);
    }
    memset(bigger.slots, 0, bigger.size * sizeof *bigger.slots);
    for (uint32_t i = 0; i < p->size; i++) {
        if (slot_offset(&p->slots[i]) != 0) {
            *find_slot(&bigger, p->slots[i].word) = p->slots[i];
        }
    }
    mem_free(p->slots);
    *p = bigger;
    d->bytes += more;
    return WINNOW_OK;
}

/* ---- the ids ---- */

static winnow_status flush_ids(struct dedup_exact *d, struct winnow_error *err)
{
    TRY(file_write_fd(d->fd, buf_str(&d->tail), "the file of ids", err));
    d->file_end += d->tail.len;
    buf_clear(&d->tail);
    return WINNOW_OK;
}

static winnow_status append_id(struct dedup_exact *d, struct str id, uint64_t *offset,
                               struct winnow_error *err)
{
    uint32_t len = (uint32_t)id.len;
    *offset = d->file_end + d->tail.len;
    buf_add(&d->tail, &len, sizeof len);
    buf_add_str(&d->tail, id);
    return d->tail.len > (size_t)1 << 20 ? flush_ids(d, err) : WINNOW_OK;
}

static winnow_status read_bytes(struct dedup_exact *d, uint64_t at, char *to, size_t len,
                                struct winnow_error *err)
{
    if (len == 0) { /* an empty id; the tail may not exist yet */
        return WINNOW_OK;
    }
    if (at >= d->file_end) {
        assert(at - d->file_end + len <= d->tail.len);
        memcpy(to, d->tail.ptr + (at - d->file_end), len);
        return WINNOW_OK;
    }
    return file_read_at(d->fd, at, to, len, "the file of ids", err);
}

static winnow_status read_id(struct dedup_exact *d, uint64_t offset, struct str *id,
                             struct winnow_error *err)
{
    uint32_t len;
    char head[sizeof len];
    TRY(read_bytes(d, offset, head, sizeof head, err));
    memcpy(&len, head, sizeof len);
    buf_clear(&d->id);
    (void)buf_reserve(&d->id, len);
    TRY(read_bytes(d, offset + sizeof head, d->id.ptr, len, err));
    d->id.len = len;
    *id = len > 0 ? buf_str(&d->id) : (struct str){"", 0};
    return WINNOW_OK;
}

static void count_again(struct dedup_exact *d, struct slot *s)
{
    if (s->word[4] >> COUNT_SHIFT < UINT32_MAX >> COUNT_SHIFT) {
        s->word[4] += COUNT_ONE;
    }
    uint64_t count = (uint64_t)(s->word[4] >> COUNT_SHIFT) + 1;
    if (count > d->largest) {
        d->largest = count;
        d->largest_at = slot_offset(s) - 1;
    }
}

winnow_status dedup_exact_largest(struct dedup_exact *d, uint64_t *count, struct str *first,
                                  struct winnow_error *err)
{
    *count = d->largest;
    *first = (struct str){NULL, 0};
    return d->largest > 0 ? read_id(d, d->largest_at, first, err) : WINNOW_OK;
}

winnow_status dedup_exact_add(struct dedup_exact *d, struct hash128 h, struct str id,
                              struct str *first, struct winnow_error *err)
{
    struct part *p = &d->parts[h.high >> 52];
    const uint32_t hash[3] = {(uint32_t)h.low, (uint32_t)(h.low >> 32), (uint32_t)h.high};
    *first = (struct str){NULL, 0};
    if ((uint64_t)(p->count + 1) * 100 > (uint64_t)p->size * 85) {
        TRY(grow(d, p, err));
    }
    struct slot *s = find_slot(p, hash);
    if (slot_offset(s) != 0) {
        count_again(d, s);
        return read_id(d, slot_offset(s) - 1, first, err);
    }
    uint64_t offset;
    TRY(append_id(d, id, &offset, err));
    if ((offset + 1) >> 32 > OFFSET_HIGH) {
        return error_set(err, WINNOW_E_LIMIT, "the ids take more than a terabyte");
    }
    memcpy(s->word, hash, sizeof hash);
    s->word[3] = (uint32_t)(offset + 1);
    s->word[4] = (uint32_t)((offset + 1) >> 32);
    p->count++;
    return WINNOW_OK;
}

uint64_t dedup_exact_bytes(const struct dedup_exact *d)
{
    return d->bytes;
}

uint64_t dedup_exact_memory(uint64_t documents)
{
    return sizeof(struct dedup_exact) + ((uint64_t)2 << 20) + documents * 30 +
           (uint64_t)PARTS * PART_SLOTS_MIN * sizeof(struct slot);
}
