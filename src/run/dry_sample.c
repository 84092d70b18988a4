/* dry_sample.c -- see dry_sample_internal.h. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/dry_sample_internal.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define SAMPLE_FILES 200U
#define SPREAD       7919U /* a prime above SAMPLE_FILES */
#define LEAST_SHARE  16U   /* of piece_bytes: an archive gives that at least */

void sample_add(struct run *r, struct sample *s, const char *path, const struct shard *of,
                bool copied)
{
    option_list_add(&s->paths, str_of(path), &r->keep);
    s->of[s->paths.count - 1] = of;
    s->copied[s->paths.count - 1] = copied;
}

static bool is_archive(const char *path)
{
    static const char *const ENDINGS[] = {".warc", ".warc.gz", ".warc.zst",
                                          ".wet",  ".wet.gz",  ".wet.zst"};
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t n = strlen(ENDINGS[i]);
        if (len > n && strcasecmp(path + len - n, ENDINGS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first bytes of an archive; the record they break off in counts as bad. */
static winnow_status copy_bytes(const char *from, const char *to, size_t most, uint64_t *bytes,
                                struct winnow_error *err)
{
    char *room = mem_alloc(most);
    size_t len = 0;
    ssize_t n = 1;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n > 0 && len < most) {
        n = read(fd, room + len, most - len);
        len += n > 0 ? (size_t)n : 0;
    }
    winnow_status st = fd < 0 || n < 0 ? error_errno(err, "cannot read", from) : WINNOW_OK;
    st = st == WINNOW_OK ? file_write_atomic(to, (struct str){room, len}, err) : st;
    if (fd >= 0) {
        (void)close(fd);
    }
    mem_free(room);
    *bytes = len;
    return st;
}

/* In proportion, so that what is in large archives counts as much as there is of it. */
static size_t share_of_archive(const struct sample_size *size, const struct shard_list *in,
                               const struct shard *file)
{
    double share = (double)size->files_bytes * (double)file->bytes / (double)in->bytes;
    double least = (double)size->piece_bytes / LEAST_SHARE;
    return (size_t)fmin(fmax(share, least), (double)file->bytes);
}

static winnow_status sample_files(struct run *r, const struct shard_list *in, struct sample *s,
                                  struct winnow_error *err)
{
    size_t pieces = in->count < SAMPLE_FILES ? in->count : SAMPLE_FILES;
    for (size_t i = 0; i < pieces && s->bytes < s->size->files_bytes; i++) {
        /* all over the place, so that a bound met early leaves an even spread */
        size_t piece = i * SPREAD % pieces;
        const struct shard *file = &in->items[piece * in->count / pieces];
        if (!is_archive(file->path) || file->bytes <= s->size->piece_bytes) {
            sample_add(r, s, file->path, file, false);
            s->bytes += file->bytes;
            continue;
        }
        struct buf to = {0};
        uint64_t bytes = 0;
        size_t most = share_of_archive(s->size, in, file);
        buf_addf(&to, "%s/sample/%05zu-%s", s->folder, i, file_base(file->path));
        winnow_status st = copy_bytes(file->path, buf_cstr(&to), most, &bytes, err);
        sample_add(r, s, buf_cstr(&to), file, true);
        s->bytes += bytes;
        buf_release(&to);
        TRY(st);
    }
    s->share = in->bytes > 0 ? (double)s->bytes / (double)in->bytes : 1;
    return WINNOW_OK;
}

winnow_status sample_take(struct run *r, const struct shard_list *in, bool files, struct sample *s,
                          struct winnow_error *err)
{
    size_t most = files && in->count > SAMPLE_FILES ? SAMPLE_FILES : in->count;
    s->error = (double)NAN;
    s->of = ARENA_NEW(&r->keep, const struct shard *, most);
    s->copied = ARENA_NEW(&r->keep, bool, most);
    return files ? sample_files(r, in, s, err) : sample_windows(r, in, s, err);
}

bool sample_cut(const struct sample *s, struct str name)
{
    for (size_t i = 0; i < s->paths.count; i++) {
        if (s->copied[i] && str_starts(name, str_of(s->of[i]->label))) {
            return true;
        }
    }
    return false;
}

void sample_name_originals(const struct sample *s, struct winnow_error *err)
{
    for (size_t i = 0; i < s->paths.count; i++) {
        char *at = s->copied[i] ? strstr(err->text, s->paths.items[i]) : NULL;
        if (at) {
            struct buf text = {0};
            buf_add(&text, err->text, (size_t)(at - err->text));
            buf_add_text(&text, s->of[i]->path);
            buf_add_text(&text, at + strlen(s->paths.items[i]));
            (void)error_set(err, WINNOW_E_FORMAT, "%s", buf_cstr(&text));
            buf_release(&text);
        }
    }
}
