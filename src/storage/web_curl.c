/* web_curl.c -- see web.h; over one easy handle of libcurl's multi interface, so that reading
 * can stop and go on.  HTTP/1.1 is asked for: a paused stream of HTTP/2 goes on filling a
 * window of its own. */
#include "base/env.h"
#include "base/mem.h"
#include "storage/web.h"

#include <curl/curl.h>
#include <poll.h>
#include <time.h>

#define HELD_MAX       ((size_t)1 << 20)   /* of a body, before it is paused */
#define BODY_KEPT      ((size_t)64 << 10)  /* by one that is idle */
#define HEAD_BYTES_MAX ((size_t)256 << 10) /* of all lines of a head */
#define CONNECT_MAX    15000L              /* milliseconds */
#define STEP_MS        100                 /* between looks at whether to stop */

struct web {
    const struct storage_settings *settings;
    const struct winnow_env *env;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    size_t taken; /* of body */
    size_t head_bytes;
    bool running, paused, headed;
    double heard; /* when a byte came last */
    struct web_answer answer;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct web *w = user;
    w->heard = env_seconds();
    if (w->body.len - w->taken >= HELD_MAX) {
        w->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buf_add(&w->body, bytes, size * count);
    return size * count;
}

static void clear_answer(struct web *w)
{
    web_answer_release(&w->answer);
    w->answer = (struct web_answer){.reason = "", .retry_after = -1};
}

static size_t on_header(char *bytes, size_t size, size_t count, void *user)
{
    struct web *w = user;
    struct str line = {bytes, size * count};
    w->heard = env_seconds();
    w->head_bytes += line.len;
    if (w->head_bytes > HEAD_BYTES_MAX) {
        return 0;
    }
    if (str_starts(line, STR_LIT("HTTP/"))) {
        clear_answer(w); /* of an interim answer */
    } else if (str_trim(line).len == 0) {
        long status = 0;
        (void)curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &status);
        w->answer.status = (int)status;
        w->headed = status >= 200;
    } else {
        web_take_header(&w->answer, line, (double)time(NULL));
    }
    return line.len;
}

static bool set_up(struct web *w)
{
    struct buf ca = {0};
    buf_add_str(&ca, buf_str(&w->settings->ca_bundle));
    bool ok = curl_easy_setopt(w->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MAX) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_WRITEDATA, w) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_HEADERDATA, w) == CURLE_OK;
    if (ok && ca.len > 0) {
        ok = curl_easy_setopt(w->easy, CURLOPT_CAINFO, buf_cstr(&ca)) == CURLE_OK;
    }
    buf_release(&ca);
    return ok;
}

winnow_status web_open(struct web **out, const struct storage_settings *settings,
                       const struct winnow_env *env, struct winnow_error *err)
{
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return error_set(err, WINNOW_E_IO, "libcurl cannot be set up (%s)", curl_version());
    }
    struct web *w = mem_zalloc(sizeof *w);
    w->settings = settings;
    w->env = env;
    w->multi = curl_multi_init();
    w->easy = curl_easy_init();
    clear_answer(w);
    if (!w->multi || !w->easy || !set_up(w)) {
        web_close(w);
        return error_set(err, WINNOW_E_IO, "libcurl cannot be set up (%s)", curl_version());
    }
    *out = w;
    return WINNOW_OK;
}

void web_close(struct web *w)
{
    if (!w) {
        return;
    }
    web_stop(w);
    curl_easy_cleanup(w->easy);
    (void)curl_multi_cleanup(w->multi);
    curl_slist_free_all(w->headers);
    buf_release(&w->body);
    web_answer_release(&w->answer);
    mem_free(w);
    curl_global_cleanup();
}

static void fail(struct web *w, CURLcode code)
{
    bool long_head = code == CURLE_WRITE_ERROR && w->head_bytes > HEAD_BYTES_MAX;
    w->answer.failed = true;
    w->answer.hopeless = long_head || code == CURLE_URL_MALFORMAT ||
                         code == CURLE_UNSUPPORTED_PROTOCOL ||
                         code == CURLE_PEER_FAILED_VERIFICATION ||
                         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
    w->answer.odd_name = code == CURLE_COULDNT_RESOLVE_HOST;
    w->answer.odd_speech = code == CURLE_SSL_CONNECT_ERROR;
    w->answer.reason = long_head ? "the head of its answer is longer than 256 KiB"
                       : code == CURLE_UNSUPPORTED_PROTOCOL
                           ? "what answers there does not speak HTTP"
                       : code == CURLE_OPERATION_TIMEDOUT ? "it did not answer in time"
                       : code == CURLE_PARTIAL_FILE       ? "the connection broke off"
                                                          : curl_easy_strerror(code);
}

static void look_whether_ended(struct web *w)
{
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(w->multi, &left); m;
         m = curl_multi_info_read(w->multi, &left)) {
        if (m->msg == CURLMSG_DONE) {
            CURLcode code = m->data.result; /* m dies with the handle's removal */
            (void)curl_multi_remove_handle(w->multi, w->easy);
            w->running = false;
            if (code != CURLE_OK) {
                fail(w, code);
            }
            break;
        }
    }
}

void web_stop(struct web *w)
{
    int running = 0;
    if (w->running && !w->paused && w->taken == w->body.len) { /* perhaps it has just ended */
        (void)curl_multi_perform(w->multi, &running);
        look_whether_ended(w);
    }
    if (w->running) {
        (void)curl_multi_remove_handle(w->multi, w->easy);
    }
    w->running = w->paused = w->headed = false;
    w->taken = w->body.len = 0;
    if (w->body.cap > BODY_KEPT) {
        buf_release(&w->body);
    }
}

/* Moves data until done() or the end. */
static winnow_status pump(struct web *w, bool (*done)(const struct web *w),
                          struct winnow_error *err)
{
    int running = 0;
    w->heard = env_seconds();
    while (w->running && !done(w)) {
        TRY(env_check(w->env, err));
        CURLMcode code = curl_multi_perform(w->multi, &running);
        look_whether_ended(w);
        if (!w->running || done(w)) {
            break;
        }
        if (code == CURLM_OK) {
            code = curl_multi_poll(w->multi, NULL, 0, STEP_MS, NULL);
        }
        bool silent = env_seconds() - w->heard > w->settings->seconds;
        if (code != CURLM_OK || silent) {
            (void)curl_multi_remove_handle(w->multi, w->easy);
            w->running = false;
            fail(w, silent ? CURLE_OPERATION_TIMEDOUT : CURLE_RECV_ERROR);
        }
    }
    return WINNOW_OK;
}

static bool has_head(const struct web *w)
{
    return w->headed;
}

static bool has_bytes(const struct web *w)
{
    return w->body.len > w->taken;
}

static bool add_header(struct web *w, const char *line)
{
    struct curl_slist *more = curl_slist_append(w->headers, line);
    w->headers = more ? more : w->headers;
    return more != NULL;
}

static bool set_request(struct web *w, const struct web_request *r)
{
    bool head = strcmp(r->method, "HEAD") == 0, get = strcmp(r->method, "GET") == 0;
    struct buf proxy = {0};
    buf_add_str(&proxy,
                buf_str(r->proxied_plain ? &w->settings->proxy_plain : &w->settings->proxy));
    curl_slist_free_all(w->headers);
    w->headers = NULL;
    bool ok = add_header(w, "Expect:") && add_header(w, "User-Agent: winnow");
    for (size_t i = 0; r->headers && r->headers[i]; i++) {
        ok = ok && add_header(w, r->headers[i]);
    }
    /* "" keeps libcurl from looking into the environment by itself. */
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_PROXY, buf_cstr(&proxy)) == CURLE_OK;
    buf_clear(&proxy);
    buf_add_str(&proxy, buf_str(&w->settings->proxy_not));
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_NOPROXY, buf_cstr(&proxy)) == CURLE_OK;
    buf_release(&proxy);
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_NOBODY, head ? 1L : 0L) == CURLE_OK;
    if (!head && !get) {
        curl_off_t len = (curl_off_t)r->body.len;
        ok = ok && curl_easy_setopt(w->easy, CURLOPT_POST, 1L) == CURLE_OK;
        ok = ok && curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE_LARGE, len) == CURLE_OK;
        ok = ok && curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS,
                                    r->body.len > 0 ? r->body.ptr : "") == CURLE_OK;
    }
    const char *custom = head || get ? NULL : r->method;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
    ok = ok && curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, w->headers) == CURLE_OK;
    return ok && curl_easy_setopt(w->easy, CURLOPT_URL, r->url) == CURLE_OK;
}

winnow_status web_send(struct web *w, const struct web_request *r, struct winnow_error *err)
{
    web_stop(w);
    clear_answer(w);
    w->head_bytes = 0;
    if (!set_request(w, r) || curl_multi_add_handle(w->multi, w->easy) != CURLM_OK) {
        return error_set(err, WINNOW_E_IO, "libcurl does not take the request");
    }
    w->running = true;
    return pump(w, has_head, err);
}

const struct web_answer *web_answer(const struct web *w)
{
    return &w->answer;
}

winnow_status web_read(struct web *w, char *to, size_t room, size_t *got, struct winnow_error *err)
{
    *got = 0;
    if (w->taken == w->body.len) {
        buf_clear(&w->body);
        w->taken = 0;
        if (w->paused) {
            w->paused = false;
            (void)curl_easy_pause(w->easy, CURLPAUSE_CONT);
        }
        TRY(pump(w, has_bytes, err));
    }
    size_t n = w->body.len - w->taken < room ? w->body.len - w->taken : room;
    if (n > 0) {
        memcpy(to, w->body.ptr + w->taken, n);
        w->taken += n;
        *got = n;
    }
    return WINNOW_OK;
}

winnow_status web_pause(const struct winnow_env *env, double seconds, struct winnow_error *err)
{
    double until = env_seconds() + seconds, left = seconds;
    while (left > 0) {
        TRY(env_check(env, err));
        (void)poll(NULL, 0, left * 1000 < STEP_MS ? (int)(left * 1000) + 1 : STEP_MS);
        left = until - env_seconds();
    }
    return env_check(env, err);
}
