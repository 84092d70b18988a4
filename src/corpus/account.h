/* account.h -- what became of everything that a command was given to read.
 *
 * A corpus shrinks without a word where files are left out, cannot be read or
 * break off.  So every list of shards carries an account: the walk over folders
 * enters what it leaves out and cannot read, whoever reads blocks enters
 * documents, bad lines and shards that were lost; and account_end() makes a
 * sentence and a status of it.  One thread at a time.
 */
#ifndef WINNOW_CORPUS_ACCOUNT_H
#define WINNOW_CORPUS_ACCOUNT_H

#include "base/arena.h"
#include "base/env.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/map.h"
#include "corpus/document.h"

struct account_item {
    const char *name, *reason; /* in keep */
    bool unreadable;           /* the system refused; may be better another time */
    uint64_t more;             /* further places of it that are lost, for reasons of their own */
};

/* Of very many only the first are kept. */
#define ACCOUNT_ITEMS_MAX 1000U

struct account_list {
    struct account_item *items;
    size_t held, cap;
    uint64_t count; /* held and others */
};

/* All-zero is empty. */
struct input_account {
    uint64_t documents;
    uint64_t bad;                /* lines of bad/: what is lost of a shard is one */
    struct str first_bad;        /* "a.jsonl, line 3: not JSON", or empty */
    struct account_list skipped; /* files that are of no kind that is read */
    struct account_list lost;    /* shards and folders that could not be read to their end */
    struct map lost_names;       /* of all of them: a second pass meets them again */
    struct account_list inputs;  /* what is read, to name some of it where it holds nothing */
    bool keep_open;              /* keep has been used */
    struct arena keep;
};
void account_release(struct input_account *a);

/* reason is a clause: "a link to a folder". */
void account_skip(struct input_account *a, const char *name, const char *reason);
void account_lose(struct input_account *a, const char *name, struct str reason, bool unreadable);

/* The same for a file or folder that the system refused with this errno. */
void account_lose_errno(struct input_account *a, const char *name, int code);

/* A shard that is going to be read, by its label. */
void account_input(struct input_account *a, const char *label);

bool account_is_lost(const struct input_account *a, const char *name);

/* A line that is no document, or the place where a shard ends too early. */
void account_bad(struct input_account *a, const char *shard, const struct bad_line *bad);

/* The first bad line's sentence, unless there is one. */
void account_first_bad(struct input_account *a, struct str text);

/* Takes over what another account of the same command holds. */
void account_add(struct input_account *to, const struct input_account *from);

/* One warning for all that was left out, if anything was. */
void account_warn_skipped(const struct input_account *a, const struct winnow_env *env);

/* One warning where there are bad lines. */
void account_warn_bad(const struct input_account *a, const struct winnow_env *env);

/* "2 files of the input are left out: a.bz2 (.bz2 is not read), ...". */
void account_say_skipped(const struct input_account *a, struct buf *out);

/* "2 inputs could not be read whole: a.jsonl.gz: ...; b.jsonl: ...", the first
 * few of them; nothing where nothing was lost. */
void account_say_lost(const struct input_account *a, struct buf *out);

/* "3 bad records, the first: ..."; nothing where there is none. */
void account_say_bad(const struct input_account *a, struct buf *out);

/* "no document in the input: ..." with what is known of why. */
void account_say_empty(const struct input_account *a, struct buf *out);

/* WINNOW_E_FORMAT with a sentence where no document was read: nothing can follow. */
winnow_status account_need_documents(const struct input_account *a, struct winnow_error *err);

/* Where inputs were lost, for who does nothing without them. */
winnow_status account_need_all(const struct input_account *a, struct winnow_error *err);

/* The same where inputs were lost: for the end, when all else is done. */
winnow_status account_tell_lost(const struct input_account *a, struct winnow_error *err);

/* "first_bad" (where there is one), "skipped_files" and "bad_shards" as members of
 * the open object. */
void account_write(const struct input_account *a, struct json_writer *w);

/* Adds what account_write() wrote into object. */
void account_read(struct input_account *a, struct json_value object);

#endif /* WINNOW_CORPUS_ACCOUNT_H */
