/* label_journal.c -- a file that is replayed, then appended to.
 *
 *     | whole lines, each matched with the question asked again | cut line |
 *     0                                                        good
 *
 * Questions are asked in a fixed order, so line i must answer question i: its hash
 * says so.  When replay ends, the file is cut at `good` and new answers follow. */
#include "teach/label_journal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)64 << 20)
#define READ_BYTES     ((size_t)256 << 10)

struct label_journal {
    int fd;
    struct buf path;
    struct buf ahead; /* read, from `at` on not used yet */
    size_t at;
    uint64_t good; /* bytes of the file that are whole lines, used */
    bool replayed; /* all of it is used; the file ends at good */
    struct json_parser *parser;
    struct buf line; /* being written */
};

winnow_status label_journal_open(const char *path, struct label_journal **out,
                                 struct winnow_error *err)
{
    *out = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_errno(err, "cannot open", path);
    }
    struct label_journal *j = mem_zalloc(sizeof *j);
    j->fd = fd;
    j->parser = json_parser_new();
    buf_add_text(&j->path, path);
    (void)buf_cstr(&j->path);
    *out = j;
    return WINNOW_OK;
}

void label_journal_close(struct label_journal *j)
{
    if (!j) {
        return;
    }
    (void)close(j->fd);
    json_parser_free(j->parser);
    buf_release(&j->path);
    buf_release(&j->ahead);
    buf_release(&j->line);
    mem_free(j);
}

/* The next whole line of the file; *more false at its end, or where the last line
 * is cut off. */
static winnow_status next_line(struct label_journal *j, struct str *line, bool *more,
                               struct winnow_error *err)
{
    *more = false;
    for (size_t seen = j->at;;) {
        const char *newline =
            seen < j->ahead.len ? memchr(j->ahead.ptr + seen, '\n', j->ahead.len - seen) : NULL;
        if (newline) {
            size_t end = (size_t)(newline - j->ahead.ptr);
            *line = str_sub(buf_str(&j->ahead), j->at, end);
            j->at = end + 1;
            *more = true;
            return WINNOW_OK;
        }
        seen = j->ahead.len;
        if (j->at > 0) {
            memmove(j->ahead.ptr, j->ahead.ptr + j->at, j->ahead.len - j->at);
            j->ahead.len -= j->at;
            seen -= j->at;
            j->at = 0;
        }
        if (j->ahead.len > LINE_BYTES_MAX) {
            return error_set(err, WINNOW_E_LIMIT, "%s: a line is longer than %zu bytes",
                             buf_cstr(&j->path), LINE_BYTES_MAX);
        }
        ssize_t n = read(j->fd, buf_reserve(&j->ahead, READ_BYTES), READ_BYTES);
        if (n < 0) {
            return error_errno(err, "cannot read", buf_cstr(&j->path));
        }
        if (n == 0) {
            return WINNOW_OK;
        }
        j->ahead.len += (size_t)n;
    }
}

static bool read_hash(struct json_value v, struct hash128 want)
{
    struct str got;
    char hex[33];
    hash128_hex(want, hex);
    return json_as_str(v, &got) && str_is(got, hex);
}

static bool read_entry(struct json_value root, struct label_entry *e, bool *same)
{
    uint64_t number;
    *same = true;
    if (json_kind(root) != JSON_OBJECT || !json_as_u64(json_get(root, "number"), &number) ||
        !json_as_str(json_get(root, "model"), &e->model)) {
        return false;
    }
    *same = number == e->number && read_hash(json_get(root, "hash"), e->hash);
    e->refused = (struct str){0};
    (void)json_as_str(json_get(root, "refused"), &e->refused);
    return json_as_str(json_get(root, "answer"), &e->answer) &&
           json_as_bool(json_get(root, "cut"), &e->cut) &&
           json_as_u64(json_get(root, "prompt_tokens"), &e->prompt_tokens) &&
           json_as_u64(json_get(root, "answer_tokens"), &e->answer_tokens);
}

/* What is cut off goes; what is added stands behind whole lines. */
static winnow_status end_replay(struct label_journal *j, struct winnow_error *err)
{
    j->replayed = true;
    if (ftruncate(j->fd, (off_t)j->good) != 0 || lseek(j->fd, 0, SEEK_END) < 0) {
        return error_errno(err, "cannot shorten", buf_cstr(&j->path));
    }
    return WINNOW_OK;
}

winnow_status label_journal_next(struct label_journal *j, struct label_entry *e, bool *more,
                                 struct winnow_error *err)
{
    struct str line;
    *more = false;
    if (j->replayed) {
        return WINNOW_OK;
    }
    TRY(next_line(j, &line, more, err));
    if (!*more) {
        return end_replay(j, err);
    }
    struct json_value root;
    bool same;
    winnow_status st = json_parse(j->parser, line, &root, err);
    if (st != WINNOW_OK || !read_entry(root, e, &same)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: line %" PRIu64 " is no answer; take it and what follows away, or "
                         "give another folder",
                         buf_cstr(&j->path), e->number + 1);
    }
    if (!same) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: line %" PRIu64
                         " answers another question: the documents, settings or "
                         "prompts have changed since; give another folder",
                         buf_cstr(&j->path), e->number + 1);
    }
    j->good += line.len + 1;
    return WINNOW_OK;
}

winnow_status label_journal_add(struct label_journal *j, const struct label_entry *e,
                                struct winnow_error *err)
{
    char hex[33];
    hash128_hex(e->hash, hex);
    buf_clear(&j->line);
    struct json_writer w = {.out = &j->line};
    json_open(&w, '{');
    json_member_u64(&w, "number", e->number);
    json_member_str(&w, "id", e->id);
    json_member_text(&w, "question", e->question);
    if (e->of_chunk) {
        json_member_u64(&w, "first", e->first);
        json_member_u64(&w, "last", e->last);
    }
    json_member_text(&w, "hash", hex);
    json_member_str(&w, "model", e->model);
    if (e->refused.ptr) {
        json_member_str(&w, "refused", e->refused);
    }
    json_member_bool(&w, "cut", e->cut);
    json_member_u64(&w, "prompt_tokens", e->prompt_tokens);
    json_member_u64(&w, "answer_tokens", e->answer_tokens);
    json_member_str(&w, "answer", e->answer);
    json_close(&w, '}');
    buf_add_char(&j->line, '\n');
    return file_write_fd(j->fd, buf_str(&j->line), buf_cstr(&j->path), err);
}

winnow_status label_journal_sync(struct label_journal *j, struct winnow_error *err)
{
    return fsync(j->fd) == 0 ? WINNOW_OK : error_errno(err, "cannot sync", buf_cstr(&j->path));
}

winnow_status label_journal_end(struct label_journal *j, struct winnow_error *err)
{
    if (!j->replayed) {
        struct str line;
        bool more;
        TRY(next_line(j, &line, &more, err));
        if (more) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s: it has answers to more than is asked now: the documents or "
                             "settings have changed since; give another folder",
                             buf_cstr(&j->path));
        }
        TRY(end_replay(j, err));
    }
    return label_journal_sync(j, err);
}
