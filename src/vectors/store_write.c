/* store_write.c -- a store, row by row, in any number of sittings.
 *
 * The rows' own table is the only log: numbers are written and synced first, then the bits
 * that say they are there.  What a kill left between the two is computed once more, to the
 * same bytes. */
#include "base/env.h"
#include "base/mem.h"
#include "vectors/store.h"
#include "vectors/vector_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define SYNC_SECONDS 3.0

static winnow_status refuse(const struct store_writer *w, const char *verb,
                            struct winnow_error *err)
{
    char text[128];
    const char *reason = strerror_r(errno, text, sizeof text);
    return error_set(err, WINNOW_E_IO, "cannot %s %s: %s", verb, w->path.ptr ? w->path.ptr : "",
                     reason);
}

static winnow_status put(const struct store_writer *w, const void *bytes, size_t count, uint64_t at,
                         struct winnow_error *err)
{
    const char *from = bytes;
    while (count > 0) {
        ssize_t n = pwrite(w->fd, from, count, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return refuse(w, "write to", err);
        }
        from += n;
        at += (uint64_t)n;
        count -= (size_t)n;
    }
    return WINNOW_OK;
}

static winnow_status get(const struct store_writer *w, void *bytes, size_t count, uint64_t at,
                         bool *whole, struct winnow_error *err)
{
    char *to = bytes;
    *whole = true;
    while (count > 0) {
        ssize_t n = pread(w->fd, to, count, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return refuse(w, "read", err);
        }
        if (n == 0) {
            *whole = false;
            return WINNOW_OK;
        }
        to += n;
        at += (uint64_t)n;
        count -= (size_t)n;
    }
    return WINNOW_OK;
}

static void fill_page(const struct store_writer *w, char page[STORE_PAGE])
{
    memset(page, 0, STORE_PAGE);
    memcpy(page, &w->head, sizeof w->head);
    memcpy(page + STORE_PAGE / 4, w->parts, w->head.parts * sizeof *w->parts);
}

/* Takes over what an earlier sitting did, where it is of the same rows. */
static winnow_status take_rows(struct store_writer *w, bool *same, struct winnow_error *err)
{
    char page[STORE_PAGE], there[STORE_PAGE];
    bool whole;
    *same = false;
    fill_page(w, page);
    TRY(get(w, there, sizeof there, 0, &whole, err));
    if (!whole || memcmp(page, there, sizeof page) != 0) {
        return WINNOW_OK;
    }
    for (size_t i = 0; i < w->head.rows; i++) {
        struct store_row old, *row = &w->rows[i];
        TRY(get(w, &old, sizeof old, w->at.rows + i * sizeof old, &whole, err));
        if (!whole || old.id != row->id || old.key != row->key || old.ordinal != row->ordinal) {
            return WINNOW_OK;
        }
        row->done = old.done;
        row->flags |= old.flags;
        row->nll = old.nll;
    }
    *same = true;
    return WINNOW_OK;
}

static winnow_status start_anew(struct store_writer *w, struct winnow_error *err)
{
    char page[STORE_PAGE];
    for (size_t i = 0; i < w->head.rows; i++) {
        w->rows[i].done = 0;
        w->rows[i].flags &= STORE_CUT | STORE_EMPTY;
    }
    fill_page(w, page);
    if (ftruncate(w->fd, 0) != 0 || ftruncate(w->fd, (off_t)w->at.bytes) != 0) {
        return refuse(w, "make room for", err);
    }
    TRY(put(w, page, sizeof page, 0, err));
    return put(w, w->rows, w->head.rows * sizeof *w->rows, w->at.rows, err);
}

winnow_status store_start(struct store_writer *w, const char *path, struct winnow_error *err)
{
    memcpy(w->head.magic, STORE_MAGIC, sizeof w->head.magic);
    w->at = store_layout(w->head.rows, w->head.parts, w->head.dim);
    buf_clear(&w->path);
    buf_add_text(&w->path, path);
    (void)buf_cstr(&w->path);
    w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        return refuse(w, "open", err);
    }
    w->dirty_from = w->dirty_to = 0;
    w->synced_at = env_seconds();
    TRY(take_rows(w, &w->resumed, err));
    return w->resumed ? WINNOW_OK : start_anew(w, err);
}

winnow_status store_put(struct store_writer *w, size_t row, uint32_t part, const float *numbers,
                        struct winnow_error *err)
{
    size_t dim = w->head.dim, place = row * w->head.parts + part;
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        sum += (double)numbers[i] * (double)numbers[i];
    }
    float norm = (float)sqrt(sum);
    struct store_row *r = &w->rows[row];
    uint32_t mark = !isfinite(norm) ? STORE_NOT_FINITE : norm > 0 ? 0 : STORE_ZERO;
    norm = mark ? 0 : norm;
    uint16_t *out = mem_zalloc(dim * sizeof *out);
    for (size_t i = 0; !mark && i < dim; i++) {
        out[i] = vector_bf16(numbers[i] / norm);
    }
    winnow_status st = put(w, out, dim * sizeof *out, w->at.data + place * dim * sizeof *out, err);
    mem_free(out);
    TRY(st);
    TRY(put(w, &norm, sizeof norm, w->at.norms + place * sizeof norm, err));
    r->flags |= mark;
    r->done |= (uint32_t)1 << part;
    w->dirty_from = w->dirty_from == w->dirty_to || row < w->dirty_from ? row : w->dirty_from;
    w->dirty_to = row + 1 > w->dirty_to ? row + 1 : w->dirty_to;
    return WINNOW_OK;
}

winnow_status store_sync(struct store_writer *w, struct winnow_error *err)
{
    if (fdatasync(w->fd) != 0) {
        return refuse(w, "sync", err);
    }
    if (w->dirty_to > w->dirty_from) {
        TRY(put(w, w->rows + w->dirty_from, (w->dirty_to - w->dirty_from) * sizeof *w->rows,
                w->at.rows + w->dirty_from * sizeof *w->rows, err));
    }
    w->dirty_from = w->dirty_to = 0;
    w->synced_at = env_seconds();
    return WINNOW_OK;
}

winnow_status store_sync_now_and_then(struct store_writer *w, struct winnow_error *err)
{
    return env_seconds() - w->synced_at < SYNC_SECONDS ? WINNOW_OK : store_sync(w, err);
}

winnow_status store_finish(struct store_writer *w, const char *final, struct winnow_error *err)
{
    TRY(store_sync(w, err));
    return file_commit(buf_cstr(&w->path), final, err);
}

void store_writer_release(struct store_writer *w)
{
    if (w->fd > 0) {
        (void)close(w->fd);
    }
    w->fd = 0;
    buf_release(&w->path);
    mem_free(w->rows);
    w->rows = NULL;
}
