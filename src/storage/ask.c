/* ask.c -- see ask.h.  Who gets a key: S3's signature goes with requests to the address that
 * s3:// leads to, the hub's token with those to the hub; a redirect elsewhere gets neither. */
#include "storage/ask.h"

#include "base/url.h"
#include "storage/sigv4.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define REDIRECTS_MAX   5
#define WAIT_FIRST      0.25 /* seconds */
#define WAIT_MAX        20.0
#define RETRY_AFTER_MAX 120.0
#define LINES_MAX       8U
#define BODY_LOOKED_AT  4096U
#define EMPTY_SHA256    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* The lines of a request's head. */
struct lines {
    struct buf text[LINES_MAX];
    const char *items[LINES_MAX + 1];
    size_t count;
};

static void add(struct lines *l, const char *name, const char *value)
{
    assert(l->count < LINES_MAX);
    struct buf *b = &l->text[l->count];
    buf_addf(b, "%s: %s", name, value);
    l->items[l->count++] = buf_cstr(b);
}

static void lines_release(struct lines *l)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        buf_release(&l->text[i]);
    }
}

static void sign(const struct storage_settings *set, const struct ask *a, struct lines *l)
{
    struct url_parts p;
    struct buf host = {0}, value = {0};
    char date[17];
    url_split(str_of(a->url), &p);
    buf_add_str(&host, p.host);
    const struct sigv4_key key = {set->access.ptr, set->secret.ptr, set->region.ptr, "s3",
                                  time(NULL)};
    sigv4_date(key.when, date);
    const struct sigv4_header headers[] = {{"host", buf_cstr(&host)},
                                           {"x-amz-content-sha256", EMPTY_SHA256},
                                           {"x-amz-date", date},
                                           {"x-amz-security-token", set->session.ptr}};
    size_t count = set->session.len > 0 ? 4 : 3;
    const struct sigv4_request r = {a->method, p.path, p.has_query ? p.query : STR_LIT(""),
                                    headers,   count,  EMPTY_SHA256};
    sigv4_authorization(&key, &r, &value);
    for (size_t i = 1; i < count; i++) {
        add(l, headers[i].name, headers[i].value);
    }
    add(l, "Authorization", buf_cstr(&value));
    buf_release(&host);
    buf_release(&value);
}

bool ask_is_of_hub(const struct storage *s, const char *url)
{
    const struct buf *hub = &s->settings.hf_endpoint;
    return strncmp(url, hub->ptr, hub->len) == 0 && url[hub->len] == '/';
}

static winnow_status send(struct web *w, const struct storage *s, const struct ask *a,
                          const char *url, struct winnow_error *err)
{
    const struct storage_settings *set = &s->settings;
    struct lines l = {0};
    struct buf value = {0};
    if (a->range && a->to == UINT64_MAX) {
        buf_addf(&value, "bytes=%" PRIu64 "-", a->from);
    } else if (a->range) {
        buf_addf(&value, "bytes=%" PRIu64 "-%" PRIu64, a->from, a->to);
    }
    if (a->range) {
        add(&l, "Range", buf_cstr(&value));
    }
    if (a->s3 && set->access.len > 0) {
        sign(set, a, &l);
    } else if (!a->s3 && set->hf_token.len > 0 && ask_is_of_hub(s, url)) {
        buf_clear(&value);
        buf_addf(&value, "Bearer %s", set->hf_token.ptr);
        add(&l, "Authorization", buf_cstr(&value));
    }
    const struct web_request r = {.method = a->method,
                                  .url = url,
                                  .headers = l.items,
                                  .proxied_plain = strncmp(url, "http:", 5) == 0};
    winnow_status st = web_send(w, &r, err);
    lines_release(&l);
    buf_release(&value);
    return st;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* "HTTPS:" means what "https:" does, which is what is compared. */
static void lower_scheme(struct buf *url)
{
    for (size_t i = 0; i < url->len && url->ptr[i] != ':'; i++) {
        char c = url->ptr[i];
        url->ptr[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

/* The address that an answer leads to from url; false where it leads nowhere good. */
static bool follow(const struct web_answer *answer, struct buf *url)
{
    struct str to = buf_str(&answer->location);
    struct url_parts p;
    struct winnow_error ignored;
    url_split(buf_str(url), &p);
    bool secure = str_is(p.scheme, "https");
    struct buf next = {0};
    if (str_starts(to, STR_LIT("/")) && !str_starts(to, STR_LIT("//"))) {
        buf_add_str(&next, p.scheme);
        buf_add_text(&next, "://");
        buf_add_str(&next, p.host);
    }
    buf_add_str(&next, to);
    lower_scheme(&next);
    bool good = url_check_server(buf_str(&next), &ignored) == WINNOW_OK &&
                (!secure || str_starts(buf_str(&next), STR_LIT("https:")));
    if (good) {
        buf_clear(url);
        buf_add_str(url, buf_str(&next));
    }
    buf_release(&next);
    return good;
}

/* One try, through redirects. */
static winnow_status send_through(struct web *w, const struct storage *s, const struct ask *a,
                                  struct winnow_error *err)
{
    struct buf url = {0};
    buf_add_text(&url, a->url);
    lower_scheme(&url);
    winnow_status st = WINNOW_OK;
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        st = send(w, s, a, buf_cstr(&url), err);
        const struct web_answer *answer = web_answer(w);
        if (st != WINNOW_OK || answer->status == 0 || a->s3 || !is_redirect(answer->status) ||
            (a->linked && answer->linked_size.len > 0) || !follow(answer, &url)) {
            break;
        }
    }
    buf_release(&url);
    return st;
}

/* An answer of which there is a head may have broken off by now: what has come of its body
 * is its reader's. */
static bool may_pass(const struct web_answer *a)
{
    return (a->failed && a->status == 0) || a->status == 408 || a->status == 429 ||
           a->status == 500 || a->status == 502 || a->status == 503 || a->status == 504;
}

winnow_status ask_wait(const struct storage *s, uint32_t n, double retry_after,
                       struct winnow_error *err)
{
    double wait = WAIT_FIRST;
    for (uint32_t i = 1; i < n && wait < WAIT_MAX; i++) {
        wait *= 2;
    }
    wait = wait < WAIT_MAX ? wait : WAIT_MAX;
    if (retry_after > wait) {
        wait = retry_after < RETRY_AFTER_MAX ? retry_after : RETRY_AFTER_MAX;
    }
    return web_pause(s->env, wait, err);
}

/* No answer came at any try: says what to do. */
static winnow_status refuse_silence(const struct web *w, const struct storage *s,
                                    const struct ask *a, uint32_t tries, struct winnow_error *err)
{
    const struct web_answer *answer = web_answer(w);
    const char *set = a->s3                      ? " (AWS_ENDPOINT_URL, AWS_REGION)"
                      : ask_is_of_hub(s, a->url) ? " (HF_ENDPOINT)"
                                                 : "";
    const char *advice = "do the command again when its server is there";
    struct buf look = {0};
    if (answer->odd_name || answer->odd_speech) {
        buf_addf(&look, "look at the address of its server%s: %s", set,
                 answer->odd_name ? "is the name right, and has this machine a network?"
                                  : "does it speak http:// rather than https://?");
        advice = buf_cstr(&look);
    }
    winnow_status st =
        error_set(err, WINNOW_E_IO, "%s cannot be read: %s, also at try %" PRIu32 "; %s", a->shown,
                  answer->reason, tries, advice);
    buf_release(&look);
    return st;
}

winnow_status ask_send(struct web *w, const struct storage *s, const struct ask *a,
                       struct winnow_error *err)
{
    for (uint32_t n = 1;; n++) {
        TRY(send_through(w, s, a, err));
        const struct web_answer *answer = web_answer(w);
        if (answer->hopeless && answer->status == 0) {
            return error_set(err, WINNOW_E_IO,
                             "%s cannot be read: %s; look at the address, and at the certificates "
                             "of this machine (AWS_CA_BUNDLE names others)",
                             a->shown, answer->reason);
        }
        if (!may_pass(answer)) {
            return WINNOW_OK;
        }
        if (n >= s->settings.tries && answer->status == 0) {
            return refuse_silence(w, s, a, n, err);
        }
        if (n >= s->settings.tries) {
            return error_set(err, WINNOW_E_IO,
                             "%s cannot be read: its server answered with status %d, also at try "
                             "%" PRIu32 "; do the command again later",
                             a->shown, answer->status, n);
        }
        TRY(ask_wait(s, n, answer->retry_after, err));
    }
}

/* ---- whole answers ---- */

/* The body, cut at max; *more where there was more. */
static winnow_status read_body(struct web *w, size_t max, struct buf *body, bool *more,
                               struct winnow_error *err)
{
    size_t got = 1;
    *more = false;
    while (got > 0) {
        TRY(web_read(w, buf_reserve(body, (size_t)1 << 14), (size_t)1 << 14, &got, err));
        body->len += got;
        if (body->len > max) {
            *more = true;
            return WINNOW_OK;
        }
    }
    return WINNOW_OK;
}

winnow_status ask_whole(struct web *w, const struct storage *s, const struct ask *a, size_t max,
                        struct buf *body, struct winnow_error *err)
{
    for (uint32_t n = 1;; n++) {
        bool more = false;
        buf_clear(body);
        TRY(ask_send(w, s, a, err));
        if (web_answer(w)->status != 200) {
            return ask_refuse(w, s, a, err);
        }
        TRY(read_body(w, max, body, &more, err));
        if (more) {
            return error_set(err, WINNOW_E_IO, "%s: the server's answer is longer than %zu MiB",
                             a->shown, max >> 20);
        }
        if (!web_answer(w)->failed) {
            return WINNOW_OK;
        }
        if (n >= s->settings.tries) {
            return error_set(err, WINNOW_E_IO,
                             "%s cannot be read: %s, also at try %" PRIu32
                             "; do the command again later",
                             a->shown, web_answer(w)->reason, n);
        }
        TRY(ask_wait(s, n, -1, err));
    }
}

/* ---- what is no success ---- */

/* The <Code> of an error of S3: a word, or "". */
static void find_code(struct str body, char code[65])
{
    size_t at = str_find(body, STR_LIT("<Code>")), n = 0;
    while (at != SIZE_MAX && n < 64 && at + 6 + n < body.len) {
        char c = body.ptr[at + 6 + n];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
            break;
        }
        code[n++] = c;
    }
    code[n] = '\0';
}

/* What to do about an error of S3 that is none of the key's; NULL: it may be. */
static const char *remedy_of(const char *code)
{
    static const char *const REMEDIES[][2] = {
        {"RequestTimeTooSkewed", "the clock of this machine is wrong; set it"},
        {"ExpiredToken", "the session of these keys has ended; get a new one, and set "
                         "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to it"},
        {"InvalidObjectState", "it is archived; restore it first, by the storage's own tool"},
    };
    for (size_t i = 0; i < sizeof REMEDIES / sizeof *REMEDIES; i++) {
        if (strcmp(code, REMEDIES[i][0]) == 0) {
            return REMEDIES[i][1];
        }
    }
    return NULL;
}

static winnow_status refuse_key(const struct storage *s, const struct ask *a, int status,
                                const char *code, struct winnow_error *err)
{
    const struct storage_settings *set = &s->settings;
    const char *space = code[0] ? ", " : "", *remedy = remedy_of(code);
    if (remedy) {
        return error_set(err, WINNOW_E_IO, "%s cannot be read (status %d, %s): %s", a->shown,
                         status, code, remedy);
    }
    if (a->s3 && set->access.len > 0) {
        return error_set(err, WINNOW_E_IO,
                         "%s may not be read with the keys that were given (status %d%s%s): look "
                         "whether AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and "
                         "AWS_REGION, or AWS_PROFILE, are those of its owner",
                         a->shown, status, space, code);
    }
    if (a->s3) {
        return error_set(err, WINNOW_E_IO,
                         "%s may not be read without keys (status %d%s%s): set AWS_ACCESS_KEY_ID "
                         "and AWS_SECRET_ACCESS_KEY, or keep them in ~/.aws/credentials",
                         a->shown, status, space, code);
    }
    if (ask_is_of_hub(s, a->url)) {
        return error_set(err, WINNOW_E_IO,
                         "%s may not be read %s (status %d): look at the name, since a hub "
                         "answers so for what is not there, too; else set HF_TOKEN to a token that "
                         "may, and accept the data set's conditions on its page",
                         a->shown,
                         set->hf_token.len > 0 ? "with this HF_TOKEN" : "without HF_TOKEN", status);
    }
    return error_set(err, WINNOW_E_IO,
                     "%s may not be read (status %d): the server asks for a permission that "
                     "winnow does not have; fetch it by other means and name the file",
                     a->shown, status);
}

winnow_status ask_refuse(struct web *w, const struct storage *s, const struct ask *a,
                         struct winnow_error *err)
{
    const struct web_answer *answer = web_answer(w);
    struct buf body = {0};
    char code[65] = "";
    bool more = false;
    int status = answer->status;
    TRY(read_body(w, BODY_LOOKED_AT, &body, &more, err));
    find_code(a->s3 && body.len > 0 ? buf_str(&body) : STR_LIT(""), code);
    buf_release(&body);
    if (a->s3 && answer->region.len > 0 && answer->region.len < 40 &&
        !str_eq(buf_str(&answer->region), buf_str(&s->settings.region)) &&
        (status == 301 || status == 307 || status == 400)) {
        return error_set(err, WINNOW_E_IO,
                         "%s lies in the region %.*s and was asked for in %s: set AWS_REGION=%.*s",
                         a->shown, STR_ARG(buf_str(&answer->region)), s->settings.region.ptr,
                         STR_ARG(buf_str(&answer->region)));
    }
    if (status == 401 || status == 403 || (a->s3 && status == 400)) {
        return refuse_key(s, a, status, code, err);
    }
    if (status == 404 || status == 410) {
        return error_set(err, WINNOW_E_IO, "%s is not there (status %d%s%s): look at the address",
                         a->shown, status, code[0] ? ", " : "", code);
    }
    return error_set(err, WINNOW_E_IO, "%s cannot be read: its server answered with status %d%s%s",
                     a->shown, status, code[0] ? ", " : "", code);
}

winnow_status ask_permission(struct web *w, const struct storage *s, const struct ask *a,
                             struct winnow_error *err)
{
    TRY(send_through(w, s, a, err));
    int status = web_answer(w)->status;
    return status == 401 || status == 403 ? ask_refuse(w, s, a, err) : WINNOW_OK;
}
