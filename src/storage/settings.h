/* settings.h -- how storage is reached: credentials, endpoints, patience.
 *
 * From variables that the surroundings of the call give (env->variable) and from the files that
 * the tools of AWS and Hugging Face keep.  None of it is an option, so none of it is written
 * into a recipe, a report or a log; messages never quote it. */
#ifndef WINNOW_STORAGE_SETTINGS_H
#define WINNOW_STORAGE_SETTINGS_H

#include "base/buf.h"
#include "base/error.h"

/* Each text has a NUL behind it. */
struct storage_settings {
    struct buf access, secret, session; /* of AWS; empty: requests are not signed */
    struct buf region, endpoint;        /* endpoint "": Amazon's own */
    struct buf hf_endpoint, hf_token;
    struct buf proxy, proxy_plain, proxy_not; /* for https, for http, hosts without; "" none */
    struct buf ca_bundle;
    double seconds; /* without a byte before an exchange is given up */
    uint32_t tries; /* of what fails in a way that may pass */
};

/* out is to be released in any case. */
winnow_status storage_settings_read(const struct winnow_env *env, struct storage_settings *out,
                                    struct winnow_error *err);
void storage_settings_release(struct storage_settings *s);

/* Gives meet() the keys and values of a section of a file as ~/.aws/credentials and ~/.aws/config
 * are, in order; false where it has no such section.  Indented lines, which belong to the key
 * above them, are passed over.  Views into text. */
bool storage_profile_read(struct str text, const char *section,
                          void (*meet)(void *ctx, struct str key, struct str value), void *ctx);

#endif /* WINNOW_STORAGE_SETTINGS_H */
