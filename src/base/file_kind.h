/* file_kind.h -- what a file is that is not what was asked for.
 *
 * A file is mostly wrong in a few known ways: a pointer that Git left in the
 * place of the file, a web page that a server sent instead, another format.  Its
 * first bytes tell, and a sentence that names it saves the search. */
#ifndef WINNOW_BASE_FILE_KIND_H
#define WINNOW_BASE_FILE_KIND_H

#include "base/error.h"
#include "base/str.h"

/* What begins like that, with the remedy ("a Git LFS pointer, not the file itself;
 * ..."), or NULL where nothing known does. */
const char *file_kind_of(struct str head);

/* st, with which a reader refused the file at path; where its first bytes are of
 * a known kind, the sentence says so instead. */
winnow_status file_kind_blame(const char *path, struct str bytes, winnow_status st,
                              struct winnow_error *err);

/* WINNOW_E_IO: there is nothing at path, which was to be what ("a model").  A name
 * of the form owner/name is told from a path that is misspelled. */
winnow_status file_kind_missing(const char *path, const char *what, struct winnow_error *err);

#endif /* WINNOW_BASE_FILE_KIND_H */
