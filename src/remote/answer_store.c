/* answer_store.c -- an append-only file, a mark, and an index of offsets.
 *
 *     answers.jsonl          | lines that the mark vouches for | lines since then |
 *     answers.jsonl.mark     {"bytes": ^, "documents": ..., "complete": ...}
 *
 * A mark is written after the data are on the disk, at most twice a second; what lies
 * behind it when the file is opened again is cut off, and asked for again.  Memory: 8
 * bytes a document for where its line begins. */
#include "remote/answer_store.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define MARK_SECONDS 0.5
#define BUFFER_MAX   ((size_t)1 << 20)
#define LINE_HEAD    "{\"ordinal\":"
#define NOWHERE      UINT64_MAX

struct answer_store {
    char *path, *mark_path;
    int fd;
    uint64_t *offsets; /* by ordinal; NOWHERE: no line */
    size_t count, cap;
    uint64_t bytes, documents; /* added, marked or not */
    struct buf waiting;        /* added, not written */
    double marked_at;
    bool complete;
};

uint64_t answer_store_bytes(const struct answer_store *s)
{
    return s->count * sizeof *s->offsets;
}

/* ---- index ---- */

static winnow_status set_offset(struct answer_store *s, uint64_t ordinal, uint64_t offset,
                                struct winnow_error *err)
{
    if (ordinal < s->count || ordinal > (uint64_t)1 << 40) {
        return error_set(err, WINNOW_E_INTERNAL, "%s: document %" PRIu64 " out of order", s->path,
                         ordinal);
    }
    if (ordinal >= s->cap) {
        size_t cap = (size_t)ordinal + (size_t)ordinal / 2 + 1024;
        if (!mem_try_grow((void **)&s->offsets, s->cap * sizeof *s->offsets,
                          cap * sizeof *s->offsets)) {
            return error_set(err, WINNOW_E_NOMEM, "no memory for the places of %zu answers", cap);
        }
        s->cap = cap;
    }
    while (s->count < ordinal) {
        s->offsets[s->count++] = NOWHERE; /* bad lines have no answer */
    }
    s->offsets[s->count++] = offset;
    s->documents++;
    return WINNOW_OK;
}

static bool read_ordinal(struct str line, uint64_t *ordinal)
{
    struct str head = STR_LIT(LINE_HEAD);
    size_t at = head.len;
    *ordinal = 0;
    if (!str_starts(line, head)) {
        return false;
    }
    for (; at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '9' && at < 32; at++) {
        *ordinal = *ordinal * 10 + (uint64_t)(line.ptr[at] - '0');
    }
    return at > head.len && at < line.len && line.ptr[at] == ',';
}

static winnow_status index_file(struct answer_store *s, uint64_t bytes, struct winnow_error *err)
{
    struct file_map map;
    TRY(file_map_open(s->path, &map, err));
    struct str rest = str_sub(map.bytes, 0, (size_t)bytes), line;
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && str_next_line(&rest, &line)) {
        uint64_t ordinal = 0;
        uint64_t offset = (uint64_t)(line.ptr - map.bytes.ptr);
        if (read_ordinal(line, &ordinal)) {
            st = set_offset(s, ordinal, offset, err);
        } else {
            st = error_set(err, WINNOW_E_FORMAT,
                           "%s: byte %" PRIu64 " starts no line of answers; remove the file to "
                           "ask for all of them again",
                           s->path, offset);
        }
    }
    file_map_close(&map);
    s->bytes = bytes;
    return st;
}

/* ---- mark ---- */

static winnow_status read_mark(struct answer_store *s, uint64_t *bytes, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_parser *p = json_parser_new();
    struct json_value root;
    winnow_status st = file_read(s->mark_path, 4096, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(p, buf_str(&text), &root, err);
        if (st == WINNOW_OK && (!json_as_u64(json_get(root, "bytes"), bytes) ||
                                !json_as_bool(json_get(root, "complete"), &s->complete))) {
            st = error_set(err, WINNOW_E_FORMAT, "no \"bytes\" and \"complete\"");
        }
        st = st == WINNOW_OK ? st : error_wrap(err, st, "%s", s->mark_path);
    }
    json_parser_free(p);
    buf_release(&text);
    return st;
}

static winnow_status write_waiting(struct answer_store *s, struct winnow_error *err)
{
    TRY(file_write_fd(s->fd, buf_str(&s->waiting), s->path, err));
    buf_clear(&s->waiting);
    return WINNOW_OK;
}

winnow_status answer_store_mark(struct answer_store *s, bool complete, struct winnow_error *err)
{
    TRY(write_waiting(s, err));
    if (fdatasync(s->fd) != 0) {
        return error_errno(err, "cannot sync", s->path);
    }
    struct buf text = {0};
    buf_addf(&text, "{\"bytes\":%" PRIu64 ",\"documents\":%" PRIu64 ",\"complete\":%s}\n", s->bytes,
             s->documents, complete ? "true" : "false");
    winnow_status st = file_write_atomic(s->mark_path, buf_str(&text), err);
    buf_release(&text);
    s->complete = complete;
    s->marked_at = env_seconds();
    return st;
}

/* ---- life ---- */

static winnow_status start(struct answer_store *s, struct winnow_error *err)
{
    uint64_t marked = 0, size = 0;
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->fd < 0) {
        return error_errno(err, "cannot open", s->path);
    }
    if (file_exists(s->mark_path)) {
        TRY(read_mark(s, &marked, err));
    }
    TRY(file_size(s->path, &size, err));
    if (size < marked) { /* the data went without its mark */
        marked = 0;
        s->complete = false;
    }
    if (ftruncate(s->fd, (off_t)marked) != 0 || lseek(s->fd, (off_t)marked, SEEK_SET) < 0) {
        return error_errno(err, "cannot cut back", s->path);
    }
    return index_file(s, marked, err);
}

winnow_status answer_store_open(const char *path, struct answer_store **out,
                                struct winnow_error *err)
{
    struct answer_store *s = mem_zalloc(sizeof *s);
    struct buf mark = {0};
    buf_addf(&mark, "%s.mark", path);
    s->path = mem_strdup(path);
    s->mark_path = mem_strdup(buf_cstr(&mark));
    buf_release(&mark);
    s->marked_at = env_seconds();
    winnow_status st = start(s, err);
    if (st != WINNOW_OK) {
        answer_store_close(s);
        return st;
    }
    *out = s;
    return WINNOW_OK;
}

void answer_store_close(struct answer_store *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    mem_free(s->path);
    mem_free(s->mark_path);
    mem_free(s->offsets);
    buf_release(&s->waiting);
    mem_free(s);
}

bool answer_store_complete(const struct answer_store *s)
{
    return s->complete;
}

bool answer_store_has_passed(const struct answer_store *s, uint64_t ordinal)
{
    return ordinal < s->count;
}

void answer_store_line(struct buf *out, uint64_t ordinal, struct str object)
{
    buf_addf(out, LINE_HEAD "%" PRIu64 ",", ordinal);
    buf_add_str(out, str_sub(object, 1, object.len)); /* behind its brace */
}

winnow_status answer_store_add(struct answer_store *s, uint64_t ordinal, struct str line,
                               struct winnow_error *err)
{
    TRY(set_offset(s, ordinal, s->bytes, err));
    buf_add_str(&s->waiting, line);
    buf_add_char(&s->waiting, '\n');
    s->bytes += line.len + 1;
    if (env_seconds() - s->marked_at > MARK_SECONDS) {
        return answer_store_mark(s, false, err);
    }
    return s->waiting.len > BUFFER_MAX ? write_waiting(s, err) : WINNOW_OK;
}

winnow_status answer_store_read(const struct answer_store *s, uint64_t ordinal, struct buf *out,
                                struct winnow_error *err)
{
    buf_clear(out);
    if (ordinal >= s->count || s->offsets[ordinal] == NOWHERE) {
        return WINNOW_OK;
    }
    uint64_t from = s->offsets[ordinal], next = ordinal + 1;
    while (next < s->count && s->offsets[next] == NOWHERE) {
        next++;
    }
    size_t len = (size_t)((next < s->count ? s->offsets[next] : s->bytes) - from - 1);
    char *to = buf_reserve(out, len);
    while (out->len < len) {
        ssize_t n = pread(s->fd, to + out->len, len - out->len, (off_t)(from + out->len));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? error_errno(err, "cannot read", s->path)
                         : error_set(err, WINNOW_E_IO, "%s became shorter", s->path);
        }
        out->len += (size_t)n;
    }
    return WINNOW_OK;
}

uint64_t answer_store_documents(const struct answer_store *s)
{
    return s->documents;
}

uint64_t answer_store_ordinals(const struct answer_store *s)
{
    return s->count;
}
