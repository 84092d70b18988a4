/* parquet_pack.c -- two passes over the lines: which columns there are, then their values.
 *
 * A schema stands for all of a file, and what the last line holds may change the type of a
 * column.  So lines are kept, small and packed, until all of them are known. */
#include "corpus/parquet_pack.h"

#include "corpus/json_lines.h"
#include "parquet/parquet.h"

#include <fcntl.h>
#include <unistd.h>

struct packing_run {
    struct parquet_shape *shape;
    struct parquet_writer *writer;
};

static winnow_status see_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct packing_run *p = ctx;
    return parquet_shape_see(p->shape, line->root, err);
}

static winnow_status write_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct packing_run *p = ctx;
    return parquet_writer_add(p->writer, line->root, line->text.len, err);
}

static winnow_status read_object_at(void *ctx, void *to, size_t len, uint64_t at, size_t *got,
                                    struct winnow_error *err)
{
    return storage_file_read_at(ctx, to, len, at, got, err);
}

static winnow_status shape_like(struct parquet_shape *shape, const struct parquet_like *like,
                                struct winnow_error *err)
{
    if (!like->remote) {
        return parquet_shape_like(shape, like->path, err);
    }
    struct storage_file *file = NULL;
    TRY(storage_file_open(&file, like->remote, true, err));
    const struct parquet_file parquet = {
        .fd = -1, .size = like->remote->bytes, .read_at = read_object_at, .ctx = file};
    winnow_status st = parquet_shape_like_file(shape, &parquet, like->path, err);
    storage_file_close(file);
    return st;
}

static winnow_status find_shape(struct packing_run *p, const char *lines,
                                const struct parquet_like *like,
                                const struct shard_reader_options *how, struct winnow_error *err)
{
    if (like) {
        winnow_status st = shape_like(p->shape, like, err);
        if (st == WINNOW_E_FORMAT) { /* then it gave no rows either */
            parquet_shape_free(p->shape);
            p->shape = parquet_shape_new();
        } else {
            TRY(st);
        }
    }
    const struct json_lines r = {.opt = how, .line = see_line, .ctx = p};
    return json_lines_read(lines, &r, err);
}

static winnow_status pack(struct packing_run *p, const char *lines, const char *to, int fd,
                          const struct parquet_like *like, struct winnow_error *err)
{
    struct shard_reader_options how = SHARD_READER_OPTIONS_INIT;
    how.line_max = SIZE_MAX / 2; /* they were read once */
    TRY(find_shape(p, lines, like, &how, err));
    TRY(parquet_writer_open(&p->writer, p->shape, fd, to, err));
    const struct json_lines r = {.opt = &how, .line = write_line, .ctx = p};
    TRY(json_lines_read(lines, &r, err));
    return parquet_writer_end(p->writer, err);
}

bool parquet_same_columns(const struct parquet_like *a, const struct parquet_like *b)
{
    struct parquet_shape *shapes[2] = {parquet_shape_new(), parquet_shape_new()};
    struct winnow_error ignored;
    bool same = shape_like(shapes[0], a, &ignored) == WINNOW_OK &&
                shape_like(shapes[1], b, &ignored) == WINNOW_OK &&
                parquet_shape_equal(shapes[0], shapes[1]);
    parquet_shape_free(shapes[0]);
    parquet_shape_free(shapes[1]);
    return same;
}

winnow_status parquet_pack(const char *lines, const char *to, const struct parquet_like *like,
                           struct winnow_error *err)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_errno(err, "cannot create", to);
    }
    struct packing_run p = {.shape = parquet_shape_new()};
    winnow_status st = pack(&p, lines, to, fd, like, err);
    parquet_writer_close(p.writer);
    parquet_shape_free(p.shape);
    if (close(fd) != 0 && st == WINNOW_OK) {
        st = error_errno(err, "cannot write", to);
    }
    return st;
}
