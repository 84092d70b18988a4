/* server_scores.c -- documents out as prompts, log-probabilities in, in the order of the corpus.
 *
 *      head                       tail
 *       v                          v
 *   | all answered: to the store | some asked for | none yet |      documents in a queue
 *
 * A window is a request; of servers that answer for one token at a time (llama-server) each
 * scored token is one.  document() tokenises on any thread, decide() sends and hears back, with
 * as many requests under way as the client holds.  Where length is corrected, the documents of
 * the sample keep all their numbers in the store: the curve is made of them when all is there. */
#include "prune/server_scores.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/split.h"
#include "model/model_file.h"
#include "remote/answer_store.h"
#include "remote/prompt_scores.h"
#include "remote/server.h"
#include "train/example_text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define WINDOW_MOST  2048U
#define BLOCK_BYTES  ((size_t)256 << 10) /* between two looks at the queue */
#define CLIENT_BYTES ((uint64_t)32 << 20)
#define NAME_BYTES   4096U
#define REASON_BYTES 256U
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

struct server_scores {
    struct stage *stage;
    struct server_scores_options opt;
    struct tokenizer *tokenizer;
    struct document_score_options score;
    struct completion_client *client;
    struct answer_store *store;
    struct buf model, reason;
    uint64_t refused;
    struct length_curve curve;
    uint64_t *sample; /* ordinals that the curve is made of, rising */
    size_t sample_count;
    pthread_mutex_t lock;
    struct least_draws drawn;
    /* of the pass that asks */
    bool by_token;
    struct asked *made, *head, *tail;
    struct sent *sent; /* as many as the client holds */
    uint64_t submitted, answered;
    size_t queued;
    struct buf line, text;
    struct u32_list ids;
};

/* ---- options ---- */

winnow_status server_scores_check(const struct server_scores_options *opt,
                                  const struct winnow_env *env, struct winnow_error *err)
{
    if (!opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE,
                         "--url scores token by token: it needs the tokenizer of the model that "
                         "is served, --tokenizer FOLDER (with its tokenizer.json)");
    }
    if (opt->server->chat) {
        return error_set(err, WINNOW_E_USAGE,
                         "--chat lets the server put its own template around a text; scores are "
                         "of the text alone: leave it out");
    }
    const struct scoring_shape *s = &opt->shape;
    if (s->window == 1 || (s->window > 0 && s->stride >= s->window)) {
        return error_set(err, WINNOW_E_USAGE, "--stride %u is not smaller than the window of %u",
                         s->stride, s->window);
    }
    return server_check(opt->server, env, err);
}

/* The token before each text: as the model's config.json has it, where it lies there, too. */
static uint32_t start_token(const struct server_scores *s)
{
    struct model_config config;
    struct winnow_error ignored;
    if (model_load_config(s->opt.tokenizer, &config, &ignored) == WINNOW_OK) {
        return config.bos != MODEL_NO_TOKEN ? config.bos : config.eos;
    }
    uint32_t bos = tokenizer_bos(s->tokenizer);
    uint32_t start = bos != TOKENIZER_NONE ? bos : tokenizer_eos(s->tokenizer);
    return start != TOKENIZER_NONE ? start : MODEL_NO_TOKEN;
}

/* One token has to be generated behind a prompt, and needs its place. */
static winnow_status find_window(struct server_scores *s, struct winnow_error *err)
{
    uint64_t context = completion_client_context(s->client);
    uint64_t most = context > 2 && context - 1 < WINDOW_MOST ? context - 1 : WINDOW_MOST;
    s->score.window = s->opt.shape.window > 0 ? s->opt.shape.window : (uint32_t)most;
    if (context > 0 && s->score.window >= context) {
        return error_set(err, WINNOW_E_USAGE,
                         "--window %u: the server takes %llu tokens at once, one of them generated",
                         s->score.window, (unsigned long long)context);
    }
    s->score.stride = s->opt.shape.stride > 0 ? s->opt.shape.stride : s->score.window / 2;
    if (s->score.stride >= s->score.window) {
        return error_set(err, WINNOW_E_USAGE, "--stride %u is not smaller than the window of %u",
                         s->score.stride, s->score.window);
    }
    return WINNOW_OK;
}

/* ---- the sample that length is measured on ---- */

static winnow_status sample_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    (void)err;
    struct server_scores *s = state;
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

static winnow_status draw_sample(struct server_scores *s, struct winnow_error *err)
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

static bool in_sample(const struct server_scores *s, uint64_t ordinal)
{
    return s->sample_count > 0 &&
           bsearch(&ordinal, s->sample, s->sample_count, sizeof *s->sample, by_number) != NULL;
}

/* ---- documents on their way ---- */

static struct asked *asked_new(struct server_scores *s, const struct document *d)
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

static void asked_free(struct server_scores *s, struct asked *a)
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
    struct server_scores *s;
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
    struct example_encoder *encoder;
    struct example_text example;
};

static void *ask_worker_new(void *state)
{
    struct server_scores *s = state;
    struct ask_worker *w = mem_zalloc(sizeof *w);
    w->s = s;
    w->scratch = tokenizer_scratch_new(s->tokenizer);
    if (s->opt.responses) {
        w->encoder = example_encoder_new(s->tokenizer, s->score.window);
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
    struct server_scores *s = state;
    struct ask_worker *w = worker;
    if (answer_store_has_passed(s->store, d->ordinal)) {
        return WINNOW_OK;
    }
    struct asked *a = asked_new(s, d);
    if (s->opt.responses) {
        lay_response(w, d, a);
    } else {
        w->tokens.len = 0;
        tokenizer_encode(s->tokenizer, w->scratch, scoring_prefix(d->text, s->score.fixed_length),
                         TOKENIZER_PLAIN_SPECIAL, &w->tokens);
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
static size_t next_request(struct server_scores *s, struct asked *a)
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

static winnow_status send_next(struct server_scores *s, struct asked *a, struct winnow_error *err)
{
    size_t first = next_request(s, a);
    const struct completion_request request = {.ids = s->ids.ptr, .id_count = s->ids.len};
    TRY(completion_client_submit(s->client, &request, err));
    s->sent[s->submitted++ % completion_client_window(s->client)] = (struct sent){a, first};
    a->requests++;
    return WINNOW_OK;
}

static winnow_status send_ready(struct server_scores *s, struct winnow_error *err)
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
static void keep_values(const struct server_scores *s, const struct sent *sent,
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

static void write_line(struct server_scores *s, const struct asked *a)
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

static winnow_status store_whole(struct server_scores *s, struct winnow_error *err)
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

static winnow_status take_answer(struct server_scores *s, struct winnow_error *err)
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
    struct server_scores *s = state;
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

static winnow_status finish(struct server_scores *s, struct winnow_error *err)
{
    while (s->head) {
        TRY(send_ready(s, err));
        TRY(take_answer(s, err));
    }
    return answer_store_mark(s->store, true, err);
}

static uint64_t growth(void *state)
{
    const struct server_scores *s = state;
    return answer_store_bytes(s->store);
}

static winnow_status open_client(struct server_scores *s, struct winnow_error *err)
{
    struct completion_client_options client;
    struct buf key = {0}, path = {0};
    winnow_status st =
        server_client_options(s->opt.server, stage_env(s->stage), &key, &client, err);
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

static winnow_status ask_all(struct server_scores *s, struct winnow_error *err)
{
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

/* ---- what was answered ---- */

struct server_scores_reader {
    struct server_scores *s;
    struct buf line;
    struct json_parser *parser;
};

struct server_scores_reader *server_scores_reader_new(struct server_scores *s)
{
    struct server_scores_reader *r = mem_zalloc(sizeof *r);
    r->s = s;
    r->parser = json_parser_new();
    return r;
}

void server_scores_reader_free(struct server_scores_reader *r)
{
    if (r) {
        buf_release(&r->line);
        json_parser_free(r->parser);
        mem_free(r);
    }
}

static winnow_status read_line(struct server_scores_reader *r, uint64_t ordinal,
                               struct json_value *root, struct winnow_error *err)
{
    TRY(answer_store_read(r->s->store, ordinal, &r->line, err));
    *root = (struct json_value){0};
    return r->line.len > 0 ? json_parse(r->parser, buf_str(&r->line), root, err) : WINNOW_OK;
}

winnow_status server_scores_read(struct server_scores_reader *r, uint64_t ordinal,
                                 struct document_nll *out, struct winnow_error *err)
{
    struct json_value root;
    *out = (struct document_nll){.mean = (double)NAN};
    TRY(read_line(r, ordinal, &root, err));
    if (json_kind(root) != JSON_OBJECT || !json_as_double(json_get(root, "nll"), &out->mean) ||
        !json_as_u64(json_get(root, "tokens"), &out->tokens)) {
        out->mean = (double)NAN;
        return WINNOW_OK;
    }
    if (r->s->score.fixed_length > 0) {
        out->mean += length_curve_correction(&r->s->curve, out->tokens);
    }
    return WINNOW_OK;
}

/* Refusals are counted from what was stored, so that a resumed stage says the same; the curve
 * is that of the sample, in the order of the corpus. */
static winnow_status look_back(struct server_scores *s, struct winnow_error *err)
{
    struct server_scores_reader *r = server_scores_reader_new(s);
    winnow_status st = WINNOW_OK;
    for (uint64_t i = 0; i < answer_store_ordinals(s->store) && st == WINNOW_OK; i++) {
        struct json_value root;
        struct str reason;
        st = read_line(r, i, &root, err);
        if (st != WINNOW_OK || json_kind(root) != JSON_OBJECT) {
            continue;
        }
        if (json_as_str(json_get(root, "refused"), &reason)) {
            if (s->refused++ == 0) {
                buf_add_str(
                    &s->reason,
                    str_sub(reason, 0, reason.len < REASON_BYTES ? reason.len : REASON_BYTES));
            }
        }
        struct json_iter each = json_walk(json_get(root, "each"));
        for (uint32_t at = 0; at < s->curve.length && json_next(&each); at++) {
            double v = 0;
            (void)json_as_double(each.value, &v);
            s->curve.sum[at] += v;
            s->curve.count[at]++;
        }
    }
    server_scores_reader_free(r);
    return st;
}

/* ---- life ---- */

static winnow_status start(struct server_scores *s, struct winnow_error *err)
{
    struct buf path = {0};
    TRY(model_load_tokenizer(s->opt.tokenizer, &s->tokenizer, err));
    s->score.start = start_token(s);
    s->score.fixed_length = s->opt.shape.fixed_length;
    length_curve_init(&s->curve, s->score.fixed_length);
    winnow_status st =
        answer_store_open(stage_path(s->stage, "scores.jsonl", &path), &s->store, err);
    if (st == WINNOW_OK && !answer_store_complete(s->store)) {
        st = draw_sample(s, err);
        st = st == WINNOW_OK ? ask_all(s, err) : st;
    }
    if (st == WINNOW_OK) {
        st = file_read(stage_path(s->stage, "server-model", &path), NAME_BYTES, &s->model, err);
    }
    buf_release(&path);
    return st == WINNOW_OK ? look_back(s, err) : st;
}

winnow_status server_scores_open(struct stage *stage, const struct server_scores_options *opt,
                                 struct server_scores **out, struct winnow_error *err)
{
    struct server_scores *s = mem_zalloc(sizeof *s);
    s->stage = stage;
    s->opt = *opt;
    (void)pthread_mutex_init(&s->lock, NULL);
    winnow_status st = start(s, err);
    while (s->made) {
        asked_free(s, s->made);
    }
    completion_client_close(s->client);
    s->client = NULL;
    if (st != WINNOW_OK) {
        server_scores_close(s);
        return st;
    }
    *out = s;
    return WINNOW_OK;
}

void server_scores_close(struct server_scores *s)
{
    if (!s) {
        return;
    }
    answer_store_close(s->store);
    tokenizer_free(s->tokenizer);
    length_curve_release(&s->curve);
    u32_list_release(&s->ids);
    buf_release(&s->line);
    buf_release(&s->text);
    buf_release(&s->model);
    buf_release(&s->reason);
    mem_free(s->sample);
    mem_free(s->sent);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

void server_scores_tell(const struct server_scores *s, struct stage *stage)
{
    struct buf name = {0};
    json_quote(&name, buf_str(&s->model));
    stage_note(stage, "served_model", buf_str(&name));
    buf_release(&name);
    if (s->refused > 0) {
        stage_note_double(stage, "refused", (double)s->refused);
        env_log(stage_env(stage), WINNOW_LOG_WARNING,
                "the server refused to score %llu documents, which have no score; the first with "
                "'%.*s'",
                (unsigned long long)s->refused, STR_ARG(buf_str(&s->reason)));
    }
}

const char *server_scores_model(const struct server_scores *s)
{
    return s->model.ptr ? s->model.ptr : "";
}
