/* prints.h -- whether files are the same as at an earlier call, by their content.
 *
 * A print is the hash of all bytes of a file.  Nothing is sampled: an edit in the
 * middle of a terabyte counts.  What makes that cheap is memory of earlier calls: a
 * file whose device's inode, size and both times are those of the list is not read
 * again.  A file that changed within two seconds of its reading is, as its times
 * could not tell a further change.
 */
#ifndef WINNOW_BASE_PRINTS_H
#define WINNOW_BASE_PRINTS_H

#include "base/json.h"
#include "base/json_write.h"
#include "base/pool.h"

struct prints;

/* known: an array of what prints_write() wrote, or no value.  It is copied. */
struct prints *prints_new(struct json_value known, const struct winnow_env *env);
/* The same for a further list. */
void prints_know(struct prints *p, struct json_value known);
void prints_free(struct prints *p);

/* The env that it was made with. */
const struct winnow_env *prints_env(const struct prints *p);

/* The prints of count files, 32 digits each; "" for what is no regular file, cannot be
 * read (failed says why, else "") or has a NULL for its path.  Read on all of pool's
 * threads, or here where it is NULL. */
winnow_status prints_files(struct prints *p, struct pool *pool, const char *const *paths,
                           size_t count, char (*out)[33], struct winnow_error *failed,
                           struct winnow_error *err);

/* Of a file, or of a folder: names and content of all files below it but hidden and
 * temporary ones.  "" where there is nothing of that name. */
winnow_status prints_tree(struct prints *p, const char *path, char out[33],
                          struct winnow_error *err);

/* The members path (as given), bytes, mtime_ns, ctime_ns, inode, hash of a file that
 * prints_files() or prints_tree() met, into the object that w has open. */
void prints_write(const struct prints *p, const char *path, struct json_writer *w);

/* An array of objects like that, of the files that prints_tree() met. */
void prints_write_trees(const struct prints *p, struct json_writer *w);

#endif /* WINNOW_BASE_PRINTS_H */
