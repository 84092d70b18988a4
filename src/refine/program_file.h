/* program_file.h -- programs that were written elsewhere, by document id. */
#ifndef WINNOW_REFINE_PROGRAM_FILE_H
#define WINNOW_REFINE_PROGRAM_FILE_H

#include "base/error.h"
#include "base/str.h"

struct program_file;

/* A program and the lines that it may touch; last SIZE_MAX: to the end. */
struct program_text {
    size_t first, last;
    struct str text;
};

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

#endif /* WINNOW_REFINE_PROGRAM_FILE_H */
