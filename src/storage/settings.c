/* settings.c -- see settings.h.  The order is that of AWS's tools: variables first, then the
 * profile; what neither gives is anonymous. */
#include "storage/settings.h"

#include "base/env.h"
#include "base/file.h"
#include "base/url.h"

#include <stdlib.h>

#define FILE_MAX       ((size_t)1 << 20)
#define SECONDS        60.0
#define TRIES          6U
#define SETTINGS_COUNT 11U
#define HF_ENDPOINT    "https://huggingface.co"

static const char *variable(const struct winnow_env *env, const char *name)
{
    const char *value = env->variable ? env->variable(env->user, name) : NULL;
    return value && value[0] ? value : NULL;
}

/* The first of the variables that is set, into out where that is empty. */
static void take(const struct winnow_env *env, const char *const *names, struct buf *out)
{
    for (; *names && out->len == 0; names++) {
        const char *value = variable(env, *names);
        buf_add_text(out, value ? value : "");
    }
}

bool storage_profile_read(struct str text, const char *section,
                          void (*meet)(void *ctx, struct str key, struct str value), void *ctx)
{
    struct str line;
    bool inside = false, found = false;
    text = str_starts(text, STR_LIT("\xEF\xBB\xBF")) ? str_sub(text, 3, text.len) : text;
    while (str_next_line(&text, &line)) {
        bool indented = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        line = str_trim(line);
        if (line.len == 0 || indented || line.ptr[0] == '#' || line.ptr[0] == ';') {
            continue;
        }
        if (line.ptr[0] == '[') {
            size_t end = str_find(line, STR_LIT("]"));
            inside = end != SIZE_MAX && str_is(str_trim(str_sub(line, 1, end)), section);
            found = found || inside;
            continue;
        }
        size_t at = str_find(line, STR_LIT("="));
        if (inside && at != SIZE_MAX) {
            meet(ctx, str_trim(str_sub(line, 0, at)), str_trim(str_sub(line, at + 1, line.len)));
        }
    }
    return found;
}

static void set_once(struct buf *out, struct str value)
{
    if (out->len == 0) {
        buf_add_str(out, value);
    }
}

struct profile {
    struct storage_settings *s;
    bool keys; /* of the settings come from a profile */
};

static void meet_setting(void *ctx, struct str key, struct str value)
{
    struct profile *p = ctx;
    if (p->keys && str_is(key, "aws_access_key_id")) {
        set_once(&p->s->access, value);
    } else if (p->keys && str_is(key, "aws_secret_access_key")) {
        set_once(&p->s->secret, value);
    } else if (p->keys && str_is(key, "aws_session_token")) {
        set_once(&p->s->session, value);
    } else if (str_is(key, "region")) {
        set_once(&p->s->region, value);
    } else if (str_is(key, "endpoint_url")) {
        set_once(&p->s->endpoint, value);
    } else if (str_is(key, "ca_bundle")) {
        set_once(&p->s->ca_bundle, value);
    }
}

/* A section whose head is broken would be missed without a word. */
static void warn_of_heads(const struct winnow_env *env, const char *path, struct str text)
{
    struct str line;
    for (size_t number = 1; str_next_line(&text, &line); number++) {
        line = str_trim(line);
        if (line.len > 0 && line.ptr[0] == '[' && str_find(line, STR_LIT("]")) == SIZE_MAX) {
            env_log(env, WINNOW_LOG_WARNING,
                    "%s:%zu: the name of a profile has no ']' behind it; what is below is passed "
                    "over",
                    path, number);
        }
    }
}

/* named: by a variable; else it is the usual place, where nothing need be.  *found: the
 * section was there. */
static winnow_status read_profile(const struct winnow_env *env, struct profile *p, const char *path,
                                  bool named, const char *section, bool *found,
                                  struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    if (named || file_exists(path)) {
        st = file_read(path, FILE_MAX, &text, err);
        warn_of_heads(env, path, buf_str(&text));
        *found = st == WINNOW_OK && storage_profile_read(buf_str(&text), section, meet_setting, p);
    }
    buf_release(&text);
    return st;
}

/* The path that a variable (NULL: none) gives, or home/usual; "" where there is neither. */
static const char *path_of(const struct winnow_env *env, const char *name, const char *usual,
                           struct buf *out)
{
    const char *value = name ? variable(env, name) : NULL, *home = variable(env, "HOME");
    buf_clear(out);
    buf_add_text(out, value ? value : home ? home : "");
    buf_add_text(out, value || !home ? "" : usual);
    return buf_cstr(out);
}

static winnow_status read_profiles(const struct winnow_env *env, struct storage_settings *s,
                                   struct winnow_error *err)
{
    static const char *const FILES[] = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
    static const char *const USUAL[] = {"/.aws/credentials", "/.aws/config"};
    const char *asked = variable(env, "AWS_PROFILE"), *name = asked ? asked : "default";
    struct profile p = {s, s->access.len == 0};
    struct buf path = {0}, section = {0};
    winnow_status st = WINNOW_OK;
    bool found = false;
    for (size_t i = 0; i < 2 && st == WINNOW_OK; i++) {
        bool here = false, prefixed = i == 1 && strcmp(name, "default") != 0;
        const char *file = path_of(env, FILES[i], USUAL[i], &path);
        buf_clear(&section);
        buf_addf(&section, "%s%s", prefixed ? "profile " : "", name);
        st = file[0] ? read_profile(env, &p, file, variable(env, FILES[i]) != NULL,
                                    buf_cstr(&section), &here, err)
                     : WINNOW_OK;
        found = found || here;
    }
    if (st == WINNOW_OK && asked && p.keys && (!found || s->access.len == 0)) {
        st = error_set(err, WINNOW_E_USAGE,
                       "the profile %.100s (AWS_PROFILE) %s: name another one, or set "
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which `aws configure "
                       "export-credentials --format env` prints",
                       asked, found ? "has no aws_access_key_id" : "stands in no file of AWS's");
    }
    buf_release(&path);
    buf_release(&section);
    return st;
}

static bool has_control(const struct buf *b)
{
    bool has = false;
    for (size_t i = 0; i < b->len; i++) {
        has = has || (unsigned char)b->ptr[i] < 0x20 || (unsigned char)b->ptr[i] == 0x7F;
    }
    return has;
}

static winnow_status check_endpoint(const struct buf *endpoint, const char *name,
                                    struct winnow_error *err)
{
    if (url_check_server(buf_str(endpoint), err) != WINNOW_OK) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is no address of a server: write http://HOST:PORT or https://HOST, "
                         "without a password",
                         name);
    }
    return WINNOW_OK;
}

static winnow_status check(struct storage_settings *s, struct winnow_error *err)
{
    const struct buf *const lines[] = {&s->access, &s->secret, &s->session, &s->region,
                                       &s->hf_token};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (has_control(lines[i])) {
            return error_set(err, WINNOW_E_USAGE,
                             "a key, token or region for storage holds control characters, such "
                             "as the end of a line: set it without");
        }
    }
    if ((s->access.len > 0) != (s->secret.len > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together, and one of "
                         "them is missing: set both, or neither to read what is public");
    }
    if (s->endpoint.len > 0) {
        TRY(check_endpoint(&s->endpoint, "AWS_ENDPOINT_URL", err));
    }
    return check_endpoint(&s->hf_endpoint, "HF_ENDPOINT", err);
}

/* HF_TOKEN, or what `hf auth login` keeps. */
static winnow_status read_hf(const struct winnow_env *env, struct storage_settings *s,
                             struct winnow_error *err)
{
    struct buf path = {0};
    const char *home = variable(env, "HF_HOME"), *named = variable(env, "HF_TOKEN_PATH");
    take(env, (const char *const[]){"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", NULL}, &s->hf_token);
    take(env, (const char *const[]){"HF_ENDPOINT", NULL}, &s->hf_endpoint);
    set_once(&s->hf_endpoint, STR_LIT(HF_ENDPOINT));
    winnow_status st = WINNOW_OK;
    if (named) {
        buf_add_text(&path, named);
    } else if (home) {
        (void)file_join(&path, home, "token");
    } else {
        (void)path_of(env, NULL, "/.cache/huggingface/token", &path);
    }
    if (s->hf_token.len == 0 && path.len > 0 && file_exists(buf_cstr(&path))) {
        struct buf text = {0};
        st = file_read(buf_cstr(&path), FILE_MAX, &text, err);
        buf_add_str(&s->hf_token, st == WINNOW_OK ? str_trim(buf_str(&text)) : STR_LIT(""));
        buf_release(&text);
    }
    buf_release(&path);
    return st;
}

static winnow_status read_patience(const struct winnow_env *env, struct storage_settings *s,
                                   struct winnow_error *err)
{
    const char *seconds = variable(env, "WINNOW_STORAGE_SECONDS");
    const char *tries = variable(env, "WINNOW_STORAGE_TRIES");
    char *end = NULL;
    s->seconds = seconds ? strtod(seconds, &end) : SECONDS;
    if (seconds && (*end != '\0' || !(s->seconds >= 0.1 && s->seconds <= 86400))) {
        return error_set(err, WINNOW_E_USAGE,
                         "WINNOW_STORAGE_SECONDS is the time to wait for a byte, 0.1 to 86400");
    }
    unsigned long n = tries ? strtoul(tries, &end, 10) : TRIES;
    s->tries = (uint32_t)n;
    if (tries && (*end != '\0' || n < 1 || n > 100)) {
        return error_set(err, WINNOW_E_USAGE,
                         "WINNOW_STORAGE_TRIES is how often something is tried, 1 to 100");
    }
    return WINNOW_OK;
}

static void list(struct storage_settings *s, struct buf *all[SETTINGS_COUNT])
{
    struct buf *const those[SETTINGS_COUNT] = {
        &s->access, &s->secret,      &s->session,     &s->region,    &s->endpoint, &s->hf_token,
        &s->proxy,  &s->proxy_plain, &s->hf_endpoint, &s->proxy_not, &s->ca_bundle};
    memcpy(all, those, sizeof those);
}

static winnow_status read_all(const struct winnow_env *env, struct storage_settings *s,
                              struct winnow_error *err)
{
    take(env, (const char *const[]){"AWS_ACCESS_KEY_ID", NULL}, &s->access);
    take(env, (const char *const[]){"AWS_SECRET_ACCESS_KEY", NULL}, &s->secret);
    if (s->access.len > 0) {
        take(env, (const char *const[]){"AWS_SESSION_TOKEN", NULL}, &s->session);
    }
    take(env, (const char *const[]){"AWS_REGION", "AWS_DEFAULT_REGION", NULL}, &s->region);
    take(env, (const char *const[]){"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL}, &s->endpoint);
    take(env, (const char *const[]){"AWS_CA_BUNDLE", NULL}, &s->ca_bundle);
    take(env, (const char *const[]){"https_proxy", "HTTPS_PROXY", NULL}, &s->proxy);
    take(env, (const char *const[]){"http_proxy", NULL}, &s->proxy_plain);
    take(env, (const char *const[]){"no_proxy", "NO_PROXY", NULL}, &s->proxy_not);
    TRY(read_profiles(env, s, err));
    set_once(&s->region, STR_LIT("us-east-1"));
    TRY(read_hf(env, s, err));
    return read_patience(env, s, err);
}

static void cut_slashes(struct buf *b)
{
    while (b->len > 0 && b->ptr[b->len - 1] == '/') {
        b->len--;
    }
}

winnow_status storage_settings_read(const struct winnow_env *env, struct storage_settings *out,
                                    struct winnow_error *err)
{
    struct buf *all[SETTINGS_COUNT];
    *out = (struct storage_settings){0};
    TRY(read_all(env, out, err));
    cut_slashes(&out->endpoint);
    cut_slashes(&out->hf_endpoint);
    list(out, all);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        (void)buf_cstr(all[i]);
    }
    return check(out, err);
}

void storage_settings_release(struct storage_settings *s)
{
    struct buf *all[SETTINGS_COUNT];
    list(s, all);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        buf_release(all[i]);
    }
}
