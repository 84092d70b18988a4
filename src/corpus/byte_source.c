/* byte_source.c -- read(2), zlib and libzstd behind one loop.
 *
 * The input buffer `in` holds raw bytes of the file; each decoder takes from it
 * and is given more when it runs dry.  A source never fails because of what the
 * bytes are: what was decoded before the break has been delivered by then, and
 * the break itself is a sentence in `torn`.
 *
 * zstd's window is allowed up to 2 GiB, since archives of forum posts are packed
 * with --long=31, unless --memory leaves less; zlib's is 32 KiB.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "corpus/byte_kind.h"
#include "corpus/byte_source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd_errors.h>

#define DICTIONARY_MAX   ((size_t)64 << 20)
#define FRAME_HEADER_MAX 18U /* of zstd */
#define FRAME_START      5U  /* of it, what tells how long it is */
#define WINDOW_LOG_MIN   10

/* One read(2); nothing is the end. */
static winnow_status read_raw(struct byte_source *s, char *to, size_t room, size_t *got,
                              struct winnow_error *err)
{
    ssize_t n;
    if (s->remote) {
        TRY(storage_file_read(s->remote, to, room, got, err));
    } else {
        do {
            n = read(s->fd, to, room);
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
            return error_errno(err, "cannot read", s->path);
        }
        *got = (size_t)n;
    }
    s->bytes_read += *got;
    s->ended = *got == 0;
    return WINNOW_OK;
}

winnow_status byte_source_more(struct byte_source *s, size_t room, struct winnow_error *err)
{
    size_t got = 0;
    TRY(read_raw(s, s->in + s->in_len, room, &got, err));
    s->in_len += got;
    return WINNOW_OK;
}

static winnow_status fill(struct byte_source *s, struct winnow_error *err)
{
    while (!s->ended && s->in_at == s->in_len) {
        s->in_at = s->in_len = 0;
        TRY(byte_source_more(s, IN_ROOM, err));
    }
    return WINNOW_OK;
}

/* Takes `size` bytes of the file to `to`; *got is less at its end. */
static winnow_status take_raw(struct byte_source *s, char *to, size_t size, size_t *got,
                              struct winnow_error *err)
{
    *got = 0;
    while (*got < size) {
        TRY(fill(s, err));
        size_t n = s->in_len - s->in_at < size - *got ? s->in_len - s->in_at : size - *got;
        if (n == 0) {
            break;
        }
        memcpy(to + *got, s->in + s->in_at, n);
        s->in_at += n;
        *got += n;
    }
    return WINNOW_OK;
}

/* A dictionary that is itself a zstd frame, unpacked; false where it is none. */
static bool unpack_dictionary(struct str packed, struct buf *out)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {packed.ptr, packed.len, 0};
    size_t code = 1;
    while (z && code != 0 && !ZSTD_isError(code) && out->len <= DICTIONARY_MAX) {
        size_t room = (size_t)1 << 16, before = in.pos;
        ZSTD_outBuffer to = {buf_reserve(out, room), room, 0};
        code = ZSTD_decompressStream(z, &to, &in);
        out->len += to.pos;
        if (in.pos == before && to.pos == 0) {
            break;
        }
    }
    (void)ZSTD_freeDStream(z);
    return z && code == 0;
}

/* .warc.zst: its first frame, one that other readers skip, holds the dictionary
 * of all that follow, as it is or packed. */
static winnow_status take_dictionary(struct byte_source *s, struct winnow_error *err)
{
    static const struct str FRAME = {"\x28\xB5\x2F\xFD", 4}, PLAIN = {"\x37\xA4\x30\xEC", 4};
    char head[8] = {0};
    size_t got = 0;
    TRY(take_raw(s, head, sizeof head, &got, err));
    size_t size = 0;
    for (size_t i = 8; i > 4; i--) {
        size = size << 8 | (unsigned char)head[i - 1];
    }
    if (got < sizeof head || size > DICTIONARY_MAX) {
        s->broken = true;
        (void)snprintf(s->torn, sizeof s->torn, "the zstd data begin with a dictionary %s",
                       got < sizeof head ? "that breaks off" : "of more than 64 MB");
        return WINNOW_OK;
    }
    char *bytes = mem_try_alloc(size + 1);
    if (!bytes) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the dictionary of %s", s->path);
    }
    struct buf unpacked = {0};
    winnow_status st = take_raw(s, bytes, size, &got, err);
    struct str dictionary = {bytes, got};
    bool good = st == WINNOW_OK && got == size;
    if (good && str_starts(dictionary, FRAME)) {
        good = unpack_dictionary(dictionary, &unpacked);
        dictionary = buf_str(&unpacked);
    }
    if (good && str_starts(dictionary, PLAIN)) {
        good = !ZSTD_isError(ZSTD_DCtx_loadDictionary(s->zst, dictionary.ptr, dictionary.len));
    }
    if (st == WINNOW_OK && !good) {
        s->broken = true;
        (void)snprintf(s->torn, sizeof s->torn, "the zstd data begin with a dictionary that %s",
                       got < size ? "breaks off" : "is corrupt");
    }
    buf_release(&unpacked);
    mem_free(bytes);
    return st;
}

static winnow_status open_decoder(struct byte_source *s, struct winnow_error *err)
{
    if (s->packing == PACKING_GZ && inflateInit2(&s->gz, 15 + 16) != Z_OK) {
        s->packing = PACKING_PLAIN; /* nothing for close() to end */
        return error_set(err, WINNOW_E_NOMEM, "no memory to unpack %s", s->path);
    }
    if (s->packing != PACKING_ZST) {
        return WINNOW_OK;
    }
    s->zst = ZSTD_createDStream();
    if (!s->zst || ZSTD_isError(ZSTD_DCtx_setParameter(s->zst, ZSTD_d_windowLogMax, 31))) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to unpack %s", s->path);
    }
    bool has = str_starts((struct str){s->in, s->in_len}, STR_LIT("\x5D\x2A\x4D\x18"));
    return has ? take_dictionary(s, err) : WINNOW_OK;
}

/* What the header of a frame says that its decoder has to keep (RFC 8878, 3.1.1.1):
 * a descriptor, or with "single segment" the size of the whole content. */
static uint64_t frame_window(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n < 6 || u[0] != 0x28) {
        return 0;
    }
    bool single = (u[4] & 0x20U) != 0;
    if (!single) {
        uint64_t base = (uint64_t)1 << (10 + (u[5] >> 3));
        return base + base / 8 * (u[5] & 7U);
    }
    static const size_t DICTIONARY[] = {0, 1, 2, 4};
    size_t at = 5 + DICTIONARY[u[4] & 3U], bytes = (size_t)1 << (u[4] >> 6);
    uint64_t content = 0;
    for (size_t i = 0; i < bytes && at + i < n; i++) {
        content |= (uint64_t)u[at + i] << (8 * i);
    }
    return bytes == 2 ? content + 256 : content;
}

/* Reads until the first bytes can be judged, decides, and sets the decoder up. */
static winnow_status choose(struct byte_source *s, struct winnow_error *err)
{
    while (!s->ended && s->in_len < FRAME_HEADER_MAX) {
        TRY(byte_source_more(s, IN_ROOM - s->in_len, err));
    }
    enum byte_kind kind = byte_kind_of((struct str){s->in, s->in_len});
    struct str name = str_of(s->path);
    enum packing named = s->in_len == 0 ? packing_of_name(name) : PACKING_PLAIN;
    if (kind == BYTES_GZIP || named == PACKING_GZ) {
        s->packing = PACKING_GZ;
    } else if (kind == BYTES_ZSTD || named == PACKING_ZST) {
        s->packing = PACKING_ZST;
    } else if (kind == BYTES_PARQUET && s->takes_rows) {
        s->parquet = s->again;
        s->broken = !s->again;
        (void)snprintf(s->torn, s->again ? 1 : sizeof s->torn, "%s",
                       "it is a Parquet file, which has its index at its end and cannot be read "
                       "from a pipe; name the file");
    } else if (byte_kind_refusal(kind, name, s->torn, sizeof s->torn)) {
        s->broken = true;
    }
    if (s->packing == PACKING_ZST) {
        s->window = frame_window(s->in, s->in_len);
    }
    return open_decoder(s, err);
}

static winnow_status read_object_at(void *ctx, void *to, size_t len, uint64_t at, size_t *got,
                                    struct winnow_error *err)
{
    return storage_file_read_at(ctx, to, len, at, got, err);
}

static struct parquet_file parquet_file_of(const struct byte_source *s)
{
    return (struct parquet_file){.fd = s->fd,
                                 .size = s->size,
                                 .read_at = s->remote ? read_object_at : NULL,
                                 .ctx = s->remote};
}

static bool named_parquet(const struct storage_object *remote)
{
    return packing_is_parquet(str_of(remote->below));
}

/* Of an object: asked for only where its name does not say that it has none. */
static uint64_t peek_object(const char *path, const struct storage_object *remote)
{
    struct byte_source *s = NULL;
    struct winnow_error ignored;
    if (!named_parquet(remote) && packing_of_name(str_of(remote->below)) != PACKING_ZST) {
        return STORAGE_FILE_BYTES;
    }
    uint64_t window =
        byte_source_open_lines(&s, path, remote, &ignored) == WINNOW_OK ? byte_source_window(s) : 0;
    byte_source_close(s);
    return window;
}

uint64_t byte_source_peek_window(const char *path, const struct storage_object *remote)
{
    char head[FRAME_HEADER_MAX];
    struct stat st;
    if (remote) {
        return peek_object(path, remote);
    }
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;
    enum byte_kind kind = byte_kind_of((struct str){head, n > 0 ? (size_t)n : 0});
    const struct parquet_file file = {.fd = fd, .size = (uint64_t)st.st_size};
    uint64_t window = kind == BYTES_ZSTD      ? frame_window(head, (size_t)n)
                      : kind == BYTES_PARQUET ? parquet_rows_needs(&file)
                                              : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return window;
}

uint64_t byte_source_window(const struct byte_source *s)
{
    const struct parquet_file file = parquet_file_of(s);
    return (s->parquet ? parquet_rows_needs(&file) : s->window) +
           (s->remote ? STORAGE_FILE_BYTES : 0);
}

void byte_source_set_window_max(struct byte_source *s, uint64_t bytes)
{
    s->window_max = bytes;
    if (s->zst && bytes > 0) {
        int log = WINDOW_LOG_MIN;
        while (log < 31 && (uint64_t)1 << (log + 1) <= bytes) {
            log++;
        }
        (void)ZSTD_DCtx_setParameter(s->zst, ZSTD_d_windowLogMax, log);
    }
}

static winnow_status choose_or_close(struct byte_source *s, struct byte_source **out,
                                     struct winnow_error *err)
{
    winnow_status status = choose(s, err);
    if (status != WINNOW_OK) {
        byte_source_close(s);
        return status;
    }
    *out = s;
    return WINNOW_OK;
}

/* What it was when it was found is looked at with every answer; see storage_file.c. */
static winnow_status open_object(struct byte_source **out, const char *path,
                                 const struct storage_object *remote, bool takes_rows,
                                 struct winnow_error *err)
{
    struct storage_file *file = NULL;
    *out = NULL;
    TRY(storage_file_open(&file, remote, takes_rows && named_parquet(remote), err));
    struct byte_source *s = mem_zalloc(sizeof *s);
    s->path = mem_strdup(path);
    s->fd = -1;
    s->remote = file;
    s->again = true;
    s->takes_rows = takes_rows;
    s->size = remote->bytes;
    s->in = mem_alloc(IN_CAP);
    return choose_or_close(s, out, err);
}

static winnow_status open_source(struct byte_source **out, const char *path, bool takes_rows,
                                 struct winnow_error *err)
{
    if (storage_is_address(path)) { /* by who reads files only */
        *out = NULL;
        return error_set(err, WINNOW_E_USAGE,
                         "%s is an address, and this is read from files only: fetch it first and "
                         "name the file",
                         path);
    }
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    *out = NULL;
    if (fd < 0) {
        return error_errno(err, "cannot open", path);
    }
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        winnow_status why = S_ISDIR(st.st_mode) ? error_set(err, WINNOW_E_IO,
                                                            "cannot read %s: it is a folder", path)
                                                : error_errno(err, "cannot read", path);
        (void)close(fd);
        return why;
    }
    struct byte_source *s = mem_zalloc(sizeof *s);
    s->path = mem_strdup(standard ? "standard input" : path);
    s->fd = fd;
    s->again = !standard && S_ISREG(st.st_mode);
    s->takes_rows = takes_rows;
    s->size = (uint64_t)st.st_size;
    s->opened = stamp_of(&st);
    s->in = mem_alloc(IN_CAP);
    return choose_or_close(s, out, err);
}

winnow_status byte_source_open(struct byte_source **out, const char *path, struct winnow_error *err)
{
    return open_source(out, path, false, err);
}

winnow_status byte_source_open_object(struct byte_source **out, const char *path,
                                      const struct storage_object *remote, struct winnow_error *err)
{
    return remote ? open_object(out, path, remote, false, err) : open_source(out, path, false, err);
}

winnow_status byte_source_open_lines(struct byte_source **out, const char *path,
                                     const struct storage_object *remote, struct winnow_error *err)
{
    return remote ? open_object(out, path, remote, true, err) : open_source(out, path, true, err);
}

void byte_source_close(struct byte_source *s)
{
    if (!s) {
        return;
    }
    if (s->packing == PACKING_GZ) {
        (void)inflateEnd(&s->gz);
    }
    (void)ZSTD_freeDStream(s->zst);
    parquet_rows_close(s->rows);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    storage_file_close(s->remote);
    mem_free(s->in);
    union { /* the copy made by open(), without const */
        const char *from;
        void *to;
    } path = {s->path};
    mem_free(path.to);
    mem_free(s);
}

/* Of the next byte that the decoder takes, in the file. */
static uint64_t place(const struct byte_source *s)
{
    return s->bytes_read - (s->in_len - s->in_at);
}

static void tear(struct byte_source *s, const char *what)
{
    s->broken = true;
    (void)snprintf(s->torn, sizeof s->torn, "the %s data %s at byte %llu of the file",
                   s->packing == PACKING_GZ ? "gzip" : "zstd", what, (unsigned long long)place(s));
}

static void begin_member(struct byte_source *s)
{
    s->member_at = s->delivered;
    s->member_raw = place(s);
}

/* The bytes ran out: fine between members, torn inside one or before any. */
static void end_of_input(struct byte_source *s)
{
    if (s->in_member || !s->any_member) {
        tear(s, "break off");
    }
    s->broken = true;
}

/* Between gzip members: zero padding (tapes have it) is passed over, a new
 * member is begun, anything else is torn. */
static winnow_status next_member(struct byte_source *s, struct winnow_error *err)
{
    for (;;) {
        TRY(fill(s, err));
        while (s->any_member && s->in_at < s->in_len && s->in[s->in_at] == '\0') {
            s->in_at++;
        }
        if (s->in_at < s->in_len) {
            break;
        }
        if (s->ended) {
            end_of_input(s);
            return WINNOW_OK;
        }
    }
    begin_member(s);
    if (s->in[s->in_at] != '\x1F') {
        tear(s, s->any_member ? "go on as something else" : "do not begin");
        return WINNOW_OK;
    }
    (void)inflateReset(&s->gz);
    s->in_member = true;
    return WINNOW_OK;
}

static winnow_status read_gz(struct byte_source *s, char *to, size_t room, size_t *got,
                             struct winnow_error *err)
{
    room = room < ((size_t)1 << 30) ? room : (size_t)1 << 30;
    while (*got == 0 && !s->broken) {
        if (!s->in_member) {
            TRY(next_member(s, err));
            continue;
        }
        TRY(fill(s, err));
        s->gz.next_in = (unsigned char *)s->in + s->in_at;
        s->gz.avail_in = (uInt)(s->in_len - s->in_at);
        s->gz.next_out = (unsigned char *)to;
        s->gz.avail_out = (uInt)room;
        int code = inflate(&s->gz, Z_NO_FLUSH);
        s->in_at = s->in_len - s->gz.avail_in;
        *got = room - s->gz.avail_out;
        if (code == Z_STREAM_END) {
            s->in_member = false;
            s->any_member = true;
        } else if (code == Z_MEM_ERROR) {
            return error_set(err, WINNOW_E_NOMEM, "no memory to unpack %s", s->path);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            tear(s, "are corrupt");
            s->corrupt = true;
        } else if (s->ended && s->in_at == s->in_len && *got == 0) {
            end_of_input(s);
        }
    }
    return WINNOW_OK;
}

static winnow_status refuse_window(const struct byte_source *s, struct winnow_error *err)
{
    if (s->any_member || s->window <= s->window_max) {
        return error_set(
            err, WINNOW_E_LIMIT,
            "%s was packed with a window of more than %llu MiB (zstd --long), which is "
            "what --memory leaves for it; give more, or pack it again without --long",
            s->path, (unsigned long long)(s->window_max >> 20));
    }
    return error_set(err, WINNOW_E_LIMIT,
                     "%s was packed with a window of %llu MiB (zstd --long), and --memory leaves "
                     "%llu MiB for it; give %llu MiB more, or pack it again without --long",
                     s->path, (unsigned long long)(s->window >> 20),
                     (unsigned long long)(s->window_max >> 20),
                     (unsigned long long)(((s->window - s->window_max) >> 20) + 1));
}

/* libzstd gives nothing of a call that meets an error.  So that what comes before a break
 * does not depend on how the file was read, it is fed block by block where it is mended. */
static size_t next_input(const struct byte_source *s, size_t have)
{
    size_t most = s->in_member && s->zst_full ? 0 : s->zst_hint > 0 ? s->zst_hint : FRAME_START;
    return have < most || !s->mends ? have : most;
}

/* What libzstd met: the file ends here, or is refused. */
static winnow_status stumble_zst(struct byte_source *s, size_t code, struct winnow_error *err)
{
    ZSTD_ErrorCode what = ZSTD_getErrorCode(code);
    if (what == ZSTD_error_frameParameter_windowTooLarge && s->window_max > 0) {
        return refuse_window(s, err);
    }
    if (what == ZSTD_error_dictionary_wrong) {
        s->broken = true;
        (void)snprintf(s->torn, sizeof s->torn, "the zstd data need a dictionary, which is %s",
                       s->any_member ? "another one here" : "not in the file");
    } else {
        tear(s, s->any_member || s->in_member ? "are corrupt" : "do not begin");
        s->corrupt = true;
    }
    return WINNOW_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libzstd writes to it */
static winnow_status read_zst(struct byte_source *s, char *to, size_t room, size_t *got,
                              struct winnow_error *err)
{
    while (*got == 0 && !s->broken) {
        TRY(fill(s, err));
        ZSTD_inBuffer in = {s->in + s->in_at, s->in_len - s->in_at, 0};
        ZSTD_outBuffer out = {to, room, 0};
        if (in.size == 0 && !s->in_member) {
            end_of_input(s);
            break;
        }
        if (!s->in_member) {
            begin_member(s);
        }
        in.size = next_input(s, in.size);
        size_t code = ZSTD_decompressStream(s->zst, &out, &in);
        s->in_at += in.pos;
        *got = out.pos;
        s->zst_hint = code;
        s->zst_full = out.pos == out.size;
        if (ZSTD_isError(code)) {
            return stumble_zst(s, code, err);
        }
        s->in_member = code != 0;
        s->any_member = s->any_member || code == 0;
        if (s->ended && s->in_at == s->in_len && *got == 0 && s->in_member) {
            end_of_input(s);
        }
    }
    return WINNOW_OK;
}

static winnow_status read_plain(struct byte_source *s, char *to, size_t room, size_t *got,
                                struct winnow_error *err)
{
    if (s->in_at < s->in_len) { /* what choose() looked at */
        size_t n = s->in_len - s->in_at < room ? s->in_len - s->in_at : room;
        memcpy(to, s->in + s->in_at, n);
        s->in_at += n;
        *got = n;
        return WINNOW_OK;
    }
    return s->ended ? WINNOW_OK : read_raw(s, to, room, got, err);
}

/* What a reader of rows met is the file's, or the caller's. */
static winnow_status judge_rows(struct byte_source *s, winnow_status st, struct winnow_error *err)
{
    if (st == WINNOW_E_FORMAT) {
        s->broken = true;
        (void)snprintf(s->torn, sizeof s->torn, "%.*s", (int)sizeof s->torn - 1, err->text);
        return WINNOW_OK;
    }
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", s->path);
}

static winnow_status open_rows(struct byte_source *s, struct winnow_error *err)
{
    if (!s->parquet || s->rows || s->broken) {
        return WINNOW_OK;
    }
    const struct parquet_file file = parquet_file_of(s);
    return judge_rows(s, parquet_rows_open(&s->rows, &file, s->window_max, err), err);
}

static winnow_status read_rows(struct byte_source *s, char *to, size_t room, size_t *got,
                               struct winnow_error *err)
{
    TRY(open_rows(s, err));
    if (s->broken) {
        return WINNOW_OK;
    }
    return judge_rows(s, parquet_rows_read(s->rows, to, room, got, err), err);
}

void byte_source_set_mends(struct byte_source *s)
{
    s->mends = true;
}

void byte_source_expect(struct byte_source *s, const struct file_stamp *found)
{
    s->found = found ? *found : (struct file_stamp){0};
}

/* No byte comes any more: was it one file that they came from? */
static winnow_status judge(struct byte_source *s, struct winnow_error *err)
{
    struct stat st;
    s->judged = true;
    if (s->opened.mode == 0) {
        return WINNOW_OK; /* a pipe */
    }
    if (fstat(s->fd, &st) != 0) {
        return error_errno(err, "cannot read", s->path);
    }
    struct file_stamp now = stamp_of(&st);
    s->changed = stamp_changed(&s->found, &now, s->torn, sizeof s->torn) ||
                 stamp_changed(&s->opened, &now, s->torn, sizeof s->torn);
    return WINNOW_OK;
}

winnow_status byte_source_read(struct byte_source *s, char *to, size_t room, size_t *got,
                               struct winnow_error *err)
{
    *got = 0;
    winnow_status st = WINNOW_OK;
    if (s->packing == PACKING_GZ) {
        st = read_gz(s, to, room, got, err);
    } else if (s->packing == PACKING_ZST) {
        st = read_zst(s, to, room, got, err);
    } else if (s->parquet) {
        st = read_rows(s, to, room, got, err);
    } else if (!s->broken) {
        st = read_plain(s, to, room, got, err);
    }
    s->delivered += *got;
    return st == WINNOW_OK && *got == 0 && !s->judged ? judge(s, err) : st;
}

uint64_t byte_source_member(const struct byte_source *s)
{
    return s->packing == PACKING_PLAIN ? UINT64_MAX : s->member_at;
}

winnow_status byte_source_skip(struct byte_source *s, uint64_t bytes, uint64_t *skipped,
                               struct winnow_error *err)
{
    *skipped = 0;
    struct stat st;
    bool untouched = s->packing == PACKING_PLAIN && !s->parquet && !s->broken && s->in_at == 0 &&
                     s->bytes_read == s->in_len;
    if (untouched && s->remote && bytes > s->in_len && bytes <= s->size) {
        storage_file_seek(s->remote, bytes);
        s->in_at = s->in_len;
        s->bytes_read = bytes;
        s->delivered += bytes;
        *skipped = bytes;
        return WINNOW_OK;
    }
    if (untouched && !s->remote && bytes > s->in_len && fstat(s->fd, &st) == 0 &&
        S_ISREG(st.st_mode) && bytes <= (uint64_t)st.st_size &&
        lseek(s->fd, (off_t)(bytes - s->in_len), SEEK_CUR) == (off_t)bytes) {
        s->in_at = s->in_len;
        s->bytes_read = bytes;
        s->delivered += bytes;
        *skipped = bytes;
        return WINNOW_OK;
    }
    size_t room = (size_t)1 << 18;
    char *waste = mem_alloc(room);
    winnow_status status = WINNOW_OK;
    while (*skipped < bytes && status == WINNOW_OK) {
        size_t got = 0;
        uint64_t left = bytes - *skipped;
        status = byte_source_read(s, waste, left < room ? (size_t)left : room, &got, err);
        if (got == 0) {
            break;
        }
        *skipped += got;
    }
    mem_free(waste);
    return status;
}

winnow_status byte_source_skip_lines(struct byte_source *s, uint64_t bytes, uint64_t lines,
                                     uint64_t *skipped, struct winnow_error *err)
{
    if (!s->parquet || lines == 0) {
        return byte_source_skip(s, bytes, skipped, err);
    }
    *skipped = 0;
    TRY(open_rows(s, err));
    if (!s->broken && lines <= parquet_rows_count(s->rows)) {
        TRY(judge_rows(s, parquet_rows_seek(s->rows, lines, err), err));
        s->delivered = *skipped = bytes;
    }
    return WINNOW_OK;
}

bool byte_source_changed(const struct byte_source *s)
{
    return s->changed;
}

const char *byte_source_torn(const struct byte_source *s)
{
    return s->torn[0] ? s->torn : NULL;
}

bool byte_source_corrupt(const struct byte_source *s)
{
    return s->torn[0] && s->corrupt;
}

uint64_t byte_source_bytes_read(const struct byte_source *s)
{
    if (s->parquet) {
        return s->rows ? parquet_rows_place(s->rows) : 0;
    }
    return place(s) > s->furthest ? place(s) : s->furthest;
}

bool byte_source_again(const struct byte_source *s)
{
    return s->again;
}
