/* place.h -- whether what is read and what is written lie in each other.
 *
 * Paths are compared by what they are (device and inode of the folders that hold
 * them, links followed), never by how they are written, so that "..", links and
 * folders mounted twice deceive nobody.
 */
#ifndef WINNOW_BASE_PLACE_H
#define WINNOW_BASE_PLACE_H

#include "base/error.h"

/* All that a command reads.  All-zero is nothing. */
struct places;
struct places *places_new(void);
void places_free(struct places *p);

/* A file, or a folder with all below it.  What does not exist is passed over: it is
 * refused where it is opened.  */
winnow_status places_add(struct places *p, const char *path, struct winnow_error *err);

/* Standard input, where it is a file. */
winnow_status places_add_stdin(struct places *p, struct winnow_error *err);

/* A folder with every folder below it, so that a part of it that is mounted elsewhere
 * is known there. */
winnow_status places_add_tree(struct places *p, const char *path, struct winnow_error *err);

/* WINNOW_E_USAGE where something that is read lies in folder, which is to be filled,
 * or folder in a folder that is read.  It need not exist. */
winnow_status places_refuse_folder(const struct places *p, const char *folder,
                                   struct winnow_error *err);

/* WINNOW_E_USAGE where file, which is to be written, is read, too, or lies in a
 * folder that is read and in_folder says that it would be read there the next time. */
winnow_status places_refuse_file(const struct places *p, const char *file, bool in_folder,
                                 struct winnow_error *err);

/* The same for a file that is open for writing, e.g. standard output. */
winnow_status places_refuse_open(const struct places *p, int fd, struct winnow_error *err);

#endif /* WINNOW_BASE_PLACE_H */
