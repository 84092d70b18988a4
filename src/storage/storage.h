/* storage.h -- objects that lie elsewhere, read as files are.
 *
 *     s3://BUCKET/KEY                          S3 and what speaks as it does
 *     hf://datasets/OWNER/NAME@REVISION/PATH   a data set of a Hugging Face hub
 *     https://HOST/PATH, http://HOST/PATH      one file
 *
 * An object is found once, and known from then on by its ETag (or hash), size and time: bytes
 * of another state of it are refused while it is read, and are another input when a run goes
 * on.  Reading takes bounded memory; a connection that breaks is made again where it broke.
 * How storage is reached is storage/settings.h's; no function here quotes a secret. */
#ifndef WINNOW_STORAGE_STORAGE_H
#define WINNOW_STORAGE_STORAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* Whether path is one of the above and not a file's. */
bool storage_is_address(const char *path);

/* Whether its names may hold wildcards: the web's may not. */
bool storage_has_globs(const char *address);

struct storage;

/* env outlives it.  Threads share it. */
winnow_status storage_open(struct storage **out, const struct winnow_env *env,
                           struct winnow_error *err);
void storage_close(struct storage *s);

struct storage_object {
    const struct storage *storage;
    const char *address; /* without what is secret in it */
    const char *below;   /* of the folder it was found in; else its own name */
    const char *url;
    uint64_t bytes;
    bool sized;           /* bytes is known */
    const char *etag;     /* or the hash that a hub knows; "" unknown */
    const char *modified; /* as the server writes it, "" unknown */
    bool redirected;      /* its bytes lie on another server, whose ETag is another */
};

struct storage_found {
    struct storage_object *items;
    size_t count;
    bool folder; /* what lies below the address; else the one object that it names */
};

/* What lies at an address: the object of that name, or all below the folder, in byte order of
 * names; what only stands for a folder (its name ends in '/') is left out.  WINNOW_E_IO where
 * there is nothing. */
winnow_status storage_find(const struct storage *s, const char *address, struct arena *keep,
                           struct storage_found *out, struct winnow_error *err);

/* All whose addresses begin as the first up_to bytes of address, which hold a bucket or data
 * set; below the last '/' among them.  May be none. */
winnow_status storage_list(const struct storage *s, const char *address, size_t up_to,
                           struct arena *keep, struct storage_found *out, struct winnow_error *err);

/* Fails where the server forbids to read it, which a list does not tell; a byte is asked for. */
winnow_status storage_object_try(const struct storage_object *o, struct winnow_error *err);

/* What tells whether it is the same object at another time: 32 digits over its size and its
 * ETag, else its time of modification, else its bytes, which are read for it. */
winnow_status storage_object_print(const struct storage_object *o, char out[33],
                                   struct winnow_error *err);

/* ---- reading ---- */

#define STORAGE_FILE_BYTES ((uint64_t)20 << 20) /* what one that is open holds at most */

struct storage_file;

/* scattered: what is read lies here and there, as in Parquet files. */
winnow_status storage_file_open(struct storage_file **out, const struct storage_object *o,
                                bool scattered, struct winnow_error *err);
void storage_file_close(struct storage_file *f);

/* The next bytes; *got is 0 at the end only.  WINNOW_E_IO: what happened, in a sentence. */
winnow_status storage_file_read(struct storage_file *f, char *to, size_t room, size_t *got,
                                struct winnow_error *err);
void storage_file_seek(struct storage_file *f, uint64_t at);

/* len bytes from a place on; *got is less at the end of the object only. */
winnow_status storage_file_read_at(struct storage_file *f, void *to, size_t len, uint64_t at,
                                   size_t *got, struct winnow_error *err);

#endif /* WINNOW_STORAGE_STORAGE_H */
