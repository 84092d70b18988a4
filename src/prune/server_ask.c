/* server_ask.c -- documents out as prompts, log-probabilities in, in the order of the corpus.
 *
 *      head                       tail
 *       v                          v
 *   | all answered: to the store | some asked for | none yet |      documents in a queue
 *
 * A window is a request; of servers that answer for one token at a time (llama-server) each
 * scored token is one.  document() tokenises on any thread, decide() sends and hears back, with
 * as many requests under way as the client holds. */
#include "prune/server_ask.h"

#include "base/env.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/split.h"
#include "prune/scoring.h"
#include "remote/prompt_scores.h"
#include "remote/server.h"
#include "train/example_text.h"

#include <stdlib.h>

#define WINDOW_MOST  2048U
#define BLOCK_BYTES  ((size_t)256 << 10) /* between two looks at the queue */
#define CLIENT_BYTES ((uint64_t)32 << 20)
#define QUEUE_MOST   4096U /* documents: those without a token wait for no answer of their own */

/* A document on its way. */
struct asked {
    struct asked *next, *behind; /* of all that were made; of the queue */
    struct asked *before;
    uint64_t ordinal;
    struct buf id, reason;
    struct document_windows laid;
    float *nll;      /* of each scored token */
    size_t values;   /* of these */
    size_t got;      /* that are there */
    size_t window;   /* to be sent next, */
    size_t position; /* and by token: from here on */
    size_t requests, answers;
    bool sent; /* all of them */
};

/* What an answer belongs to: a document, and where in it the request's ids begin. */
struct sent {
    struct asked *doc;
    size_t first;
};

struct asking {
    const struct server_ask *a;
    struct stage *stage;
    struct document_score_options score;
    struct answer_store *store;
    struct completion_client *client;
    uint64_t *sample; /* ordinals that length is measured on, rising */
    size_t sample_count;
    pthread_mutex_t lock;
    struct least_draws drawn;
    bool by_token;
    struct asked *made, *head, *tail;
    struct sent *sent; /* as many as the client holds */
    uint64_t submitted, answered;
    size_t queued;
    struct buf line, text;
    struct u32_list ids;
};

/* ---- the sample that length is measured on ---- */

static winnow_status sample_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    (void)err;
    struct asking *s = state;
    (void)pthread_mutex_lock(&s->lock);
    least_draws_offer(&s->drawn, split_draw(split_key(d->text), 0, "length"), d->ordinal,
                      STR_LIT("."));
    (void)pthread_mutex_unlock(&s->lock);
    return WINNOW_OK;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static winnow_status draw_sample(struct asking *s, struct winnow_error *err)
{
    if (s->score.fixed_length == 0) {
        return WINNOW_OK;
    }
    const struct stage_pass pass = {.name = "sample", .state = s, .document = sample_document};
    s->drawn = scoring_sample(s->score.fixed_length);
    winnow_status st = stage_run_pass(s->stage, &pass, err);
    if (st == WINNOW_OK) {
        least_draws_sort(&s->drawn);
        s->sample = mem_alloc((s->drawn.count + 1) * sizeof *s->sample);
        for (size_t i = 0; i < s->drawn.count; i++) {
            s->sample[s->sample_count++] = s->drawn.items[i].ordinal;
        }
        sort(s->sample, s->sample_count, sizeof *s->sample, by_number);
    }
    least_draws_release(&s->drawn);
    return st;
}

static bool in_sample(const struct asking *s, uint64_t ordinal)
{
    return s->sample_count > 0 &&
           bsearch(&ordinal, s->sample, s->sample_count, sizeof *s->sample, by_number) != NULL;
}

/* ---- documents on their way ---- */

static struct asked *asked_new(struct asking *s, const struct document *d)
{
    struct asked *a = mem_zalloc(sizeof *a);
    a->ordinal = d->ordinal;
    buf_add_str(&a->id, d->id);
    (void)pthread_mutex_lock(&s->lock);
    a->next = s->made;
    if (a->next) {
        a->next->before = a;
    }
    s->made = a;
    (void)pthread_mutex_unlock(&s->lock);
    return a;
}

static void asked_free(struct asking *s, struct asked *a)
{
    (void)pthread_mutex_lock(&s->lock);
    if (a->before) {
        a->before->next = a->next;
    } else {
        s->made = a->next;
    }
    if (a->next) {
        a->next->before = a->before;
    }
    (void)pthread_mutex_unlock(&s->lock);
    buf_release(&a->id);
    buf_release(&a->reason);
    document_windows_release(&a->laid);
    mem_free(a->nll);
    mem_free(a);
}

static size_t windows_of(const struct asked *a)
{
    return a->laid.starts.len > 0 ? a->laid.starts.len - 1 : 0;
}

struct ask_worker {
    struct asking *s;
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
    struct example_encoder *encoder;
    struct example_text example;
};

static void *ask_worker_new(void *state)
{
    struct asking *s = state;
    struct ask_worker *w = mem_zalloc(sizeof *w);
    w->s = s;
    w->scratch = tokenizer_scratch_new(s->a->tokenizer);
    if (s->a->responses) {
        w->encoder = example_encoder_new(s->a->tokenizer, s->score.window);
    }
    return w;
}

static void ask_worker_free(void *worker)
{
    struct ask_worker *w = worker;
    tokenizer_scratch_free(w->scratch);
    u32_list_release(&w->tokens);
    example_encoder_free(w->encoder);
    example_text_release(&w->example);
    mem_free(w);
}

static void lay_response(struct ask_worker *w, const struct document *d, struct asked *a)
{
    struct example_text *x = &w->example;
    example_encode(w->encoder, d->json, d->text, x);
    u32_list_add(&a->laid.starts, 0);
    for (size_t i = 0; x->count > 0 && i < x->tokens.len; i++) {
        u32_list_add(&a->laid.tokens, x->tokens.ptr[i]);
        u32_list_add(&a->laid.targets, x->targets.ptr[i]);
    }
    u32_list_add(&a->laid.starts, (uint32_t)a->laid.tokens.len);
}

static winnow_status ask_document(void *state, void *worker, const struct document *d,
                                  struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    struct asking *s = state;
    struct ask_worker *w = worker;
    if (answer_store_has_passed(s->store, d->ordinal)) {
        return WINNOW_OK;
    }
    struct asked *a = asked_new(s, d);
    if (s->a->responses) {
        lay_response(w, d, a);
    } else {
        w->tokens.len = 0;
        tokenizer_encode(s->a->tokenizer, w->scratch,
                         scoring_prefix(d->text, s->score.fixed_length), TOKENIZER_PLAIN_SPECIAL,
                         &w->tokens);
        document_windows_lay(&a->laid, &s->score, w->tokens.ptr, w->tokens.len);
    }
    for (size_t i = 0; i < a->laid.targets.len; i++) {
        a->values += a->laid.targets.ptr[i] != BATCH_NO_TARGET;
    }
    a->nll = mem_alloc((a->values + 1) * sizeof *a->nll);
    a->sent = a->values == 0;
    r->carry[0] = (uint64_t)(uintptr_t)a;
    return WINNOW_OK;
}

/* ---- requests ---- */

static bool has_target(const struct asked *a, size_t position)
{
    return a->laid.targets.ptr[position] != BATCH_NO_TARGET;
}

/* The next place with a target at or behind *position of the window that it is in. */
static bool next_target(const struct asked *a, size_t window, size_t *position)
{
    while (*position < a->laid.starts.ptr[window + 1] && !has_target(a, *position)) {
        (*position)++;
    }
    return *position < a->laid.starts.ptr[window + 1];
}

/* The ids of the document's next request, whose first is at the place that is given back; and
 * where the request behind it begins. */
static size_t next_request(struct asking *s, struct asked *a)
{
    const uint32_t *starts = a->laid.starts.ptr;
    size_t first = starts[a->window], last = starts[a->window + 1] - 1;
    if (s->by_token) {
        (void)next_target(a, a->window, &a->position);
        last = a->position++;
    } else {
        while (!has_target(a, last)) {
            last--; /* what nothing is asked of needs not be read */
        }
        a->position = last + 1;
    }
    s->ids.len = 0;
    for (size_t i = first; i <= last; i++) {
        u32_list_add(&s->ids, a->laid.tokens.ptr[i]);
    }
    u32_list_add(&s->ids, a->laid.targets.ptr[last]);
    while (a->window < windows_of(a) && !next_target(a, a->window, &a->position)) {
        a->window++;
    }
    a->sent = a->window == windows_of(a);
    return first;
}

static winnow_status send_next(struct asking *s, struct asked *a, struct winnow_error *err)
{
    size_t first = next_request(s, a);
    const struct completion_request request = {.ids = s->ids.ptr, .id_count = s->ids.len};
    TRY(completion_client_submit(s->client, &request, err));
    s->sent[s->submitted++ % completion_client_window(s->client)] = (struct sent){a, first};
    a->requests++;
    return WINNOW_OK;
}

static winnow_status send_ready(struct asking *s, struct winnow_error *err)
{
    for (struct asked *a = s->head; a && completion_client_room(s->client); a = a->behind) {
        while (!a->sent && completion_client_room(s->client)) {
            TRY(send_next(s, a, err));
        }
    }
    return WINNOW_OK;
}

/* ---- answers ---- */

/* Numbers stand behind a request's first id, in order; those that belong to targets are kept. */
static void keep_values(const struct asking *s, const struct sent *sent,
                        const struct completion_answer *answer)
{
    struct asked *a = sent->doc;
    if (s->by_token) {
        a->nll[a->got++] = answer->nll[0];
        return;
    }
    for (size_t i = 0; i < answer->nll_count; i++) {
        if (has_target(a, sent->first + i)) {
            a->nll[a->got++] = answer->nll[i];
        }
    }
}

static void write_line(struct asking *s, const struct asked *a)
{
    struct json_writer w = {.out = &s->text};
    double sum = 0;
    buf_clear(&s->text);
    buf_clear(&s->line);
    for (size_t i = 0; i < a->values; i++) {
        sum += (double)a->nll[i];
    }
    json_open(&w, '{');
    json_member_str(&w, "id", buf_str(&a->id));
    if (a->reason.len > 0) {
        json_member_str(&w, "refused", buf_str(&a->reason));
    } else if (a->values > 0) {
        json_member_double(&w, "nll", sum / (double)a->values);
        json_member_u64(&w, "tokens", a->values);
        if (in_sample(s, a->ordinal)) {
            json_member_open(&w, "each", '[');
            for (size_t i = 0; i < a->values; i++) {
                json_double(&w, (double)a->nll[i]);
            }
            json_close(&w, ']');
        }
    }
    json_close(&w, '}');
    answer_store_line(&s->line, a->ordinal, buf_str(&s->text));
}

static winnow_status store_whole(struct asking *s, struct winnow_error *err)
{
    while (s->head && s->head->sent && s->head->answers == s->head->requests) {
        struct asked *a = s->head;
        write_line(s, a);
        TRY(answer_store_add(s->store, a->ordinal, buf_str(&s->line), err));
        s->head = a->behind;
        s->tail = s->head ? s->tail : NULL;
        s->queued--;
        asked_free(s, a);
        env_progress(stage_env(s->stage), "ask", "documents", answer_store_documents(s->store),
                     stage_documents(s->stage));
    }
    return WINNOW_OK;
}

static winnow_status take_answer(struct asking *s, struct winnow_error *err)
{
    struct completion_answer answer;
    TRY(completion_client_next(s->client, &answer, err));
    const struct sent sent = s->sent[s->answered++ % completion_client_window(s->client)];
    struct asked *a = sent.doc;
    if (answer.refused && a->reason.len == 0) {
        buf_add_text(&a->reason, answer.refused[0] ? answer.refused : "no reason given");
    }
    if (a->reason.len == 0) {
        keep_values(s, &sent, &answer);
    }
    a->answers++;
    return store_whole(s, err);
}

static winnow_status queue_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    struct asking *s = state;
    struct asked *a = (struct asked *)(uintptr_t)r->carry[0]; /* NOLINT: made from a pointer */
    if (!a) {
        return WINNOW_OK; /* its answer is there */
    }
    if (s->tail) {
        s->tail->behind = a;
    } else {
        s->head = a;
    }
    s->tail = a;
    s->queued++;
    if (!a->sent && windows_of(a) > 0) {
        a->position = 0;
        while (!next_target(a, a->window, &a->position)) {
            a->window++;
        }
    }
    TRY(store_whole(s, err));
    TRY(send_ready(s, err));
    while (!completion_client_room(s->client) || s->queued >= QUEUE_MOST) {
        TRY(take_answer(s, err));
        TRY(send_ready(s, err));
    }
    return WINNOW_OK;
}

static winnow_status finish(struct asking *s, struct winnow_error *err)
{
    while (s->head) {
        TRY(send_ready(s, err));
        TRY(take_answer(s, err));
    }
    return answer_store_mark(s->store, true, err);
}

static uint64_t growth(void *state)
{
    const struct asking *s = state;
    return answer_store_bytes(s->store);
}

/* ---- all of it ---- */

/* One token has to be generated behind a prompt, and needs its place. */
static winnow_status find_window(struct asking *s, struct winnow_error *err)
{
    uint64_t context = completion_client_context(s->client);
    uint64_t most = context > 2 && context - 1 < WINDOW_MOST ? context - 1 : WINDOW_MOST;
    s->score.window = s->a->shape.window > 0 ? s->a->shape.window : (uint32_t)most;
    if (context > 0 && s->score.window >= context) {
        return error_set(err, WINNOW_E_USAGE,
                         "--window %u: the server takes %llu tokens at once, one of them generated",
                         s->score.window, (unsigned long long)context);
    }
    s->score.stride = s->a->shape.stride > 0 ? s->a->shape.stride : s->score.window / 2;
    if (s->score.stride >= s->score.window) {
        return error_set(err, WINNOW_E_USAGE, "--stride %u is not smaller than the window of %u",
                         s->score.stride, s->score.window);
    }
    return WINNOW_OK;
}

static winnow_status open_client(struct asking *s, struct winnow_error *err)
{
    struct completion_client_options client;
    struct buf key = {0}, path = {0};
    winnow_status st = server_client_options(s->a->server, stage_env(s->stage), &key, &client, err);
    client.scores = true;
    client.answer_bytes_max = (size_t)16 << 20; /* hundreds of bytes a token */
    st = st == WINNOW_OK ? completion_client_open(&client, stage_env(s->stage), &s->client, err)
                         : st;
    if (st == WINNOW_OK) {
        const char *model = completion_client_model(s->client);
        st = server_same_model(stage_path(s->stage, "server-model", &path), model, err);
    }
    buf_release(&key);
    buf_release(&path);
    return st;
}

static winnow_status ask_all(struct asking *s, struct winnow_error *err)
{
    TRY(draw_sample(s, err));
    TRY(open_client(s, err));
    TRY(find_window(s, err));
    s->by_token = prompt_scores_by_token(completion_client_server(s->client));
    s->sent = mem_zalloc(completion_client_window(s->client) * sizeof *s->sent);
    const struct stage_pass pass = {.name = "ask",
                                    .block_bytes = BLOCK_BYTES,
                                    .scratch_factor = 12, /* tokens, targets, numbers */
                                    .line_bytes = 256,
                                    .worker_bytes = CLIENT_BYTES,
                                    .growth = growth,
                                    .state = s,
                                    .worker_new = ask_worker_new,
                                    .worker_free = ask_worker_free,
                                    .document = ask_document,
                                    .decide = queue_document};
    winnow_status st = stage_run_pass(s->stage, &pass, err);
    if (st == WINNOW_OK) {
        return finish(s, err);
    }
    struct winnow_error ignored; /* what was answered is kept all the same */
    if (answer_store_mark(s->store, false, &ignored) != WINNOW_OK) {
        ignored.text[0] = '\0';
    }
    return st;
}

winnow_status server_ask_run(const struct server_ask *a, struct winnow_error *err)
{
    struct asking s = {.a = a, .stage = a->stage, .store = a->store};
    s.score.start = a->start;
    s.score.fixed_length = a->shape.fixed_length;
    (void)pthread_mutex_init(&s.lock, NULL);
    winnow_status st = ask_all(&s, err);
    while (s.made) {
        asked_free(&s, s.made);
    }
    completion_client_close(s.client);
    u32_list_release(&s.ids);
    buf_release(&s.line);
    buf_release(&s.text);
    mem_free(s.sample);
    mem_free(s.sent);
    (void)pthread_mutex_destroy(&s.lock);
    return st;
}
