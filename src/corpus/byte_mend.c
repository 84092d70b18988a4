/* byte_mend.c -- the next gzip member or zstd frame behind a break.
 *
 * Any three or four bytes of packed data may look like a beginning; one is believed
 * only if what it unpacks to begins as it should.  Searches that go back read bytes
 * once more, which a hostile file could ask for without end: past REREAD_MAX they go
 * on from where the decoder stumbled.
 */
#include "corpus/byte_source_internal.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define PROBE_GZ   ((size_t)4096)           /* a header with its fields, and a few codes */
#define PROBE_ZST  (((size_t)1 << 17) + 32) /* a header and a whole block */
#define START_MAX  ((size_t)64)
#define REREAD_MAX ((uint64_t)256 << 20)

/* What is left moves to the front, and at least `want` bytes of it are there if the file has
 * them. */
static winnow_status top_up(struct byte_source *s, size_t want, struct winnow_error *err)
{
    if (s->in_len - s->in_at >= want || s->ended) {
        return WINNOW_OK;
    }
    memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
    s->in_len -= s->in_at;
    s->in_at = 0;
    while (s->in_len < want && !s->ended) {
        TRY(byte_source_more(s, IN_CAP - s->in_len < IN_ROOM ? IN_CAP - s->in_len : IN_ROOM, err));
    }
    return WINNOW_OK;
}

static bool unpacks_gz(struct str packed, struct str start)
{
    char out[START_MAX];
    z_stream z = {0};
    union { /* zlib wants its input without const, and does not write to it */
        const char *from;
        unsigned char *to;
    } in = {packed.ptr};
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return false;
    }
    z.next_in = in.to;
    z.avail_in = (uInt)packed.len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)start.len;
    int code = inflate(&z, Z_SYNC_FLUSH);
    size_t got = start.len - z.avail_out;
    (void)inflateEnd(&z);
    return (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) && got == start.len &&
           memcmp(out, start.ptr, got) == 0;
}

/* With the decoder of the file, which has its dictionary. */
static bool unpacks_zst(struct byte_source *s, struct str packed, struct str start)
{
    char out[START_MAX];
    ZSTD_inBuffer in = {packed.ptr, packed.len, 0};
    ZSTD_outBuffer to = {out, start.len, 0};
    (void)ZSTD_DCtx_reset(s->zst, ZSTD_reset_session_only);
    size_t code = ZSTD_decompressStream(s->zst, &to, &in);
    (void)ZSTD_DCtx_reset(s->zst, ZSTD_reset_session_only);
    return !ZSTD_isError(code) && to.pos == start.len && memcmp(out, start.ptr, to.pos) == 0;
}

/* Puts s->in_at to the next beginning; false at the end of the file. */
static winnow_status search(struct byte_source *s, struct str start, bool *found,
                            struct winnow_error *err)
{
    bool gz = s->packing == PACKING_GZ;
    struct str mark = gz ? STR_LIT("\x1F\x8B\x08") : STR_LIT("\x28\xB5\x2F\xFD");
    size_t probe = gz ? PROBE_GZ : PROBE_ZST;
    for (;;) {
        TRY(top_up(s, mark.len, err));
        struct str have = {s->in + s->in_at, s->in_len - s->in_at};
        size_t at = str_find(have, mark);
        if (at == SIZE_MAX && s->ended) {
            s->in_at = s->in_len;
            return WINNOW_OK;
        }
        if (at == SIZE_MAX) {
            s->in_at = s->in_len - (mark.len - 1);
            continue;
        }
        s->in_at += at;
        TRY(top_up(s, probe, err));
        size_t left = s->in_len - s->in_at;
        struct str packed = {s->in + s->in_at, left < probe ? left : probe};
        *found = gz ? unpacks_gz(packed, start) : unpacks_zst(s, packed, start);
        if (*found) {
            return WINNOW_OK;
        }
        s->in_at++;
    }
}

/* To behind the beginning of the broken member, where the file can be read again. */
static winnow_status go_back(struct byte_source *s, struct winnow_error *err)
{
    uint64_t now = s->bytes_read - (s->in_len - s->in_at), to = s->member_raw + 1;
    s->furthest = now > s->furthest ? now : s->furthest;
    if (!s->again || to >= now || s->reread + (now - to) > REREAD_MAX) {
        return WINNOW_OK;
    }
    s->reread += now - to;
    if (s->remote) {
        storage_file_seek(s->remote, to);
    } else if (lseek(s->fd, (off_t)to, SEEK_SET) != (off_t)to) {
        return error_errno(err, "cannot read", s->path);
    }
    s->bytes_read = to;
    s->in_at = s->in_len = 0;
    s->ended = false;
    return WINNOW_OK;
}

winnow_status byte_source_mend(struct byte_source *s, struct str start, struct byte_gap *gap,
                               bool *found, struct winnow_error *err)
{
    assert(start.len <= START_MAX && s->mends);
    *found = false;
    *gap = (struct byte_gap){s->member_raw, s->member_raw};
    bool packed = s->packing == PACKING_GZ || s->packing == PACKING_ZST;
    if (!packed || !s->torn[0] || s->changed) {
        return WINNOW_OK;
    }
    TRY(go_back(s, err));
    TRY(search(s, start, found, err));
    gap->to = s->bytes_read - (s->in_len - s->in_at);
    if (*found) {
        s->broken = s->corrupt = s->in_member = s->judged = false;
        s->any_member = true;
        s->torn[0] = '\0';
        s->zst_hint = 0;
        s->zst_full = false;
        s->delivered++;
    }
    return WINNOW_OK;
}
