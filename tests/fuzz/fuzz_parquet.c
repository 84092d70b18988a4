/* fuzz_parquet.c -- any bytes as a Parquet file: what can be read of it is written again by its
 * own schema, and then reads the same. */
#include "base/json.h"
#include "base/mem.h"
#include "parquet/parquet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(struct str bytes)
{
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || (bytes.len > 0 && write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len)) {
        abort();
    }
    return fd;
}

/* The lines, up to TEXT_MAX; whether that was all of them. */
static bool read_all(int fd, uint64_t from, struct buf *out)
{
    struct parquet_rows *r = NULL;
    struct winnow_error err;
    off_t size = lseek(fd, 0, SEEK_END);
    const struct parquet_file file = {.fd = fd, .size = (uint64_t)size};
    winnow_status st = parquet_rows_open(&r, &file, (uint64_t)64 << 20, &err);
    st = st == WINNOW_OK && from > 0 ? parquet_rows_seek(r, from, &err) : st;
    size_t got = 1;
    while (st == WINNOW_OK && got > 0 && out->len < TEXT_MAX) {
        st = parquet_rows_read(r, buf_reserve(out, 4096), 4096, &got, &err);
        out->len += got;
    }
    parquet_rows_close(r);
    return st == WINNOW_OK && got == 0;
}

static winnow_status each_line(struct str text, struct json_parser *parser,
                               struct parquet_shape *shape, struct parquet_writer *w,
                               struct winnow_error *err)
{
    struct str line;
    while (str_next_line(&text, &line)) {
        struct json_value root;
        TRY(json_parse(parser, line, &root, err));
        TRY(w ? parquet_writer_add(w, root, line.len, err) : parquet_shape_see(shape, root, err));
    }
    return WINNOW_OK;
}

static void write_again(struct str text, const char *like)
{
    struct json_parser *parser = json_parser_new();
    struct parquet_shape *shape = parquet_shape_new();
    struct parquet_writer *w = NULL;
    struct winnow_error err;
    int fd = memfd_create("again", 0);
    winnow_status st = like ? parquet_shape_like(shape, like, &err) : WINNOW_OK;
    st = st == WINNOW_OK ? each_line(text, parser, shape, NULL, &err) : st;
    st = st == WINNOW_OK ? parquet_writer_open(&w, shape, fd, "again", &err) : st;
    st = st == WINNOW_OK ? each_line(text, parser, shape, w, &err) : st;
    st = st == WINNOW_OK ? parquet_writer_end(w, &err) : st;
    if (st == WINNOW_OK) {
        struct buf back = {0};
        if (!read_all(fd, 0, &back) || (like && !str_eq(text, buf_str(&back)))) {
            abort(); /* what we write, we read */
        }
        buf_release(&back);
    }
    parquet_writer_close(w);
    parquet_shape_free(shape);
    json_parser_free(parser);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = file_of((struct str){(const char *)data, size});
    struct buf text = {0}, rest = {0};
    if (read_all(fd, 0, &text)) {
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        write_again(buf_str(&text), path);
        write_again(buf_str(&text), NULL);
        (void)read_all(fd, 2, &rest);
        if (!str_ends(buf_str(&text), buf_str(&rest))) {
            abort();
        }
    }
    buf_release(&text);
    buf_release(&rest);
    (void)close(fd);
    return 0;
}
