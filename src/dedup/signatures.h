/* signatures.h -- the signatures of a corpus, on disk: docs/formats/signatures.md.
 *
 * While a corpus is read they are written in its order, records and names in a file each,
 * so that a killed run goes on behind the last whole record.  Those of the documents that
 * stay become one file, which the run keeps and `dedup --against` reads. */
#ifndef WINNOW_DEDUP_SIGNATURES_H
#define WINNOW_DEDUP_SIGNATURES_H

#include "base/file.h"
#include "dedup/near_file.h"

#define SIGNATURES_FILE "signatures"

struct signatures_shape {
    uint32_t bands, rows, ngram;
    uint32_t numbers; /* 1: numbers count; 0: each is the same 0 */
    uint64_t seed;
};

/* 64 bytes. */
struct signatures_head {
    char magic[8];
    uint32_t bands, rows, ngram, numbers;
    uint64_t seed;
    uint64_t count; /* records; UINT64_MAX while they are being written */
    uint64_t names; /* bytes of ids and sources */
    uint64_t zero[2];
};

/* One document. */
struct signature {
    uint64_t words;   /* hash of its normalised text; 0: it has no words, and no numbers */
    uint64_t ordinal; /* in the input of the run */
    uint64_t bytes;   /* of its text */
    uint64_t name_at; /* its id, then its source, among the names */
    uint32_t id_len, source_len;
    double value;   /* by which the best copy is told, or 0 */
    uint64_t check; /* XXH3 of all the rest */
    uint32_t numbers[];
};

/* Bytes of a record. */
size_t signatures_stride(const struct signatures_shape *shape);

/* ---- writing ---- */

struct signatures_writer {
    struct signatures_shape shape;
    struct near_file records, names;
    uint64_t count;
    uint64_t next_ordinal; /* documents before it are there already */
    bool complete;         /* all of them are */
};

/* Goes on where an earlier process ended.  Paths are those of the two files. */
winnow_status signatures_start(struct signatures_writer *w, const struct signatures_shape *shape,
                               const char *records, const char *names, struct winnow_error *err);
/* In the order of ordinals; name_at, lengths and check are filled in. */
winnow_status signatures_add(struct signatures_writer *w, struct signature *s, struct str id,
                             struct str source, struct winnow_error *err);
winnow_status signatures_finish(struct signatures_writer *w, struct winnow_error *err);
void signatures_close(struct signatures_writer *w);

/* ---- reading ---- */

struct signatures {
    struct signatures_shape shape;
    size_t stride;
    uint64_t count;
    struct str records, names;
    struct file_map maps[2];
};

/* Two files that were finished. */
winnow_status signatures_open_parts(const char *records, const char *names, struct signatures *out,
                                    struct winnow_error *err);

/* How those of the one file were made, from its head. */
winnow_status signatures_read_shape(const char *path, struct signatures_shape *out,
                                    struct winnow_error *err);

/* The one file, checked whole. */
winnow_status signatures_open(const char *path, struct signatures *out, struct winnow_error *err);
void signatures_release(struct signatures *s);

/* The same from memory; views into bytes.  WINNOW_E_FORMAT with why it is none. */
winnow_status signatures_parse(struct str bytes, struct signatures *out, struct winnow_error *err);

const struct signature *signatures_at(const struct signatures *s, uint64_t i);
struct str signatures_id(const struct signatures *s, const struct signature *one);
struct str signatures_source(const struct signatures *s, const struct signature *one);

/* Writes those for which keep says so as one file, whole or not at all. */
winnow_status signatures_write(const struct signatures *s,
                               bool (*keep)(const void *ctx, uint64_t i), const void *ctx,
                               const char *path, struct winnow_error *err);

#endif /* WINNOW_DEDUP_SIGNATURES_H */
