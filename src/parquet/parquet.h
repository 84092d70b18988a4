/* parquet.h -- Parquet files as JSON lines, and JSON lines as Parquet files.
 *
 * A row is one line, its columns the members of an object in the order of the schema: structs are
 * objects, lists arrays, maps objects where their keys are strings and arrays of
 * {"key", "value"} where not; docs/parquet.md says what each type is called.  Lines become the
 * same values of the same types again where the new file is written after the old one.
 *
 *     parquet_rows_open(&r, &file, 0, err);
 *     while (parquet_rows_read(r, bytes, room, &got, err) == WINNOW_OK && got > 0) ...
 *
 *     shape = parquet_shape_new();  parquet_shape_like(shape, path, err);
 *     for each line: parquet_shape_see(shape, line, err);
 *     parquet_writer_open(&w, shape, fd, path, err);
 *     for each line: parquet_writer_add(w, line, err);
 *     parquet_writer_end(w, err);
 */
#ifndef WINNOW_PARQUET_PARQUET_H
#define WINNOW_PARQUET_PARQUET_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

/* ---- reading ---- */

/* Where the bytes of a file are: behind fd, or, where read_at is not NULL, behind that; *got is
 * less than len at the end only. */
struct parquet_file {
    int fd;
    uint64_t size;
    winnow_status (*read_at)(void *ctx, void *to, size_t len, uint64_t at, size_t *got,
                             struct winnow_error *err);
    void *ctx;
};

struct parquet_rows;

/* What the file leads to stays the caller's.  WINNOW_E_FORMAT: why the file cannot be read, as a
 * clause without its name; WINNOW_E_LIMIT where its pages need more than memory_max (0: no limit).
 */
winnow_status parquet_rows_open(struct parquet_rows **out, const struct parquet_file *file,
                                uint64_t memory_max, struct winnow_error *err);
void parquet_rows_close(struct parquet_rows *r);

/* Goes to a row; its group is read up to it, those before are not. */
winnow_status parquet_rows_seek(struct parquet_rows *r, uint64_t row, struct winnow_error *err);

/* The next bytes of the lines; *got is 0 at the end.  WINNOW_E_FORMAT: a clause; the lines before
 * have been given by then. */
winnow_status parquet_rows_read(struct parquet_rows *r, char *to, size_t room, size_t *got,
                                struct winnow_error *err);

uint64_t parquet_rows_count(const struct parquet_rows *r);

/* Bytes of the file that lie behind, for progress. */
uint64_t parquet_rows_place(const struct parquet_rows *r);

/* What reading holds at a time, as far as the footer tells; 0 for what is no Parquet file. */
uint64_t parquet_rows_needs(const struct parquet_file *file);

/* ---- writing ---- */

/* The schema of a file to be written. */
struct parquet_shape;
struct parquet_shape *parquet_shape_new(void);
void parquet_shape_free(struct parquet_shape *s);

/* Columns, types, annotations and key-value metadata are those of a file; what lines have beside
 * them becomes further columns.  Without: all is found in the lines. */
winnow_status parquet_shape_like(struct parquet_shape *s, const char *path,
                                 struct winnow_error *err);
winnow_status parquet_shape_like_file(struct parquet_shape *s, const struct parquet_file *file,
                                      const char *path, struct winnow_error *err);

/* Whether two shapes have the same columns from the files that they are like. */
bool parquet_shape_equal(const struct parquet_shape *a, const struct parquet_shape *b);

/* Every line of the file to be has to be seen.  An object; else WINNOW_E_FORMAT. */
winnow_status parquet_shape_see(struct parquet_shape *s, struct json_value line,
                                struct winnow_error *err);

struct parquet_writer;

/* fd and path stay the caller's; path is for sentences. */
winnow_status parquet_writer_open(struct parquet_writer **out, struct parquet_shape *shape, int fd,
                                  const char *path, struct winnow_error *err);
/* bytes: of the line, by which row groups end. */
winnow_status parquet_writer_add(struct parquet_writer *w, struct json_value line, size_t bytes,
                                 struct winnow_error *err);
/* The last row group and the footer. */
winnow_status parquet_writer_end(struct parquet_writer *w, struct winnow_error *err);
void parquet_writer_close(struct parquet_writer *w);

#endif /* WINNOW_PARQUET_PARQUET_H */
