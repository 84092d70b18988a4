/* server.c -- a command's options to those of a client: where the key is, above all.
 *
 * A key never stands on a command line, which everybody on the machine can read: it
 * comes from a file or from a variable that is named. */
#include "remote/server.h"

#include "base/file.h"
#include "base/url.h"

#define MODEL_BYTES_MAX 4096U

static bool is_name(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
    return n > 0 && n <= 64 && text[n] == '\0' && (text[0] < '0' || text[0] > '9');
}

static winnow_status find_key(const struct winnow_server_options *opt, const struct winnow_env *env,
                              struct buf *key, struct winnow_error *err)
{
    if (opt->key_file && opt->key_env) {
        return error_set(err, WINNOW_E_USAGE, "give one of --key-file and --key-env, not both");
    }
    if (opt->key_file) {
        return completion_key_read(opt->key_file, key, err);
    }
    if (opt->key_env) {
        const char *value = env->variable ? env->variable(env->user, opt->key_env) : NULL;
        if (!is_name(opt->key_env)) { /* perhaps the key itself: not quoted */
            return error_set(err, WINNOW_E_USAGE,
                             "--key-env takes the name of a variable of the environment, not the "
                             "key");
        }
        if (!value || value[0] == '\0') {
            return error_set(err, WINNOW_E_USAGE, "the environment has no variable %s (--key-env)",
                             opt->key_env);
        }
        return completion_key_check(str_of(value), opt->key_env, key, err);
    }
    return WINNOW_OK;
}

winnow_status server_check(const struct winnow_server_options *opt, const struct winnow_env *env,
                           struct winnow_error *err)
{
    struct buf key = {0};
    winnow_status st = opt->url ? url_check_server(str_of(opt->url), err) : WINNOW_OK;
    st = st == WINNOW_OK && opt->proxy ? url_check_proxy(str_of(opt->proxy), err) : st;
    st = st == WINNOW_OK ? find_key(opt, env, &key, err) : st;
    buf_release(&key);
    return st;
}

winnow_status server_client_options(const struct winnow_server_options *opt,
                                    const struct winnow_env *env, struct buf *key,
                                    struct completion_client_options *out, struct winnow_error *err)
{
    *out = COMPLETION_CLIENT_OPTIONS_INIT;
    TRY(find_key(opt, env, key, err));
    out->url = opt->url;
    out->server = opt->kind;
    out->model = opt->model;
    out->chat = opt->chat;
    out->key = key->len > 0 ? buf_cstr(key) : NULL;
    out->proxy = opt->proxy;
    out->concurrency = opt->concurrency;
    out->retries = opt->retries;
    out->seconds_max = opt->timeout;
    out->seed = env->seed;
    return WINNOW_OK;
}

winnow_status server_same_model(const char *path, const char *model, struct winnow_error *err)
{
    if (!file_exists(path)) {
        return file_write_atomic(path, str_of(model), err);
    }
    struct buf before = {0};
    winnow_status st = file_read(path, MODEL_BYTES_MAX, &before, err);
    if (st == WINNOW_OK && !str_is(buf_str(&before), model)) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s: the answers so far are of the model '%.*s', not of '%s'; name one with "
                       "--model, or give another folder",
                       path, STR_ARG(buf_str(&before)), model);
    }
    buf_release(&before);
    return st;
}
