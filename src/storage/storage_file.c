/* storage_file.c -- reads an object as a file.
 *
 * In order, it is one answer that is taken as fast as it is needed; what breaks off is asked
 * for again from the byte where it did, and a server that knows no ranges is heard from the
 * start, the bytes that are there already being passed over.  Scattered (Parquet: a footer at
 * the end, columns side by side), it is windows, each asked for by its range and kept while
 * others are not needed more. */
#include "base/hash.h"
#include "base/mem.h"
#include "storage/ask.h"

#include <inttypes.h>
#include <stdio.h>

#define WINDOW  ((size_t)256 << 10)
#define WINDOWS 48U /* 12 MiB; with a body on its way, less than STORAGE_FILE_BYTES */
#define WASTE   ((size_t)64 << 10)

struct window {
    char *bytes; /* WINDOW of them, once it is used */
    uint64_t from;
    size_t len;
    uint64_t used; /* when; 0: never */
};

struct storage_file {
    const struct storage_object *o;
    struct web *w;
    bool scattered, streaming, size_known;
    uint64_t size;
    uint64_t at;       /* of the next byte that is given */
    uint32_t failures; /* since a byte came */
    struct buf etag;   /* of the server that has the bytes, once it has said it */
    struct window windows[WINDOWS];
    uint64_t clock;
};

winnow_status storage_file_open(struct storage_file **out, const struct storage_object *o,
                                bool scattered, struct winnow_error *err)
{
    struct web *w = NULL;
    *out = NULL;
    TRY(storage_take_web(o->storage, &w, err));
    struct storage_file *f = mem_zalloc(sizeof *f);
    f->o = o;
    f->w = w;
    f->scattered = scattered && o->sized;
    f->size = o->bytes;
    f->size_known = o->sized;
    if (!o->redirected) {
        buf_add_text(&f->etag, o->etag);
    }
    *out = f;
    return WINNOW_OK;
}

void storage_file_close(struct storage_file *f)
{
    if (f) {
        storage_give_web(f->o->storage, f->w);
        for (size_t i = 0; i < WINDOWS; i++) {
            mem_free(f->windows[i].bytes);
        }
        buf_release(&f->etag);
        mem_free(f);
    }
}

static winnow_status refuse_change(const struct storage_file *f, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_IO,
                     "%s has changed since it was found: do the command again, which reads what "
                     "it is now",
                     f->o->address);
}

/* Whether an answer is of the object that was found. */
static winnow_status check_same(struct storage_file *f, struct winnow_error *err)
{
    const struct web_answer *a = web_answer(f->w);
    struct str etag = buf_str(&a->etag);
    bool part = a->status == 206;
    bool sized = part ? a->has_range && a->total != UINT64_MAX : a->has_length;
    uint64_t size = part ? a->total : a->length;
    bool dated = f->o->modified[0] && a->modified.len > 0 && !f->o->redirected;
    if ((f->size_known && sized && size != f->size) ||
        (f->etag.len > 0 && etag.len > 0 && !str_eq(buf_str(&f->etag), etag)) ||
        (f->etag.len == 0 && dated && !str_is(buf_str(&a->modified), f->o->modified))) {
        return refuse_change(f, err);
    }
    if (f->etag.len == 0) {
        buf_add_str(&f->etag, etag);
    }
    if (!f->size_known && sized) {
        f->size = size;
        f->size_known = true;
    }
    return WINNOW_OK;
}

static struct ask ask_for(const struct storage_file *f, uint64_t from, uint64_t to)
{
    return (struct ask){.method = "GET",
                        .url = f->o->url,
                        .shown = f->o->address,
                        .range = from > 0 || to != UINT64_MAX,
                        .from = from,
                        .to = to,
                        .s3 = strncmp(f->o->address, "s3:", 3) == 0 ||
                              strncmp(f->o->address, "S3:", 3) == 0};
}

winnow_status storage_object_try(const struct storage_object *o, struct winnow_error *err)
{
    struct storage_file *f = NULL;
    TRY(storage_file_open(&f, o, false, err));
    const struct ask a = ask_for(f, 0, 0);
    winnow_status st = ask_permission(f->w, o->storage, &a, err);
    storage_file_close(f);
    return st;
}

/* Passes over what comes before `from` in an answer that begins with byte 0. */
static winnow_status pass_over(struct storage_file *f, uint64_t bytes, struct winnow_error *err)
{
    char *waste = mem_alloc(WASTE);
    size_t got = 1;
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && bytes > 0 && got > 0) {
        st = web_read(f->w, waste, bytes < WASTE ? (size_t)bytes : WASTE, &got, err);
        bytes -= got;
    }
    mem_free(waste);
    return st;
}

/* Asks for bytes from..to; web_read() gives them then. */
static winnow_status begin(struct storage_file *f, uint64_t from, uint64_t to,
                           struct winnow_error *err)
{
    const struct ask a = ask_for(f, from, to);
    TRY(ask_send(f->w, f->o->storage, &a, err));
    const struct web_answer *answer = web_answer(f->w);
    if (answer->status == 416 || answer->status == 412) {
        return refuse_change(f, err);
    }
    if (answer->status != 200 && answer->status != 206) {
        return ask_refuse(f->w, f->o->storage, &a, err);
    }
    TRY(check_same(f, err));
    bool right = answer->status == 200 || (answer->has_range && answer->from == from);
    if (!right) {
        return error_set(err, WINNOW_E_IO,
                         "%s cannot be read: its server gives other bytes than it is asked for "
                         "(ranges); fetch it by other means and name the file",
                         f->o->address);
    }
    if (answer->status == 200 && from > 0) {
        if (f->scattered) {
            return error_set(err, WINNOW_E_IO,
                             "%s cannot be read: its server gives no parts of files (ranges), and "
                             "Parquet has its index at the end; fetch it and name the file",
                             f->o->address);
        }
        return pass_over(f, from, err);
    }
    return WINNOW_OK;
}

/* What was begun broke off: waits, unless it has too often. */
static winnow_status failed(struct storage_file *f, struct winnow_error *err)
{
    const char *reason = web_answer(f->w)->reason;
    f->failures++;
    f->streaming = false;
    if (f->failures >= f->o->storage->settings.tries) {
        return error_set(
            err, WINNOW_E_IO,
            "%s breaks off at byte %" PRIu64 " of %" PRIu64 ": %s, also at try %" PRIu32
            "; do the command again when its server is better",
            f->o->address, f->at, f->size, reason[0] ? reason : "no more bytes come", f->failures);
    }
    return ask_wait(f->o->storage, f->failures, -1, err);
}

/* All bytes that were announced are there: an answer that goes on is of another object. */
static winnow_status check_end(struct storage_file *f, struct winnow_error *err)
{
    char more;
    size_t got = 0;
    f->streaming = false;
    TRY(web_read(f->w, &more, 1, &got, err));
    return got > 0 ? refuse_change(f, err) : WINNOW_OK;
}

static winnow_status read_stream(struct storage_file *f, char *to, size_t room, size_t *got,
                                 struct winnow_error *err)
{
    while (!f->size_known || f->at < f->size) {
        if (!f->streaming) {
            TRY(begin(f, f->at, UINT64_MAX, err));
            f->streaming = true;
        }
        TRY(web_read(f->w, to, room, got, err));
        if (*got > 0) {
            f->failures = 0;
            f->at += *got;
            return f->size_known && f->at > f->size ? refuse_change(f, err) : WINNOW_OK;
        }
        if (!web_answer(f->w)->failed && !f->size_known) { /* no length was said: this is the end */
            f->size = f->at;
            f->size_known = true;
            break;
        }
        if (!f->size_known || f->at < f->size) {
            TRY(failed(f, err));
        }
    }
    return f->streaming ? check_end(f, err) : WINNOW_OK;
}

/* len bytes of a range, all of which are there. */
static winnow_status read_range(struct storage_file *f, char *to, size_t len, uint64_t from,
                                struct winnow_error *err)
{
    size_t have = 0;
    f->failures = 0;
    f->streaming = false;
    while (have < len) {
        size_t got = 1;
        TRY(begin(f, from + have, from + len - 1, err));
        while (have < len && got > 0) {
            TRY(web_read(f->w, to + have, len - have, &got, err));
            have += got;
            f->failures = got > 0 ? 0 : f->failures;
        }
        if (have < len) {
            f->at = from + have;
            TRY(failed(f, err));
        }
    }
    return WINNOW_OK;
}

static winnow_status window_at(struct storage_file *f, uint64_t at, struct window **out,
                               struct winnow_error *err)
{
    uint64_t from = at - at % WINDOW;
    struct window *oldest = &f->windows[0];
    for (size_t i = 0; i < WINDOWS; i++) {
        struct window *w = &f->windows[i];
        if (w->used > 0 && w->from == from) {
            w->used = ++f->clock;
            *out = w;
            return WINNOW_OK;
        }
        oldest = w->used < oldest->used ? w : oldest;
    }
    oldest->bytes = oldest->bytes ? oldest->bytes : mem_alloc(WINDOW);
    oldest->used = 0;
    oldest->len = f->size - from < WINDOW ? (size_t)(f->size - from) : WINDOW;
    oldest->from = from;
    TRY(read_range(f, oldest->bytes, oldest->len, from, err));
    oldest->used = ++f->clock;
    *out = oldest;
    return WINNOW_OK;
}

winnow_status storage_file_read_at(struct storage_file *f, void *to, size_t len, uint64_t at,
                                   size_t *got, struct winnow_error *err)
{
    uint64_t left = at < f->size ? f->size - at : 0;
    char *p = to;
    *got = 0;
    len = len < left ? len : (size_t)left;
    if (len > WINDOW) {
        TRY(read_range(f, p, len, at, err));
        *got = len;
    }
    while (*got < len) {
        struct window *w = NULL;
        TRY(window_at(f, at + *got, &w, err));
        size_t skip = (size_t)(at + *got - w->from);
        size_t n = w->len - skip < len - *got ? w->len - skip : len - *got;
        memcpy(p + *got, w->bytes + skip, n);
        *got += n;
    }
    return WINNOW_OK;
}

winnow_status storage_file_read(struct storage_file *f, char *to, size_t room, size_t *got,
                                struct winnow_error *err)
{
    *got = 0;
    if (!f->scattered) {
        return read_stream(f, to, room, got, err);
    }
    size_t some = room < WINDOW ? room : WINDOW;
    uint64_t at = f->at;
    TRY(storage_file_read_at(f, to, some, at, got, err));
    f->at = at + *got;
    return WINNOW_OK;
}

void storage_file_seek(struct storage_file *f, uint64_t at)
{
    f->streaming = f->streaming && at == f->at;
    f->at = at;
}

static winnow_status add_bytes(const struct storage_object *o, struct hash_stream *h,
                               struct winnow_error *err)
{
    struct storage_file *f = NULL;
    TRY(storage_file_open(&f, o, false, err));
    char *bytes = mem_alloc(WINDOW);
    size_t got = 1;
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && got > 0) {
        st = storage_file_read(f, bytes, WINDOW, &got, err);
        hash_stream_add(h, (struct str){bytes, got});
    }
    mem_free(bytes);
    storage_file_close(f);
    return st;
}

winnow_status storage_object_print(const struct storage_object *o, char out[33],
                                   struct winnow_error *err)
{
    struct hash_stream *h = hash_stream_new();
    const char *by = o->etag[0] ? o->etag : o->modified;
    char size[32];
    int n = snprintf(size, sizeof size, "%" PRIu64, o->sized ? o->bytes : 0);
    hash_stream_add(h, (struct str){size, (size_t)n + 1});
    hash_stream_add(h, (struct str){by, strlen(by) + 1});
    winnow_status st = by[0] ? WINNOW_OK : add_bytes(o, h, err);
    hash128_hex(hash_stream_value(h), out);
    hash_stream_free(h);
    return st;
}
