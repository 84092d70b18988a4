/* program_store.h -- programs as a refiner gives them, kept so that no answer is
 * asked for twice.
 *
 * A file of lines that program_file.h reads, in the order of the corpus, and beside
 * it FILE.mark, which says how much of it is safe:
 *
 *     {"ordinal":0,"id":"a","chunks":[{"first":0,"last":4,"program":"keep_chunk()"}]}
 *
 * Lines are appended and, every half a second, synced and marked.  Opening it again
 * after a kill cuts it back to the mark; what is asked from there on gives the same
 * bytes.  Reading is by the document's ordinal, for which 8 bytes a document are
 * held.
 */
#ifndef WINNOW_REFINE_PROGRAM_STORE_H
#define WINNOW_REFINE_PROGRAM_STORE_H

#include "base/buf.h"
#include "base/error.h"

struct program_store;

winnow_status program_store_open(const char *path, struct program_store **out,
                                 struct winnow_error *err);
void program_store_close(struct program_store *s); /* what is not marked is lost */

/* Everything was added in an earlier life. */
bool program_store_complete(const struct program_store *s);

/* Whether the document of that ordinal, or one behind it, is there. */
bool program_store_has_passed(const struct program_store *s, uint64_t ordinal);

/* Appends the line of an object of JSON, which gets its ordinal as first member; what a line has
 * to begin with is the store's business. */
void program_store_line(struct buf *out, uint64_t ordinal, struct str object);

/* Adds the line (without newline) of a document behind all before. */
winnow_status program_store_add(struct program_store *s, uint64_t ordinal, struct str line,
                                struct winnow_error *err);

/* Syncs, marks; with complete, for good. */
winnow_status program_store_mark(struct program_store *s, bool complete, struct winnow_error *err);

/* The line of a document into out, cleared first; empty where it has none.  Only
 * after it was marked complete; from any thread. */
winnow_status program_store_read(const struct program_store *s, uint64_t ordinal, struct buf *out,
                                 struct winnow_error *err);

/* What it holds in memory. */
uint64_t program_store_bytes(const struct program_store *s);

uint64_t program_store_documents(const struct program_store *s);

#endif /* WINNOW_REFINE_PROGRAM_STORE_H */
