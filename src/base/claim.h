/* claim.h -- folders that winnow fills, and how they are told from others.
 *
 * Such a folder holds a file .winnow, which no other program writes:
 *
 *     winnow run 1            what it is, and the version of this file
 *     settings 77ab...        of what command it is, with which options (not of runs,
 *     key 0f3c...             whose stages have keys of their own); and the same with
 *     finished                all that was read; when all is done, with what of the
 *                             input could not be read behind it, if anything
 *
 * Only a folder with that mark, of the same kind, or an empty one is ever filled,
 * and so only there is anything ever removed: a name that happens to be taken costs
 * nobody their files.  The mark is written under the lock (.lock), before anything
 * else, so a folder that a kill left without it is as good as empty.
 */
#ifndef WINNOW_BASE_CLAIM_H
#define WINNOW_BASE_CLAIM_H

#include "base/error.h"

/* Kinds of folders. */
#define CLAIM_RUN     "run"     /* stages, ledger, documents */
#define CLAIM_PROOF   "proof"   /* arms, seeds, results */
#define CLAIM_MODEL   "model"   /* a trained model of any sort */
#define CLAIM_VECTORS "vectors" /* vectors of documents */
#define CLAIM_LABELS  "labels"  /* an expert's answers */
#define CLAIM_STUDY   "study"   /* what statistics of a corpus do */

/* WINNOW_E_USAGE where path exists and is neither empty nor such a folder; writes
 * nothing, so that a command can ask before it begins. */
winnow_status claim_check(const char *folder, const char *kind, struct winnow_error *err);

/* Makes the folder where there is none, takes its lock, marks it.  *lock ends with
 * file_unlock().  WINNOW_E_IO where another process holds it. */
winnow_status claim_folder(const char *folder, const char *kind, int *lock,
                           struct winnow_error *err);

/* Whether winnow filled it, as a folder of that kind; NULL: of any. */
bool claim_is(const char *folder, const char *kind);

/* What the folder's content was made under; "" where that is not known. */
struct claim {
    char settings[33], key[33];
    bool finished;  /* all of it is there */
    char told[512]; /* finished, but not all of the input could be read: the sentence */
};
winnow_status claim_read(const char *folder, struct claim *out, struct winnow_error *err);
winnow_status claim_write(const char *folder, const char *kind, const struct claim *c,
                          struct winnow_error *err);

#endif /* WINNOW_BASE_CLAIM_H */
