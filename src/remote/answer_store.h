/* answer_store.h -- what a model or a server answered, kept so that nothing is asked for twice.
 *
 * A file of lines of JSON, in the order of what was asked about, and beside it FILE.mark,
 * which says how much of it is safe.  A line begins with its ordinal; the rest is its user's.
 * Those of `refine` are what program/program_file.h reads:
 *
 *     {"ordinal":0,"id":"a","chunks":[{"first":0,"last":4,"program":"keep_chunk()"}]}
 *
 * Lines are appended and, every half a second, synced and marked.  Opening it again
 * after a kill cuts it back to the mark; what is asked from there on gives the same
 * bytes.  Reading is by the document's ordinal, for which 8 bytes a document are
 * held.
 */
#ifndef WINNOW_REFINE_ANSWER_STORE_H
#define WINNOW_REFINE_ANSWER_STORE_H

#include "base/buf.h"
#include "base/error.h"

struct answer_store;

winnow_status answer_store_open(const char *path, struct answer_store **out,
                                struct winnow_error *err);
void answer_store_close(struct answer_store *s); /* what is not marked is lost */

/* Everything was added in an earlier life. */
bool answer_store_complete(const struct answer_store *s);

/* Whether the document of that ordinal, or one behind it, is there. */
bool answer_store_has_passed(const struct answer_store *s, uint64_t ordinal);

/* Appends the line of an object of JSON, which gets its ordinal as first member; what a line has
 * to begin with is the store's business. */
void answer_store_line(struct buf *out, uint64_t ordinal, struct str object);

/* Adds the line (without newline) of a document behind all before. */
winnow_status answer_store_add(struct answer_store *s, uint64_t ordinal, struct str line,
                               struct winnow_error *err);

/* Syncs, marks; with complete, for good. */
winnow_status answer_store_mark(struct answer_store *s, bool complete, struct winnow_error *err);

/* The line of a document into out, cleared first; empty where it has none.  Only
 * after it was marked complete; from any thread. */
winnow_status answer_store_read(const struct answer_store *s, uint64_t ordinal, struct buf *out,
                                struct winnow_error *err);

/* What it holds in memory. */
uint64_t answer_store_bytes(const struct answer_store *s);

uint64_t answer_store_documents(const struct answer_store *s);

/* One more than the last ordinal that was added. */
uint64_t answer_store_ordinals(const struct answer_store *s);

#endif /* WINNOW_REFINE_ANSWER_STORE_H */
