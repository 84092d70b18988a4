/* program_file.h -- programs that were written elsewhere, by document id.
 *
 *     {"id": "a", "program": "remove_lines(0, 2)"}
 *     {"id": "b", "chunks": [{"first": 0, "last": 9, "level": "doc", "program": "keep_doc()"},
 *                            {"first": 0, "last": 4, "program": "keep_chunk()"}, ...]}
 *
 * Members that are not known (answer_store.h writes some) are passed over. */
#ifndef WINNOW_PROGRAM_PROGRAM_FILE_H
#define WINNOW_PROGRAM_PROGRAM_FILE_H

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

struct program_file;

/* A program and the lines that it may touch; last SIZE_MAX: to the end. */
struct program_text {
    size_t first, last;
    struct str text;
    bool of_document; /* "level": "doc": what a refiner said of the document as a whole */
};

/* The programs of one line's object; texts are views of it. */
struct program_list {
    struct program_text *items;
    size_t count, cap;
};
void program_list_release(struct program_list *l);
void program_list_add(struct program_list *l, struct program_text t);
winnow_status program_list_read(struct json_value object, struct program_list *out,
                                struct winnow_error *err);

/* Reads it whole: JSON lines, plain, .gz or .zst.  WINNOW_E_FORMAT names file,
 * line and what is wrong there, WINNOW_E_LIMIT a file whose programs pass
 * memory_max (0: none). */
winnow_status program_file_open(const char *path, uint64_t memory_max, struct program_file **out,
                                struct winnow_error *err);
void program_file_close(struct program_file *f);

/* The programs of a document, in the order of its chunks; 0 where it has none. */
size_t program_file_find(const struct program_file *f, struct str id,
                         const struct program_text **programs);

/* Documents that have programs. */
uint64_t program_file_documents(const struct program_file *f);

#endif /* WINNOW_PROGRAM_PROGRAM_FILE_H */
