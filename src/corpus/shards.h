/* shards.h -- from what a user names to the list of files to read.
 *
 * A path is a file, a folder (walked to the bottom), a glob (*, ?, [...], and **
 * for any number of folders), an address of storage (storage/storage.h), where folders and globs
 * mean the same, or "-".  Inside folders and globs, hidden
 * files, names that start with "_" and *.tmp are skipped, a folder gives only files whose
 * names say that they are of the kind asked for, and links to folders are not
 * followed; a file named outright is always taken.  Paths stay in the order
 * given, what each of them expands to is in byte order, and one file reached
 * twice is read once.  A folder that is a run, or a stage of one, means its
 * documents (run_places.h).  What a folder or glob holds and is not taken, and what
 * cannot be read, is in the list's account (account.h).
 */
#ifndef WINNOW_CORPUS_SHARDS_H
#define WINNOW_CORPUS_SHARDS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/stamp.h"
#include "base/str.h"
#include "corpus/account.h"
#include "storage/storage.h"

enum shards_kind {
    SHARDS_DOCUMENTS, /* .jsonl .ndjson .json, plain or packed (packing.h) */
    SHARDS_PAGES,     /* .html .htm .xhtml .txt .text .md .markdown .warc .wet, likewise */
};

struct shard {
    const char *path;                    /* to open; "-" is standard input */
    const struct storage_object *remote; /* what path is the address of; NULL: of a file */
    /* What it is called in outputs: relative to the folder or to the part of
     * the glob before its first wildcard, else the file's own name; valid UTF-8, bytes
     * that are none being %XX.  In a list of documents a walk over a folder finds such a
     * name: .jsonl stands behind what has no ending that is read, a leading "." or "_"
     * is %XX.  Outputs called after names never meet: where they would, all are relative
     * to the deepest folder that holds them all. */
    const char *name;
    const char *shown;       /* the same without the ending that was added, for tables */
    const char *label;       /* what sentences call it: the path by which its user reaches it */
    uint64_t bytes;          /* size on disk, 0 for standard input */
    struct file_stamp stamp; /* when it was found; unknown of what is read once */
    bool met;                /* in a folder or by a glob; false: named */
    bool piped;              /* a file now, but it came through a pipe: its name tells nothing */
    bool once; /* standard input, a pipe or a device: a second reading finds nothing */
};

struct shard_list {
    struct shard *items;
    size_t count;
    uint64_t bytes;                /* of all */
    size_t duplicates;             /* paths left out because their file is listed already */
    struct storage *storage;       /* of what is remote */
    struct input_account *account; /* of what was found, and for who reads it to go on with */
    struct arena keep;
};

struct shards_options {
    struct winnow_list paths;
    const char *files_from; /* NULL, or a file with one path a line ("-": standard input) */
    enum shards_kind kind;
    const struct winnow_env *env; /* for addresses; NULL: none is taken */
    bool local;                   /* addresses are passed over */
    const char *ending;           /* of names in outputs: ".parquet"; NULL: that of the file */
};

/* No path at all, a path that does not exist or cannot be opened, a folder or glob
 * without any file, and names that would meet in the outputs are failures: a run
 * over nothing is a mistyped run.  out is to be
 * released in any case. */
winnow_status shards_find(const struct shards_options *opt, struct shard_list *out,
                          struct winnow_error *err);
void shard_list_release(struct shard_list *list);

/* Whether any of it can be read once only. */
bool shard_list_once(const struct shard_list *list);

/* WINNOW_E_USAGE where outputs below folder cannot be called after one of the list: a file
 * system has no room for such a name with what stands beside it. */
winnow_status shard_list_fits(const struct shard_list *list, const char *folder,
                              struct winnow_error *err);

/* Takes item i out of the list, as one that cannot be read. */
void shard_list_lose(struct shard_list *list, size_t i, struct str reason);

/* The name without its packing's ending, then without the extensions that the kind
 * names: "a/b.jsonl.gz" gives "a/b".  A view into name. */
struct str shard_stem(const char *name);

#endif /* WINNOW_CORPUS_SHARDS_H */
