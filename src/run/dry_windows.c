/* dry_windows.c -- windows over documents, for a dry run's sample.
 *
 * All shards lie end to end, by their bytes on disk.  The whole is cut into as many stretches
 * as there are windows, and one window is drawn in each: every byte is as likely to be seen as
 * any other, however unequal the shards.  A line belongs to the window that it begins in, so
 * documents and bytes alike are those of the sample times one factor.  A packed shard cannot be
 * entered in the middle: it gives as much as its windows hold from its beginning.
 *
 * Windows of one shard become one file, which goes by the shard's name. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/byte_kind.h"
#include "corpus/shard_reader.h"
#include "run/dry_sample_internal.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#define WINDOWS     64U
#define STEP        ((size_t)1 << 16)
#define SHARE_BYTES ((uint64_t)2 << 20) /* unpacked of a shard to see how it is packed */

/* The part of window `number` that lies in one shard, bytes on disk. */
struct part {
    uint64_t from, to;
    size_t number;
};

struct windows {
    struct run *run;
    struct sample *sample;
    const struct shard_list *in;
    double lines[WINDOWS]; /* that begin in each */
    char *room;            /* [STEP] */
    int to;                /* the file in work */
    const char *path;
};

/* ---- a shard that is not packed ---- */

static winnow_status write_out(struct windows *w, struct str bytes, struct winnow_error *err)
{
    w->sample->bytes += bytes.len;
    return file_write_fd(w->to, bytes, w->path, err);
}

/* The next step of a file from `at`; nothing at its end, or where it cannot be read: the run
 * on the sample says so of what is left out. */
static struct str look(struct windows *w, int fd, uint64_t at)
{
    ssize_t n = pread(fd, w->room, STEP, (off_t)at);
    return (struct str){w->room, n > 0 ? (size_t)n : 0};
}

/* Where the first line begins at or behind `from`, before `to`; else `to`. */
static uint64_t first_line(struct windows *w, int fd, uint64_t from, uint64_t to)
{
    if (from == 0) {
        return 0;
    }
    for (uint64_t at = from - 1; at + 1 < to;) {
        struct str bytes = look(w, fd, at);
        const char *end = bytes.len > 0 ? memchr(bytes.ptr, '\n', bytes.len) : NULL;
        if (bytes.len == 0) {
            break;
        }
        if (end) {
            at += (uint64_t)(end - bytes.ptr) + 1;
            return at < to ? at : to;
        }
        at += bytes.len;
    }
    return to;
}

/* The lines that begin within a part, to the end of the last, though never more than one that
 * is too long for the run. */
static winnow_status copy_part(struct windows *w, int fd, const struct part *p, uint64_t line_max,
                               struct winnow_error *err)
{
    uint64_t at = first_line(w, fd, p->from, p->to);
    bool over = at >= p->to;
    while (!over && at < p->to + line_max + STEP) {
        struct str bytes = look(w, fd, at);
        size_t keep = bytes.len, search = at + 1 < p->to ? (size_t)(p->to - 1 - at) : 0;
        if (search < bytes.len) {
            const char *end = memchr(bytes.ptr + search, '\n', bytes.len - search);
            over = end != NULL;
            keep = end ? (size_t)(end - bytes.ptr) + 1 : keep;
        }
        over = over || bytes.len == 0;
        for (size_t i = 0; i < keep; i++) {
            w->lines[p->number] += bytes.ptr[i] == '\n';
        }
        TRY(write_out(w, str_sub(bytes, 0, keep), err));
        at += keep;
    }
    return WINNOW_OK;
}

static winnow_status copy_plain(struct windows *w, const struct shard *shard,
                                const struct part *parts, size_t count, struct winnow_error *err)
{
    int fd = open(shard->path, O_RDONLY | O_CLOEXEC);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; fd >= 0 && st == WINNOW_OK && i < count; i++) {
        st = copy_part(w, fd, &parts[i], w->run->corpus->line_max, err);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return st;
}

/* ---- a packed one ---- */

static winnow_status open_packed(const struct windows *w, const struct shard *shard,
                                 struct shard_reader **out, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.block_max = w->sample->size->window_bytes;
    opt.line_max = (size_t)w->run->corpus->line_max;
    opt.stamp = &shard->stamp;
    opt.remote = shard->remote;
    opt.keep_going = shard->met;
    return shard_reader_open(out, shard->path, shard->name, &opt, err);
}

/* Bytes that a byte of the shard becomes. */
static winnow_status unpacked(const struct windows *w, const struct shard *shard, double *out,
                              struct winnow_error *err)
{
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    uint64_t total = 0;
    bool more = true;
    winnow_status st = open_packed(w, shard, &reader, err);
    while (st == WINNOW_OK && more && total < SHARE_BYTES) {
        st = shard_reader_next(reader, &block, &more, err);
        total += more ? block.lines.len : 0;
    }
    uint64_t read = st == WINNOW_OK ? shard_reader_bytes_read(reader) : 0;
    *out = read > 0 ? (double)total / (double)(more ? read : shard->bytes) : 1;
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

/* The lines of a block that begin before `left`. */
static struct str cut_lines(struct str lines, uint64_t left, uint64_t *count)
{
    struct str rest = lines;
    *count = 0;
    while (rest.len > 0 && lines.len - rest.len < left) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        rest = str_sub(rest, end ? (size_t)(end - rest.ptr) + 1 : rest.len, rest.len);
        (*count)++;
    }
    return str_sub(lines, 0, lines.len - rest.len);
}

static winnow_status copy_blocks(struct windows *w, const struct shard *shard, uint64_t left,
                                 uint64_t *lines, struct winnow_error *err)
{
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    bool more = true;
    winnow_status st = open_packed(w, shard, &reader, err);
    while (st == WINNOW_OK && left > 0) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st != WINNOW_OK || !more) {
            break;
        }
        if (block.bad.reason.len > 0) {
            account_bad(&w->sample->account, shard->label, &block.bad);
            continue;
        }
        uint64_t count;
        struct str some = cut_lines(block.lines, left, &count);
        left -= some.len < left ? some.len : left;
        *lines += count;
        st = write_out(w, some, err);
    }
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

static winnow_status copy_packed(struct windows *w, const struct shard *shard,
                                 const struct part *parts, size_t count, struct winnow_error *err)
{
    double ratio = 1, bytes = 0;
    uint64_t lines = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += (double)(parts[i].to - parts[i].from);
    }
    TRY(unpacked(w, shard, &ratio, err));
    TRY(copy_blocks(w, shard, (uint64_t)(bytes * ratio), &lines, err));
    for (size_t i = 0; i < count; i++) {
        double share = (double)(parts[i].to - parts[i].from) / bytes;
        w->lines[parts[i].number] += share * (double)lines;
    }
    return WINNOW_OK;
}

/* ---- all of them ---- */

/* What the sample calls a shard of which it holds parts: lines are numbered anew. */
static const struct shard *part_of(struct windows *w, const struct shard *shard)
{
    struct shard *copy = ARENA_NEW(&w->run->keep, struct shard, 1);
    struct buf label = {0};
    *copy = *shard;
    buf_addf(&label, "%s (a sample of it)", shard->label);
    copy->label = arena_strndup(&w->run->keep, label.ptr, label.len);
    buf_release(&label);
    return copy;
}

/* Not lines as they lie there, whatever its name says: its reader knows better. */
static bool is_packed(struct windows *w, const struct shard *shard)
{
    if (shard->remote) {
        return true; /* its beginning is what is read of it */
    }
    int fd = open(shard->path, O_RDONLY | O_CLOEXEC);
    bool plain = fd < 0 || byte_kind_of(look(w, fd, 0)) == BYTES_PLAIN;
    if (fd >= 0) {
        (void)close(fd);
    }
    return !plain;
}

static winnow_status copy_shard(struct windows *w, const struct shard *shard,
                                const struct part *parts, size_t count, struct winnow_error *err)
{
    struct buf to = {0};
    buf_addf(&to, "%s/sample/%05zu.jsonl", w->sample->folder, w->sample->paths.count);
    w->path = buf_cstr(&to);
    w->to = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    winnow_status st = w->to < 0 ? error_errno(err, "cannot write", w->path) : WINNOW_OK;
    if (st == WINNOW_OK && is_packed(w, shard)) {
        st = copy_packed(w, shard, parts, count, err);
    } else if (st == WINNOW_OK) {
        st = copy_plain(w, shard, parts, count, err);
    }
    if (w->to >= 0) {
        (void)close(w->to);
    }
    sample_add(w->run, w->sample, w->path, part_of(w, shard), true);
    buf_release(&to);
    return st;
}

/* Where each window begins, in all bytes. */
static void draw(const struct windows *w, uint64_t bytes, uint64_t *from)
{
    struct rng r;
    rng_init(&r, w->run->env->seed, "dry-run");
    double stretch = (double)w->in->bytes / WINDOWS;
    for (size_t i = 0; i < WINDOWS; i++) {
        from[i] = (uint64_t)((double)i * stretch + rng_uniform(&r) * (stretch - (double)bytes));
    }
}

/* By how much counts of documents may be off, from how unlike neighbours are: what lies far
 * apart may differ as it will, as every stretch has its window. */
static double error_of(const struct windows *w)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < WINDOWS; i++) {
        double step = i > 0 ? w->lines[i] - w->lines[i - 1] : 0;
        sum += w->lines[i];
        square += step * step / 2;
    }
    return sum > 0 ? 2 * sqrt(square / (WINDOWS - 1) * WINDOWS) / sum : (double)NAN;
}

static winnow_status copy_windows(struct windows *w, struct winnow_error *err)
{
    uint64_t from[WINDOWS], before = 0, bytes = w->sample->size->window_bytes;
    size_t next = 0; /* the first window that does not end before the shard */
    draw(w, bytes, from);
    for (size_t i = 0; i < w->in->count; i++) {
        const struct shard *shard = &w->in->items[i];
        struct part parts[WINDOWS];
        size_t count = 0;
        uint64_t end = before + shard->bytes;
        for (size_t k = next; k < WINDOWS && from[k] < end; k++) {
            uint64_t a = from[k] > before ? from[k] : before;
            uint64_t b = from[k] + bytes < end ? from[k] + bytes : end;
            if (a < b) {
                parts[count++] = (struct part){a - before, b - before, k};
            }
            next = from[k] + bytes <= end ? k + 1 : next;
        }
        if (count > 0) {
            TRY(env_check(w->run->env, err));
            TRY(copy_shard(w, shard, parts, count, err));
        }
        before = end;
    }
    w->sample->share = (double)(WINDOWS * bytes) / (double)w->in->bytes;
    w->sample->windows = WINDOWS;
    w->sample->error = error_of(w);
    return WINNOW_OK;
}

winnow_status sample_windows(struct run *r, const struct shard_list *in, struct sample *s,
                             struct winnow_error *err)
{
    if (in->bytes <= WINDOWS * (uint64_t)s->size->window_bytes) {
        for (size_t i = 0; i < in->count; i++) {
            sample_add(r, s, in->items[i].path, &in->items[i], false);
            s->bytes += in->items[i].bytes;
        }
        s->share = 1;
        return WINNOW_OK;
    }
    struct windows w = {.run = r, .sample = s, .in = in, .room = mem_alloc(STEP), .to = -1};
    winnow_status st = copy_windows(&w, err);
    mem_free(w.room);
    return st;
}
