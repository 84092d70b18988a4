/* transport_curl.c -- exchanges over libcurl's multi interface.
 *
 * One easy handle a slot, made once and used again, so that connections are kept
 * alive.  curl_multi_poll() sleeps; nothing here spins.  libcurl's global state is
 * reference-counted by itself: each transport takes and gives back one count. */
#include "base/mem.h"
#include "base/retry_after.h"
#include "remote/transport.h"

#include <assert.h>
#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

#define HEADER_BYTES_MAX ((size_t)256 << 10) /* of all headers of an answer, interim ones too */

struct slot {
    struct transport *owner;
    CURL *easy;
    struct buf body;
    bool busy, too_large;
    size_t header_bytes;
    double retry_after;
};

struct transport {
    struct transport_options opt;
    CURLM *multi;
    struct curl_slist *headers;
    struct slot *slots;
};

/* curl_global_init() is not safe against itself in older versions. */
static pthread_mutex_t global_lock = PTHREAD_MUTEX_INITIALIZER;

static winnow_status global_begin(struct winnow_error *err)
{
    (void)pthread_mutex_lock(&global_lock);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)pthread_mutex_unlock(&global_lock);
    return code == CURLE_OK ? WINNOW_OK
                            : error_set(err, WINNOW_E_IO, "libcurl: %s", curl_easy_strerror(code));
}

static void global_end(void)
{
    (void)pthread_mutex_lock(&global_lock);
    curl_global_cleanup();
    (void)pthread_mutex_unlock(&global_lock);
}

/* Refusing a piece ends the exchange. */
static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct slot *s = user;
    size_t n = size * count;
    if (n > s->owner->opt.response_bytes_max - s->body.len) {
        s->too_large = true;
        return 0;
    }
    buf_add(&s->body, bytes, n);
    return n;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *user)
{
    static const char NAME[] = "retry-after:";
    struct slot *s = user;
    struct str line = {bytes, size * count};
    if (line.len > HEADER_BYTES_MAX - s->header_bytes) {
        s->too_large = true;
        return 0;
    }
    s->header_bytes += line.len;
    size_t i = 0;
    while (i < sizeof NAME - 1 && i < line.len && (line.ptr[i] | 0x20) == (NAME[i] | 0x20)) {
        i++;
    }
    if (i == sizeof NAME - 1) {
        s->retry_after = retry_after_seconds(str_sub(line, i, line.len), (double)time(NULL));
    }
    return line.len;
}

/* What holds for every exchange of a slot. */
static bool set_up(struct slot *s)
{
    const struct transport_options *o = &s->owner->opt;
    bool ok = curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    /* "" keeps libcurl from looking for a proxy in the environment. */
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_PROXY, o->proxy ? o->proxy : "") == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS,
                                lrint(ceil(o->connect_seconds_max * 1000))) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, lrint(ceil(o->seconds_max * 1000))) ==
                   CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->owner->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s) == CURLE_OK;
    return ok && curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s) == CURLE_OK;
}

static bool add_header(struct transport *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (more) {
        t->headers = more;
    }
    return more != NULL;
}

static bool make_headers(struct transport *t)
{
    /* Without "Expect:" libcurl waits up to a second before it sends a large body. */
    bool ok = add_header(t, "Content-Type: application/json") &&
              add_header(t, "Accept: application/json") && add_header(t, "Expect:") &&
              add_header(t, "User-Agent: winnow");
    if (ok && t->opt.authorization) {
        struct buf line = {0};
        buf_addf(&line, "Authorization: %s", t->opt.authorization);
        ok = add_header(t, buf_cstr(&line));
        buf_release(&line);
    }
    return ok;
}

static bool make_slots(struct transport *t)
{
    t->slots = mem_zalloc(t->opt.exchanges * sizeof *t->slots);
    for (uint32_t i = 0; i < t->opt.exchanges; i++) {
        t->slots[i].owner = t;
        t->slots[i].easy = curl_easy_init();
        if (!t->slots[i].easy || !set_up(&t->slots[i])) {
            return false;
        }
    }
    return true;
}

winnow_status transport_open(const struct transport_options *opt, struct transport **out,
                             struct winnow_error *err)
{
    assert(opt->exchanges > 0 && opt->response_bytes_max > 0);
    *out = NULL;
    TRY(global_begin(err));
    struct transport *t = mem_zalloc(sizeof *t);
    t->opt = *opt;
    t->multi = curl_multi_init();
    bool ok = t->multi && make_headers(t) && make_slots(t) &&
              curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)opt->exchanges) == CURLM_OK;
    t->opt.authorization = NULL; /* the headers hold it */
    if (!ok) {
        transport_close(t);
        return error_set(err, WINNOW_E_IO, "libcurl cannot be set up (%s)", curl_version());
    }
    *out = t;
    return WINNOW_OK;
}

void transport_close(struct transport *t)
{
    if (!t) {
        return;
    }
    for (uint32_t i = 0; t->slots && i < t->opt.exchanges; i++) {
        if (t->slots[i].busy) {
            (void)curl_multi_remove_handle(t->multi, t->slots[i].easy);
        }
        curl_easy_cleanup(t->slots[i].easy);
        buf_release(&t->slots[i].body);
    }
    mem_free(t->slots);
    curl_slist_free_all(t->headers);
    (void)curl_multi_cleanup(t->multi);
    mem_free(t);
    global_end();
}

winnow_status transport_send(struct transport *t, uint32_t slot, const char *url, struct str body,
                             struct winnow_error *err)
{
    assert(slot < t->opt.exchanges && !t->slots[slot].busy);
    struct slot *s = &t->slots[slot];
    buf_clear(&s->body);
    s->too_large = false;
    s->header_bytes = 0;
    s->retry_after = -1;
    bool ok = curl_easy_setopt(s->easy, CURLOPT_URL, url) == CURLE_OK;
    if (body.ptr) {
        ok = ok && curl_easy_setopt(s->easy, CURLOPT_POST, 1L) == CURLE_OK;
        ok = ok && curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) ==
                       CURLE_OK;
        ok = ok && curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body.ptr) == CURLE_OK;
    } else {
        ok = ok && curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    if (!ok || curl_multi_add_handle(t->multi, s->easy) != CURLM_OK) {
        return error_set(err, WINNOW_E_IO, "libcurl does not take the request");
    }
    s->busy = true;
    return WINNOW_OK;
}

/* In words that fit what happened here. */
static const char *reason_of(CURLcode code)
{
    return code == CURLE_OK                     ? ""
           : code == CURLE_UNSUPPORTED_PROTOCOL ? "what answers there does not speak HTTP"
                                                : curl_easy_strerror(code);
}

static enum transport_failure failure_of(const struct slot *s, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSPORT_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSPORT_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return TRANSPORT_HOPELESS;
    default:
        return s->too_large ? TRANSPORT_TOO_LARGE : TRANSPORT_BROKEN;
    }
}

static bool take_ended(struct transport *t, struct transport_response *out)
{
    int left = 0;
    CURLMsg *message = curl_multi_info_read(t->multi, &left);
    while (message && message->msg != CURLMSG_DONE) {
        message = curl_multi_info_read(t->multi, &left);
    }
    if (!message) {
        return false;
    }
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* message dies with the handle's removal */
    struct slot *s = NULL;
    long status = 0;
    char *location = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
    (void)curl_multi_remove_handle(t->multi, easy);
    assert(s && s->busy);
    s->busy = false;
    *out = (struct transport_response){.slot = (uint32_t)(s - t->slots),
                                       .failure = failure_of(s, code),
                                       .status = (int)status,
                                       .retry_after = s->retry_after,
                                       .body = s->body.len > 0 ? buf_str(&s->body) : STR_LIT(""),
                                       .location = location ? location : "",
                                       .reason = reason_of(code)};
    return true;
}

winnow_status transport_wait(struct transport *t, double seconds, struct transport_response *out,
                             bool *got, struct winnow_error *err)
{
    int running = 0;
    *got = take_ended(t, out);
    if (*got) {
        return WINNOW_OK;
    }
    CURLMcode code = curl_multi_perform(t->multi, &running);
    *got = code == CURLM_OK && take_ended(t, out);
    if (code == CURLM_OK && !*got) {
        int ms = seconds > 0 ? (int)lrint(ceil(fmin(seconds, 60) * 1000)) : 0;
        code = curl_multi_poll(t->multi, NULL, 0, ms, NULL);
        if (code == CURLM_OK) {
            code = curl_multi_perform(t->multi, &running);
        }
        *got = code == CURLM_OK && take_ended(t, out);
    }
    return code == CURLM_OK ? WINNOW_OK
                            : error_set(err, WINNOW_E_IO, "libcurl: %s", curl_multi_strerror(code));
}
