/* dry_sample.c -- see dry_sample_internal.h. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"
#include "corpus/shard_writer.h"
#include "run/dry_sample_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define SAMPLE_PIECES 16U
#define SAMPLE_FILES  200U
#define SPREAD        7919U               /* a prime above SAMPLE_FILES */
#define SHARE_BYTES   ((uint64_t)8 << 20) /* read of a shard to see how it is packed */

/* Which part of a shard its first `bytes` (uncompressed) are: reads on for a
 * while, for how much the shard's bytes on disk become. */
static winnow_status share_of(struct shard_reader *reader, const struct shard *shard,
                              uint64_t bytes, double *share, struct winnow_error *err)
{
    struct shard_block block = {0};
    uint64_t total = bytes;
    bool more = true;
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && more && total < SHARE_BYTES) {
        st = shard_reader_next(reader, &block, &more, err);
        total += more ? block.lines.len : 0;
    }
    uint64_t read = shard_reader_bytes_read(reader);
    if (st == WINNOW_OK && total > 0 && read > 0 && shard->bytes > 0) {
        double all = more ? (double)total * (double)shard->bytes / (double)read : (double)total;
        *share = (double)bytes / all;
    }
    shard_block_release(&block);
    return st;
}

/* What cannot be read at all is in the account. */
/* NOLINTNEXTLINE(readability-function-size): its parameters are all different things */
static winnow_status copy_head(const struct shard *shard, size_t line_max, size_t piece,
                               const char *to, struct sample *s, uint64_t *bytes, double *share,
                               struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_writer_options write = SHARD_WRITER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_writer *writer = NULL;
    struct shard_block block = {0};
    bool more = false;
    opt.block_max = piece;
    opt.line_max = line_max;
    opt.stamp = &shard->stamp;
    opt.keep_going = shard->met;
    *bytes = 0;
    *share = 1;
    winnow_status st = shard_reader_open(&reader, shard->path, shard->name, &opt, err);
    st = st == WINNOW_OK ? shard_reader_next(reader, &block, &more, err) : st;
    st = st == WINNOW_OK ? shard_writer_open(&writer, to, &write, err) : st;
    if (st == WINNOW_OK && more && block.bad.reason.len > 0) {
        account_bad(&s->account, shard->label, &block.bad);
    } else if (st == WINNOW_OK && more) {
        *bytes = block.lines.len;
        st = shard_writer_add(writer, block.lines, err);
    }
    st = st == WINNOW_OK ? shard_writer_commit(writer, err) : st;
    if (st == WINNOW_OK && more && *bytes > 0) {
        st = share_of(reader, shard, *bytes, share, err);
    }
    shard_writer_close(writer);
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

static void add_piece(struct run *r, struct sample *s, struct str path, const struct shard *of,
                      bool copied)
{
    option_list_add(&s->paths, path, &r->keep);
    s->of[s->paths.count - 1] = of;
    s->copied[s->paths.count - 1] = copied;
}

static winnow_status sample_shards(struct run *r, const struct shard_list *in, struct sample *s,
                                   struct winnow_error *err)
{
    size_t pieces = in->count < SAMPLE_PIECES ? in->count : SAMPLE_PIECES;
    double whole = 0, on_disk = 0; /* of the shards that gave a piece: text and file */
    for (size_t i = 0; i < pieces; i++) {
        const struct shard *shard = &in->items[i * in->count / pieces];
        struct buf to = {0};
        uint64_t bytes = 0;
        double share = 1;
        buf_addf(&to, "%s/sample/%05zu.jsonl", s->folder, i);
        winnow_status st = copy_head(shard, (size_t)r->corpus->line_max, s->size->piece_bytes,
                                     buf_cstr(&to), s, &bytes, &share, err);
        add_piece(r, s, buf_str(&to), shard, true);
        buf_release(&to);
        TRY(st);
        s->bytes += bytes;
        whole += (double)bytes / share;
        on_disk += (double)shard->bytes;
    }
    if (whole > 0 && on_disk > 0) {
        s->share = (double)s->bytes / (whole * (double)in->bytes / on_disk);
    }
    s->share = s->share > 0 ? s->share : 1;
    return WINNOW_OK;
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

static winnow_status sample_files(struct run *r, const struct shard_list *in, struct sample *s,
                                  struct winnow_error *err)
{
    size_t pieces = in->count < SAMPLE_FILES ? in->count : SAMPLE_FILES;
    for (size_t i = 0; i < pieces && s->bytes < s->size->files_bytes; i++) {
        /* all over the place, so that a bound met early leaves an even spread */
        size_t piece = i * SPREAD % pieces;
        const struct shard *file = &in->items[piece * in->count / pieces];
        if (!is_archive(file->path) || file->bytes <= s->size->piece_bytes) {
            add_piece(r, s, str_of(file->path), file, false);
            s->bytes += file->bytes;
            continue;
        }
        struct buf to = {0};
        uint64_t bytes = 0;
        buf_addf(&to, "%s/sample/%05zu-%s", s->folder, i, file_base(file->path));
        winnow_status st = copy_bytes(file->path, buf_cstr(&to), s->size->piece_bytes, &bytes, err);
        add_piece(r, s, buf_str(&to), file, true);
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
    size_t most = in->count < SAMPLE_FILES ? in->count : SAMPLE_FILES;
    s->of = ARENA_NEW(&r->keep, const struct shard *, most);
    s->copied = ARENA_NEW(&r->keep, bool, most);
    return files ? sample_files(r, in, s, err) : sample_shards(r, in, s, err);
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
