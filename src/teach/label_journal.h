/* label_journal.h -- the answers of an expert, one line each, in the order asked.
 *
 * Answers are appended as they come and never changed, so a journal is always the
 * start of what it will be.  After a kill its lines are read again, one for each
 * question asked again, and a line that was cut off is taken away.
 */
#ifndef WINNOW_TEACH_LABEL_JOURNAL_H
#define WINNOW_TEACH_LABEL_JOURNAL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

struct label_entry {
    /* What was asked. */
    uint64_t number; /* from 0 */
    struct str id;
    const char *question;
    bool of_chunk;
    size_t first, last; /* of_chunk: lines */
    struct hash128 hash;
    struct str model;

    /* What came back. */
    struct str answer;
    struct str refused; /* the server's reason; ptr NULL: it answered */
    bool cut;
    uint64_t prompt_tokens, answer_tokens;
};

struct label_journal;

/* Makes the file where there is none. */
winnow_status label_journal_open(const char *path, struct label_journal **out,
                                 struct winnow_error *err);
void label_journal_close(struct label_journal *j);

/* The next answer of an earlier call; *more false when there are no more, and from
 * then on answers are to be added.  Takes number and hash of what is asked now from
 * e: WINNOW_E_USAGE where the journal answers something else.  Views hold until the
 * next call. */
winnow_status label_journal_next(struct label_journal *j, struct label_entry *e, bool *more,
                                 struct winnow_error *err);

winnow_status label_journal_add(struct label_journal *j, const struct label_entry *e,
                                struct winnow_error *err);
/* All has been asked: WINNOW_E_USAGE where there are answers to more than that;
 * syncs the file. */
winnow_status label_journal_end(struct label_journal *j, struct winnow_error *err);
winnow_status label_journal_sync(struct label_journal *j, struct winnow_error *err);

#endif /* WINNOW_TEACH_LABEL_JOURNAL_H */
