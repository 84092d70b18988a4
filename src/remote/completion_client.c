/* completion_client.c -- requests in a ring, exchanges in slots, answers in turn.
 *
 *      first                          next
 *        v                             v
 *   | answered | sent | paused | new | free ...        ring of `window` entries
 *                 |
 *              slot of the transport                   `concurrency` of them
 *
 * An entry keeps its request's body until it is answered, and then the answer's
 * text until its turn.  Exchanges start in the order of their requests, those
 * whose pause is over before newer ones. */
#include "remote/completion_client.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/show.h"
#include "base/url.h"
#include "base/utf8.h"
#include "remote/completion_address.h"
#include "remote/prompt_scores.h"
#include "remote/secrets.h"
#include "remote/transport.h"

#include <assert.h>
#include <math.h>

#define KEY_BYTES_MAX     ((size_t)64 << 10)
#define MODEL_BYTES_MAX   256U
#define REFUSED_FIRST_MAX 8U     /* so many at the start, and none answered: something is wrong */
#define PAUSE_SECONDS_MAX 3600.0 /* of what a server may ask for, or the time-out where less */
#define WAKE_SECONDS      0.2    /* how soon a wish to stop is seen */

enum entry_state { ENTRY_FREE, ENTRY_WAITING, ENTRY_SENT, ENTRY_ANSWERED, ENTRY_FAILED };

struct entry {
    enum entry_state state;
    winnow_status status; /* ENTRY_FAILED */
    uint32_t tries;
    double not_before; /* ENTRY_WAITING: clock of env_seconds() */
    bool cut, refused;
    uint64_t prompt_tokens, answer_tokens;
    struct buf body, text; /* text: the answer, why it was refused, or how it failed */
    struct buf ids, nll;   /* where a prompt's scores are asked for: uint32_t and floats */
};

struct completion_client {
    struct completion_client_options opt;
    const struct winnow_env *env;
    enum completion_server server;
    struct buf model, key;
    struct completion_address address;
    uint64_t context; /* tokens that the model takes, as the server says; 0: it does not */
    struct secrets secrets;
    struct transport *transport;
    struct json_parser *parser;
    struct rng jitter;
    struct entry *ring;
    uint64_t *slot_number; /* of a slot's request; UINT64_MAX: free */
    uint64_t first, next;  /* oldest request held, next to be taken on */
    double hold_until;     /* the server asked for a pause of everybody */
    struct completion_counts counts;
};

static struct entry *entry_of(struct completion_client *c, uint64_t number)
{
    return &c->ring[number % c->opt.window];
}

/* ---- what becomes of an exchange ---- */

enum outcome { OUTCOME_ANSWER, OUTCOME_REFUSED, OUTCOME_AGAIN, OUTCOME_FAILED };

static enum outcome outcome_of_status(int status)
{
    switch (status) {
    case 200:
        return OUTCOME_ANSWER;
    case 400:
    case 413:
    case 422:
        return OUTCOME_REFUSED;
    case 408:
    case 425:
    case 429:
        return OUTCOME_AGAIN;
    default:
        return status >= 500 && status != 501 && status != 505 ? OUTCOME_AGAIN : OUTCOME_FAILED;
    }
}

/* The sentence for an answer with a status other than 200, without the address. */
static void describe_status(struct completion_client *c, const struct transport_response *r,
                            struct buf *out)
{
    if (r->status >= 300 && r->status < 400) {
        buf_addf(out, "the server is somewhere else (%d), ", r->status);
        if (r->location[0]) {
            struct buf there = {0};
            url_redact(str_of(r->location), &there);
            secrets_hide(&c->secrets, buf_str(&there), SECRETS_ALL, out);
            buf_release(&there);
        } else {
            buf_add_text(out, "but it does not say where");
        }
        buf_add_text(out, "; give that address with --url");
        return;
    }
    buf_addf(out, "the server says %d, '", r->status);
    completion_add_reason(c->parser, r->body, &c->secrets, out);
    buf_add_char(out, '\'');
    if (r->status == 401 || r->status == 403) {
        buf_addf(out, "; give %s key with --key-file or --key-env",
                 c->key.len > 0 ? "another" : "a");
    } else if (r->status == 404 || r->status == 405) {
        buf_add_text(out, "; is --url that of an OpenAI-compatible server, and --model a model "
                          "that it has?");
    } else if (r->status == 429) {
        buf_add_text(out, "; lower --concurrency");
    } else if (r->status >= 500) {
        buf_add_text(out, "; see the server's own log, then run the same command again");
    }
}

static void describe_failure(struct completion_client *c, const struct transport_response *r,
                             struct buf *out)
{
    switch (r->failure) {
    case TRANSPORT_ANSWERED:
        describe_status(c, r, out);
        break;
    case TRANSPORT_TIMEOUT:
        buf_addf(out, "no answer within %g s; raise --timeout or lower --concurrency",
                 c->opt.seconds_max);
        break;
    case TRANSPORT_TOO_LARGE:
        buf_addf(out,
                 "an answer is longer than %zu bytes, which no completion is; is this an "
                 "OpenAI-compatible server?",
                 c->opt.answer_bytes_max);
        break;
    case TRANSPORT_HOPELESS:
        buf_addf(out, "%s", r->reason);
        break;
    case TRANSPORT_BROKEN:
        buf_addf(out, "%s; is the server running there? Then run the same command again",
                 r->reason);
        break;
    }
}

static void describe_no_answer(const struct winnow_error *why, struct entry *e)
{
    buf_addf(&e->text, "the answer is no completion (%s); is this an OpenAI-compatible server?",
             why->text);
    e->status = WINNOW_E_FORMAT;
}

static enum outcome read_scores(struct completion_client *c, const struct transport_response *r,
                                struct entry *e)
{
    struct winnow_error why;
    const uint32_t *ids = (const uint32_t *)(const void *)e->ids.ptr;
    buf_clear(&e->text);
    buf_clear(&e->nll);
    if (prompt_scores_read(c->server, c->parser, r->body, ids, e->ids.len / sizeof *ids, &e->nll,
                           &why) != WINNOW_OK) {
        buf_addf(&e->text, "the answer has not what was asked for: %s", why.text);
        e->status = WINNOW_E_FORMAT;
        return OUTCOME_AGAIN;
    }
    return OUTCOME_ANSWER;
}

/* A body of status 200 becomes text; one that is no completion may be a proxy's
 * page, and is asked for again. */
static enum outcome read_answer(struct completion_client *c, const struct transport_response *r,
                                struct entry *e)
{
    struct winnow_error why;
    struct completion_text text;
    buf_clear(&e->text);
    if (completion_read(c->parser, r->body, &text, &why) != WINNOW_OK) {
        describe_no_answer(&why, e);
        return OUTCOME_AGAIN;
    }
    secrets_hide(&c->secrets, text.text, SECRETS_SURE, &e->text);
    e->cut = text.cut;
    e->prompt_tokens = text.prompt_tokens;
    e->answer_tokens = text.answer_tokens;
    return OUTCOME_ANSWER;
}

static enum outcome judge(struct completion_client *c, const struct transport_response *r,
                          struct entry *e)
{
    if (r->failure == TRANSPORT_ANSWERED && r->status == 200) {
        return c->opt.scores ? read_scores(c, r, e) : read_answer(c, r, e);
    }
    buf_clear(&e->text);
    e->status = r->failure == TRANSPORT_TOO_LARGE ? WINNOW_E_LIMIT : WINNOW_E_IO;
    if (r->failure == TRANSPORT_ANSWERED && outcome_of_status(r->status) == OUTCOME_REFUSED) {
        completion_add_reason(c->parser, r->body, &c->secrets, &e->text);
        return OUTCOME_REFUSED;
    }
    describe_failure(c, r, &e->text);
    if (r->failure == TRANSPORT_ANSWERED) {
        return outcome_of_status(r->status);
    }
    bool again = r->failure == TRANSPORT_BROKEN || r->failure == TRANSPORT_TIMEOUT;
    return again ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static void pause_entry(struct completion_client *c, struct entry *e, double retry_after)
{
    double now = env_seconds();
    double backoff = c->opt.backoff_seconds * pow(2, e->tries - 1);
    backoff = fmin(backoff, c->opt.backoff_seconds_max) * (0.5 + 0.5 * rng_uniform(&c->jitter));
    if (retry_after >= 0) { /* all wait, or the others would be turned away just so */
        double asked = fmin(retry_after, fmin(PAUSE_SECONDS_MAX, c->opt.seconds_max));
        c->hold_until = fmax(c->hold_until, now + asked);
        backoff = fmin(backoff, asked) + asked; /* not all at the same moment */
    }
    e->state = ENTRY_WAITING;
    e->not_before = now + backoff;
    c->counts.retries++;
}

static void end_exchange(struct completion_client *c, const struct transport_response *r)
{
    uint64_t number = c->slot_number[r->slot];
    assert(number >= c->first && number < c->next);
    c->slot_number[r->slot] = UINT64_MAX;
    struct entry *e = entry_of(c, number);
    assert(e->state == ENTRY_SENT);
    enum outcome o = judge(c, r, e);
    if (o == OUTCOME_AGAIN && e->tries <= c->opt.retries) {
        env_log(c->env, WINNOW_LOG_DEBUG, "%s: try %u: %.*s", buf_cstr(&c->address.endpoint_shown),
                e->tries, STR_ARG(buf_str(&e->text)));
        pause_entry(c, e, r->retry_after);
        return;
    }
    if (o == OUTCOME_AGAIN || o == OUTCOME_FAILED) {
        e->state = ENTRY_FAILED;
        if (e->tries > 1) {
            buf_addf(&e->text, " (tried %u times)", e->tries);
        }
        return;
    }
    e->refused = o == OUTCOME_REFUSED;
    e->state = ENTRY_ANSWERED;
}

/* ---- sending ---- */

/* The slot to use, or UINT32_MAX. */
static uint32_t free_slot(const struct completion_client *c)
{
    uint32_t i = 0;
    while (i < c->opt.concurrency && c->slot_number[i] != UINT64_MAX) {
        i++;
    }
    return i < c->opt.concurrency ? i : UINT32_MAX;
}

/* Starts what may start; *wake is when the next pause ends. */
static winnow_status start_some(struct completion_client *c, double *wake, struct winnow_error *err)
{
    double now = env_seconds();
    *wake = now + WAKE_SECONDS;
    uint32_t slot = free_slot(c);
    for (uint64_t n = c->first; n < c->next && slot != UINT32_MAX; n++) {
        struct entry *e = entry_of(c, n);
        if (e->state != ENTRY_WAITING) {
            continue;
        }
        double when = fmax(e->not_before, c->hold_until);
        if (when > now) {
            *wake = fmin(*wake, when);
            continue;
        }
        TRY(transport_send(c->transport, slot, buf_cstr(&c->address.endpoint), buf_str(&e->body),
                           err));
        e->state = ENTRY_SENT;
        e->tries++;
        c->slot_number[slot] = n;
        slot = free_slot(c);
    }
    return WINNOW_OK;
}

uint32_t completion_client_window(const struct completion_client *c)
{
    return c->opt.window;
}

bool completion_client_room(const struct completion_client *c)
{
    return c->next - c->first < c->opt.window;
}

uint32_t completion_client_pending(const struct completion_client *c)
{
    return (uint32_t)(c->next - c->first);
}

winnow_status completion_client_submit(struct completion_client *c,
                                       const struct completion_request *request,
                                       struct winnow_error *err)
{
    assert(completion_client_room(c));
    struct entry *e = entry_of(c, c->next);
    assert(e->state == ENTRY_FREE);
    const char *model = c->model.len > 0 ? buf_cstr(&c->model) : NULL;
    buf_clear(&e->body);
    if (c->opt.scores) {
        buf_clear(&e->ids);
        buf_add(&e->ids, (const char *)request->ids, request->id_count * sizeof *request->ids);
        prompt_scores_write(c->server, model, request->ids, request->id_count, &e->body);
    } else {
        completion_write(c->server, c->opt.chat, model, request, &e->body);
    }
    e->state = ENTRY_WAITING;
    e->not_before = 0;
    e->tries = 0;
    c->next++;
    double wake;
    return start_some(c, &wake, err);
}

/* ---- hearing back ---- */

static winnow_status count_answer(struct completion_client *c, const struct entry *e,
                                  struct winnow_error *err)
{
    c->counts.answered += !e->refused;
    c->counts.refused += e->refused;
    c->counts.cut += !e->refused && e->cut;
    c->counts.prompt_tokens += e->prompt_tokens;
    c->counts.answer_tokens += e->answer_tokens;
    if (e->refused && c->counts.answered == 0 && c->counts.refused >= REFUSED_FIRST_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: the server refuses every request; the last time with '%.*s'",
                         buf_cstr(&c->address.endpoint_shown), STR_ARG(buf_str(&e->text)));
    }
    return WINNOW_OK;
}

winnow_status completion_client_next(struct completion_client *c, struct completion_answer *out,
                                     struct winnow_error *err)
{
    assert(completion_client_pending(c) > 0);
    struct entry *e = entry_of(c, c->first);
    while (e->state == ENTRY_WAITING || e->state == ENTRY_SENT) {
        struct transport_response r;
        double wake;
        bool got = true;
        TRY(env_check(c->env, err));
        TRY(start_some(c, &wake, err));
        TRY(transport_wait(c->transport, fmax(0, wake - env_seconds()), &r, &got, err));
        if (got) {
            end_exchange(c, &r);
        }
    }
    if (e->state == ENTRY_FAILED) {
        return error_set(err, e->status, "%s: %.*s", buf_cstr(&c->address.endpoint_shown),
                         STR_ARG(buf_str(&e->text)));
    }
    TRY(count_answer(c, e, err));
    *out = (struct completion_answer){.number = c->first,
                                      .text = {.text = e->refused ? STR_LIT("") : buf_str(&e->text),
                                               .cut = e->cut && !e->refused,
                                               .prompt_tokens = e->prompt_tokens,
                                               .answer_tokens = e->answer_tokens},
                                      .refused = e->refused ? buf_cstr(&e->text) : NULL,
                                      .nll = (const float *)(const void *)e->nll.ptr,
                                      .nll_count = e->refused ? 0 : e->nll.len / sizeof(float),
                                      .tries = e->tries};
    e->state = ENTRY_FREE; /* its text stays until the entry is used again */
    e->cut = e->refused = false;
    e->prompt_tokens = e->answer_tokens = 0;
    c->first++;
    return WINNOW_OK;
}

const struct completion_counts *completion_client_counts(const struct completion_client *c)
{
    return &c->counts;
}

enum completion_server completion_client_server(const struct completion_client *c)
{
    return c->server;
}

uint64_t completion_client_context(const struct completion_client *c)
{
    return c->context;
}

const char *completion_client_model(const struct completion_client *c)
{
    return c->model.ptr ? c->model.ptr : "";
}

/* ---- opening ---- */

/* The name goes into requests, files and messages. */
static winnow_status check_model(const struct completion_client *c, struct str name,
                                 struct winnow_error *err)
{
    bool good = name.len > 0 && name.len <= MODEL_BYTES_MAX;
    for (size_t at = 0; good && at < name.len;) {
        uint32_t code = 0;
        size_t len = utf8_decode(name, at, &code);
        good = len > 0 && !show_is_control(code);
        at += len;
    }
    if (!good) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the name of its first model is no line of at most %u bytes",
                         MODEL_BYTES_MAX);
    }
    return !secrets_within(&c->secrets, name)
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT, "the name of its first model holds the key");
}

static winnow_status read_models(struct completion_client *c, const struct transport_response *r,
                                 struct winnow_error *err)
{
    struct completion_models said;
    TRY(completion_read_models(c->parser, r->body, &said, err));
    if (c->model.len == 0) {
        TRY(check_model(c, said.model, err));
    }
    if (c->server == COMPLETION_AUTO) {
        c->server = said.server;
    }
    c->context = said.context;
    if (c->model.len == 0) {
        buf_add_str(&c->model, said.model);
        (void)buf_cstr(&c->model);
    }
    return WINNOW_OK;
}

/* One try of GET /v1/models; *again where another may help. */
static winnow_status ask_models_once(struct completion_client *c, bool *again, double *retry_after,
                                     struct winnow_error *err)
{
    struct transport_response r = {0};
    bool got = false;
    *again = false;
    TRY(transport_send(c->transport, 0, buf_cstr(&c->address.models), (struct str){0}, err));
    while (!got) {
        TRY(env_check(c->env, err));
        TRY(transport_wait(c->transport, WAKE_SECONDS, &r, &got, err));
    }
    *retry_after = r.retry_after;
    if (r.failure == TRANSPORT_ANSWERED && r.status == 200) {
        winnow_status st = read_models(c, &r, err);
        return st == WINNOW_OK
                   ? st
                   : error_wrap(err, st,
                                "%s: cannot tell the server's kind and model (give --server and "
                                "--%s)",
                                buf_cstr(&c->address.models_shown),
                                c->opt.scores ? "served-model" : "model");
    }
    struct buf why = {0};
    describe_failure(c, &r, &why);
    *again = r.failure == TRANSPORT_BROKEN || r.failure == TRANSPORT_TIMEOUT ||
             (r.failure == TRANSPORT_ANSWERED && outcome_of_status(r.status) == OUTCOME_AGAIN);
    error_write(err, "%s: %.*s", buf_cstr(&c->address.models_shown), STR_ARG(buf_str(&why)));
    buf_release(&why);
    return WINNOW_E_IO;
}

static winnow_status ask_models(struct completion_client *c, struct winnow_error *err)
{
    struct entry pause = {0};
    for (;;) {
        bool again;
        double retry_after;
        winnow_status st = ask_models_once(c, &again, &retry_after, err);
        pause.tries++;
        if (st == WINNOW_OK || !again || pause.tries > c->opt.retries) {
            return st;
        }
        env_log(c->env, WINNOW_LOG_DEBUG, "try %u: %s", pause.tries, err->text);
        pause_entry(c, &pause, retry_after);
        while (env_seconds() < pause.not_before) {
            struct transport_response r;
            bool got;
            double left = fmin(WAKE_SECONDS, pause.not_before - env_seconds());
            TRY(env_check(c->env, err));
            TRY(transport_wait(c->transport, fmax(0, left), &r, &got, err));
        }
    }
}

static winnow_status open_transport(struct completion_client *c, struct winnow_error *err)
{
    struct transport_options t = {.exchanges = c->opt.concurrency,
                                  .connect_seconds_max = c->opt.connect_seconds_max,
                                  .seconds_max = c->opt.seconds_max,
                                  .response_bytes_max = c->opt.answer_bytes_max,
                                  .proxy = c->opt.proxy};
    if (c->opt.key && c->opt.key[0]) {
        buf_addf(&c->key, "Bearer %s", c->opt.key);
        t.authorization = buf_cstr(&c->key);
    }
    TRY(transport_open(&t, &c->transport, err));
    if (c->server == COMPLETION_AUTO || c->model.len == 0) {
        TRY(ask_models(c, err));
    }
    bool root = false;
    const char *path = c->opt.scores ? prompt_scores_path(c->server, &root)
                       : c->opt.chat ? "/chat/completions"
                                     : "/completions";
    completion_address_set(&c->address, path, root);
    return WINNOW_OK;
}

winnow_status completion_client_open(const struct completion_client_options *opt,
                                     const struct winnow_env *env, struct completion_client **out,
                                     struct winnow_error *err)
{
    *out = NULL;
    if (!opt->url) {
        return error_set(err, WINNOW_E_USAGE,
                         "a server's address is needed: --url http://HOST:PORT");
    }
    struct completion_client *c = mem_zalloc(sizeof *c);
    c->opt = *opt;
    c->env = env;
    c->opt.concurrency = opt->concurrency > 0 ? opt->concurrency : 1;
    c->opt.window = opt->window > 0 ? opt->window : 4 * c->opt.concurrency;
    c->server = (enum completion_server)opt->server;
    c->parser = json_parser_new();
    c->ring = mem_zalloc(c->opt.window * sizeof *c->ring);
    c->slot_number = mem_alloc(c->opt.concurrency * sizeof *c->slot_number);
    for (uint32_t i = 0; i < c->opt.concurrency; i++) {
        c->slot_number[i] = UINT64_MAX;
    }
    rng_init(&c->jitter, opt->seed, "retry");
    if (opt->model) {
        buf_add_text(&c->model, opt->model);
        (void)buf_cstr(&c->model);
    }
    secrets_add_server(&c->secrets, opt->key, opt->url, opt->proxy);
    winnow_status st = completion_address_make(&c->address, opt->url, err);
    st = st == WINNOW_OK && opt->proxy ? url_check_proxy(str_of(opt->proxy), err) : st;
    if (st == WINNOW_OK) {
        st = open_transport(c, err);
    }
    c->opt.url = c->opt.key = c->opt.model = c->opt.proxy = NULL; /* the caller's */
    if (st != WINNOW_OK) {
        completion_client_close(c);
        return st;
    }
    *out = c;
    return WINNOW_OK;
}

void completion_client_close(struct completion_client *c)
{
    if (!c) {
        return;
    }
    transport_close(c->transport);
    json_parser_free(c->parser);
    for (uint32_t i = 0; i < c->opt.window; i++) {
        buf_release(&c->ring[i].body);
        buf_release(&c->ring[i].text);
        buf_release(&c->ring[i].ids);
        buf_release(&c->ring[i].nll);
    }
    mem_free(c->ring);
    mem_free(c->slot_number);
    buf_release(&c->model);
    buf_release(&c->key);
    completion_address_release(&c->address);
    secrets_release(&c->secrets);
    mem_free(c);
}

winnow_status completion_key_check(struct str key, const char *where, struct buf *out,
                                   struct winnow_error *err)
{
    key = str_trim(key);
    bool good = key.len > 0;
    for (size_t i = 0; i < key.len; i++) { /* a line break would start another header */
        unsigned char b = (unsigned char)key.ptr[i];
        good = good && b > 0x20 && b < 0x7F;
    }
    if (!good) {
        return error_set(err, WINNOW_E_FORMAT, "%s: a key is one word of letters, digits and signs",
                         where);
    }
    buf_add_str(out, key);
    (void)buf_cstr(out);
    return WINNOW_OK;
}

winnow_status completion_key_read(const char *path, struct buf *out, struct winnow_error *err)
{
    struct buf file = {0};
    winnow_status st = file_read(path, KEY_BYTES_MAX, &file, err);
    if (st == WINNOW_OK) {
        st = completion_key_check(buf_str(&file), path, out, err);
    }
    buf_release(&file);
    return st;
}
