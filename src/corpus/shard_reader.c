/* shard_reader.c -- cuts a stream of bytes into blocks of whole lines.
 *
 * A block is the whole lines among the next block_max bytes; where the first
 * line alone is longer than that, the block is this line.  The cut therefore
 * depends on the bytes only, never on what read(2) happens to give.  What was
 * read past the cut is carried into the next block.
 *
 *      |<------------ block_max ----------->|
 *      | line | line | line | line | part of|a line ...
 *      |<--------- block --------->|<-carry>|
 *
 * A line past line_max is not kept: its head is, for the quarantine, and the
 * rest is read away up to its newline.  So memory is bounded by block_max plus
 * line_max whatever the input is.  Where --memory has no room for line_max, a
 * line that it has no room for ends the command with a sentence: what counts as
 * a document must not depend on the machine.
 */
#include "corpus/shard_reader.h"

#include "base/mem.h"
#include "corpus/byte_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define HEAD_MAX  4096U               /* of a line too long to keep */
#define READ_STEP ((size_t)1 << 20)   /* in search of the end of a long line */
#define RUN_FILE  ((uint64_t)8 << 20) /* a block, its copy in the parser, a zstd window */
#define RUN_BYTE  4.0                 /* of a long line: raw, grown, parsed, copied */

struct shard_reader {
    struct byte_source *source;
    const char *path, *name, *shown, *label;
    struct shard_reader_options opt;
    struct buf carry;
    uint64_t offset, line; /* of the next block */
    bool ended, tear_told;
    struct winnow_error unreadable; /* why the system gave no more, or empty */
};

void shard_block_release(struct shard_block *b)
{
    buf_release(&b->bytes);
    buf_release(&b->reason);
    *b = (struct shard_block){0};
}

winnow_status shard_reader_open(struct shard_reader **out, const char *path, const char *name,
                                const struct shard_reader_options *opt, struct winnow_error *err)
{
    *out = NULL;
    struct byte_source *source = NULL;
    uint64_t skipped = 0;
    winnow_status st = byte_source_open_lines(&source, path, opt->remote, err);
    if (st == WINNOW_OK) {
        byte_source_set_window_max(source, opt->window_max);
        byte_source_expect(source, opt->stamp);
        st = byte_source_skip_lines(source, opt->offset, opt->lines, &skipped, err);
    }
    bool unreadable = st == WINNOW_E_IO && opt->keep_going;
    st = unreadable ? WINNOW_OK : st;
    if (st == WINNOW_OK && !unreadable && skipped < opt->offset) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds only %" PRIu64 " bytes, but was read up to byte %" PRIu64
                       " before: it has changed",
                       path, skipped, opt->offset);
    }
    if (st != WINNOW_OK) {
        byte_source_close(source);
        return st;
    }
    struct shard_reader *r = mem_zalloc(sizeof *r);
    r->source = source;
    if (unreadable) {
        r->ended = true;
        r->unreadable = *err;
    }
    r->path = path;
    r->name = name;
    r->shown = opt->shown ? opt->shown : name;
    r->label = opt->label ? opt->label : name;
    r->opt = *opt;
    r->offset = opt->offset;
    r->line = opt->lines + 1;
    *out = r;
    return WINNOW_OK;
}

void shard_reader_close(struct shard_reader *r)
{
    if (r) {
        byte_source_close(r->source);
        buf_release(&r->carry);
        mem_free(r);
    }
}

uint64_t shard_reader_bytes_read(const struct shard_reader *r)
{
    return r->source ? byte_source_bytes_read(r->source) : 0;
}

uint64_t shard_reader_bytes_lost(const struct shard_reader *r, uint64_t bytes)
{
    uint64_t read = shard_reader_bytes_read(r);
    return r->tear_told && read < bytes ? bytes - read : 0;
}

/* Reads until b holds `want` bytes or nothing more comes. */
static winnow_status fill_to(struct shard_reader *r, struct buf *b, size_t want,
                             struct winnow_error *err)
{
    if (b->len < want) {
        (void)buf_reserve(b, want - b->len + JSON_PADDING);
    }
    while (!r->ended && b->len < want) {
        size_t got = 0;
        winnow_status st = byte_source_read(r->source, b->ptr + b->len, want - b->len, &got, err);
        if (st == WINNOW_E_IO && r->opt.keep_going) {
            r->unreadable = *err;
            got = 0;
        } else {
            TRY(st);
        }
        b->len += got;
        r->ended = got == 0;
    }
    return WINNOW_OK;
}

static uint64_t count_lines(struct str s)
{
    uint64_t n = 0;
    const char *end = s.ptr + s.len;
    for (const char *p = s.ptr; p && p < end; n++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p) {
            return n + 1; /* the last line, without its newline */
        }
        p++;
    }
    return n;
}

/* The first `len` bytes of b are the block, the rest waits. */
static void finish_lines(struct shard_reader *r, struct shard_block *b, size_t len)
{
    assert(len <= b->bytes.len);
    buf_clear(&r->carry);
    buf_add(&r->carry, b->bytes.ptr + len, b->bytes.len - len);
    b->bytes.len = len;
    memset(buf_reserve(&b->bytes, JSON_PADDING), 0, JSON_PADDING);
    b->lines = buf_str(&b->bytes);
    b->offset_end = b->offset + len;
    b->line_end = b->line + count_lines(b->lines);
}

/* b->reason says why. */
static void finish_bad(struct shard_block *b, uint64_t bytes, uint64_t newline)
{
    if (b->bytes.len > HEAD_MAX) {
        b->bytes.len = HEAD_MAX;
    }
    b->lines = (struct str){NULL, 0};
    b->bad = (struct bad_line){
        .line = b->line,
        .offset = b->offset,
        .bytes = bytes,
        .raw = buf_str(&b->bytes),
        .reason = buf_str(&b->reason),
    };
    b->offset_end = b->offset + bytes + newline;
    b->line_end = b->line + 1;
}

/* The bytes at hand are the start of a line that is not held, being past line_max
 * or past what the budget fits: reads to its end, where it is known which. */
static winnow_status skip_long_line(struct shard_reader *r, struct shard_block *b,
                                    struct winnow_error *err)
{
    uint64_t bytes = b->bytes.len;
    size_t newline = 0;
    buf_clear(&r->carry);
    b->bytes.len = b->bytes.len < HEAD_MAX ? b->bytes.len : HEAD_MAX;
    while (newline == 0) {
        TRY(fill_to(r, &r->carry, READ_STEP, err));
        if (r->carry.len == 0) {
            break;
        }
        const char *end = memchr(r->carry.ptr, '\n', r->carry.len);
        size_t part = end ? (size_t)(end - r->carry.ptr) : r->carry.len;
        newline = end ? 1 : 0;
        bytes += part;
        size_t rest = r->carry.len - part - newline;
        memmove(r->carry.ptr, r->carry.ptr + part + newline, rest);
        r->carry.len = rest;
    }
    if (bytes <= r->opt.line_max) {
        return line_budget_refuse(&r->opt.budget, r->path, b->line, bytes, err);
    }
    buf_addf(&b->reason, "the line is %" PRIu64 " bytes long, the limit is %zu", bytes,
             r->opt.line_max);
    finish_bad(b, bytes, newline);
    return WINNOW_OK;
}

/* The input has ended with b holding what was left. */
static void finish_end(struct shard_reader *r, struct shard_block *b, bool *more)
{
    bool failed = r->unreadable.text[0] != '\0';
    bool unreadable = failed || byte_source_changed(r->source);
    const char *torn = failed ? r->unreadable.text : byte_source_torn(r->source);
    const char *newline = b->bytes.len > 0 ? memrchr(b->bytes.ptr, '\n', b->bytes.len) : NULL;
    size_t whole = newline ? (size_t)(newline - b->bytes.ptr) + 1 : 0;
    if (!torn) {
        *more = b->bytes.len > 0;
        finish_lines(r, b, b->bytes.len);
    } else if (whole > 0) {
        finish_lines(r, b, whole);
    } else if (!r->tear_told) {
        r->tear_told = true;
        if (b->line == 1) {
            buf_addf(&b->reason, "no line of the shard can be read: %s", torn);
        } else {
            buf_addf(&b->reason,
                     "the shard cannot be read to its end: %s; what comes behind line %" PRIu64
                     " is lost",
                     torn, b->line - 1);
        }
        buf_clear(&r->carry);
        finish_bad(b, b->bytes.len, 0);
        b->bad.torn = true;
        b->bad.unreadable = unreadable;
    } else {
        *more = false;
    }
}

struct line_budget line_budget_of_run(uint64_t limit, unsigned files)
{
    return (struct line_budget){.limit = limit,
                                .fixed = limit > 0 ? mem_resident() + files * RUN_FILE : 0,
                                .per_byte = RUN_BYTE,
                                .instead = "leave --memory out"};
}

uint64_t line_budget_fits(const struct line_budget *b)
{
    if (b->limit == 0) {
        return UINT64_MAX;
    }
    return b->limit > b->fixed ? (uint64_t)((double)(b->limit - b->fixed) / b->per_byte) : 0;
}

winnow_status line_budget_refuse(const struct line_budget *b, const char *path, uint64_t line,
                                 uint64_t bytes, struct winnow_error *err)
{
    uint64_t fits = line_budget_fits(b);
    if (b->instead) {
        return error_set(err, WINNOW_E_LIMIT,
                         "%s:%" PRIu64 ": a line of %" PRIu64 " bytes needs --memory %" PRIu64
                         "M; --memory is %" PRIu64 "M.  Give more, or %s",
                         path, line, bytes,
                         ((b->fixed + (uint64_t)((double)bytes * b->per_byte)) >> 20) + 3,
                         b->limit >> 20, b->instead);
    }
    return error_set(
        err, WINNOW_E_LIMIT,
        "%s:%" PRIu64 ": a line of %" PRIu64 " bytes needs --memory %" PRIu64 "M; --memory %" PRIu64
        "M has room for %" PRIu64
        " bytes.  Give more, or set longer lines aside as bad with --line-max %" PRIu64,
        path, line, bytes, ((b->fixed + (uint64_t)((double)bytes * b->per_byte)) >> 20) + 3,
        b->limit >> 20, fits, fits);
}

/* The line begun in b cannot be held now: its bytes stay here until the next call. */
static void keep_waiting(struct shard_reader *r, struct shard_block *b)
{
    struct buf empty = r->carry;
    r->carry = b->bytes;
    b->bytes = empty;
    buf_release(&b->bytes);
    *b = (struct shard_block){.reason = b->reason,
                              .shard = r->name,
                              .shown = r->shown,
                              .label = r->label,
                              .waits = true,
                              .offset_end = r->offset,
                              .line_end = r->line};
}

static bool may_hold(const struct shard_reader *r, size_t bytes)
{
    return !r->opt.may_hold || r->opt.may_hold(r->opt.may_hold_ctx, bytes);
}

/* How far a long line is read next: a step, or one byte past what fits. */
static size_t next_size(const struct shard_reader *r, size_t len)
{
    uint64_t fits = line_budget_fits(&r->opt.budget);
    return fits - len < READ_STEP ? (size_t)fits + 1 : len + READ_STEP;
}

/* An empty block at the reader's place, with what was read past the one before. */
static void begin_block(struct shard_reader *r, struct shard_block *b)
{
    struct buf bytes = b->bytes, reason = b->reason;
    buf_clear(&reason);
    if (r->carry.len > r->opt.block_max) { /* a line that waited: too large to copy */
        buf_release(&bytes);
        bytes = r->carry;
        r->carry = (struct buf){0};
    } else {
        buf_clear(&bytes);
        buf_add_str(&bytes, buf_str(&r->carry));
        buf_clear(&r->carry);
    }
    *b = (struct shard_block){.bytes = bytes,
                              .reason = reason,
                              .shard = r->name,
                              .shown = r->shown,
                              .label = r->label,
                              .offset = r->offset,
                              .line = r->line,
                              .line_max = r->opt.line_max};
}

/* Where the block ends among the bytes at hand: behind the last newline within want, or,
 * as its first line is longer, behind the first one after that.  0: not seen yet. */
static size_t find_end(const struct buf *bytes, size_t want, size_t *searched)
{
    const char *newline = NULL;
    if (*searched == 0 && bytes->len >= want) {
        newline = memrchr(bytes->ptr, '\n', want);
        *searched = want;
    }
    if (!newline && *searched > 0 && bytes->len > *searched) {
        newline = memchr(bytes->ptr + *searched, '\n', bytes->len - *searched);
    }
    return newline ? (size_t)(newline - bytes->ptr) + 1 : 0;
}

winnow_status shard_reader_next(struct shard_reader *r, struct shard_block *b, bool *more,
                                struct winnow_error *err)
{
    begin_block(r, b);
    *more = true;
    size_t want = r->opt.block_max;
    size_t searched = 0;
    winnow_status st = WINNOW_OK;
    for (;;) {
        TRY(fill_to(r, &b->bytes, want, err));
        size_t end = find_end(&b->bytes, want, &searched);
        if (end > 0) {
            finish_lines(r, b, end);
            break;
        }
        if (b->bytes.len < want) {
            finish_end(r, b, more);
            break;
        }
        searched = b->bytes.len;
        if (b->bytes.len > r->opt.line_max || b->bytes.len > line_budget_fits(&r->opt.budget)) {
            st = skip_long_line(r, b, err);
            break;
        }
        if (!may_hold(r, b->bytes.len + READ_STEP)) {
            keep_waiting(r, b);
            return WINNOW_OK;
        }
        want = next_size(r, b->bytes.len);
    }
    /* Blocks follow each other without a gap: a place to go on from is a place between two. */
    assert(st != WINNOW_OK || !*more || (b->offset_end >= r->offset && b->line_end >= r->line));
    r->offset = b->offset_end;
    r->line = b->line_end;
    return st;
}
