/* storage_none.c -- stands for the reading of storage in a build without libcurl, expat or
 * libcrypto. */
#include "storage/address.h"
#include "storage/storage.h"

bool storage_is_address(const char *path)
{
    return address_kind_of(path) != ADDRESS_FILE;
}

bool storage_has_globs(const char *address)
{
    (void)address;
    return false;
}

winnow_status storage_open(struct storage **out, const struct winnow_env *env,
                           struct winnow_error *err)
{
    (void)env;
    *out = NULL;
    return error_set(err, WINNOW_E_USAGE,
                     "this winnow was built without what reads s3://, hf:// and https:// "
                     "addresses; install libcurl4-openssl-dev, libexpat1-dev and libssl-dev and "
                     "build again");
}

void storage_close(struct storage *s)
{
    (void)s;
}

static winnow_status nothing(struct winnow_error *err)
{
    return error_set(err, WINNOW_E_INTERNAL, "no storage");
}

winnow_status storage_find(const struct storage *s, const char *address, struct arena *keep,
                           struct storage_found *out, struct winnow_error *err)
{
    (void)s;
    (void)address;
    (void)keep;
    *out = (struct storage_found){0};
    return nothing(err);
}

winnow_status storage_list(const struct storage *s, const char *address, size_t up_to,
                           struct arena *keep, struct storage_found *out, struct winnow_error *err)
{
    (void)up_to;
    return storage_find(s, address, keep, out, err);
}

winnow_status storage_object_try(const struct storage_object *o, struct winnow_error *err)
{
    (void)o;
    return nothing(err);
}

winnow_status storage_object_print(const struct storage_object *o, char out[33],
                                   struct winnow_error *err)
{
    (void)o;
    out[0] = '\0';
    return nothing(err);
}

winnow_status storage_file_open(struct storage_file **out, const struct storage_object *o,
                                bool scattered, struct winnow_error *err)
{
    (void)o;
    (void)scattered;
    *out = NULL;
    return nothing(err);
}

void storage_file_close(struct storage_file *f)
{
    (void)f;
}

winnow_status storage_file_read(struct storage_file *f, char *to, size_t room, size_t *got,
                                struct winnow_error *err)
{
    (void)f;
    (void)to;
    (void)room;
    *got = 0;
    return nothing(err);
}

void storage_file_seek(struct storage_file *f, uint64_t at)
{
    (void)f;
    (void)at;
}

winnow_status storage_file_read_at(struct storage_file *f, void *to, size_t len, uint64_t at,
                                   size_t *got, struct winnow_error *err)
{
    (void)f;
    (void)to;
    (void)len;
    (void)at;
    *got = 0;
    return nothing(err);
}
