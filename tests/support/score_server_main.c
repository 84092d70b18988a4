/* score_server_main.c -- a server that scores prompts as vLLM, SGLang, llama-server or a plain
 * OpenAI one does, by our own engine.
 *
 *     score_server MODEL vllm|sglang|llama.cpp|openai PORT_FILE LOG [FAULTS]
 *
 * Each form of request and answer is written here a second time, from the servers' documentation,
 * so that what the client sends and reads is judged by something else.  With FAULTS, every
 * third answer is first a 503, and requests of more than 60 ids are refused.  LOG gets a line a
 * scored request: how many ids it had. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "mock_server.h"
#include "model/model_file.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define IDS_MAX 4096

struct scores {
    const char *kind;
    bool faults;
    struct model *model;
    struct engine *engine;
    struct json_parser *parser;
    FILE *log;
    uint32_t ids[IDS_MAX + 1];
    float nll[IDS_MAX + 1];
    size_t count;
};

static bool is(const struct scores *s, const char *kind)
{
    return strcmp(s->kind, kind) == 0;
}

static bool read_ids(struct scores *s, struct json_value root)
{
    struct json_iter it = json_walk(json_get(root, is(s, "sglang") ? "input_ids" : "prompt"));
    s->count = 0;
    while (json_next(&it) && s->count < IDS_MAX) {
        uint64_t id = UINT64_MAX;
        if (!json_as_u64(it.value, &id) || id >= model_config(s->model)->vocab) {
            return false;
        }
        s->ids[s->count++] = (uint32_t)id;
    }
    if (is(s, "llama.cpp")) { /* what a bias forces is generated, and is what is asked about */
        struct json_iter biases = json_walk(json_get(root, "logit_bias"));
        struct json_iter pair;
        uint64_t id = 0, probabilities = 0;
        (void)json_as_u64(json_get(root, "n_probs"), &probabilities);
        if (!json_next(&biases)) {
            return false;
        }
        pair = json_walk(biases.value);
        if (!json_next(&pair) || !json_as_u64(pair.value, &id) || probabilities == 0) {
            return false;
        }
        s->ids[s->count++] = (uint32_t)id;
    }
    return s->count >= 2;
}

/* Whether the request asks for what this server calls log-probabilities of the prompt. */
static bool asks(const struct scores *s, struct json_value root, const struct mock_request *r)
{
    bool yes = false;
    uint64_t n = 0;
    if (is(s, "sglang")) {
        return str_is(r->path, "/generate") &&
               json_as_bool(json_get(root, "return_logprob"), &yes) && yes &&
               json_as_u64(json_get(root, "logprob_start_len"), &n) && n == 0;
    }
    if (!str_is(r->path, "/v1/completions")) {
        return false;
    }
    if (is(s, "vllm")) {
        return json_as_u64(json_get(root, "prompt_logprobs"), &n);
    }
    return is(s, "llama.cpp") || (json_as_bool(json_get(root, "echo"), &yes) && yes &&
                                  json_as_u64(json_get(root, "logprobs"), &n));
}

static void add_number(struct buf *out, float nll)
{
    buf_addf(out, "%.9g", (double)-nll);
}

static void write_answer(struct scores *s, struct buf *out)
{
    size_t n = s->count;
    if (is(s, "sglang")) {
        buf_addf(out, "{\"text\":\"x\",\"meta_info\":{\"input_token_logprobs\":[[null,%u,null]",
                 s->ids[0]);
        for (size_t i = 1; i < n; i++) {
            buf_add_text(out, ",[");
            add_number(out, s->nll[i - 1]);
            buf_addf(out, ",%u,null]", s->ids[i]);
        }
        buf_add_text(out, "]}}");
        return;
    }
    buf_add_text(out, "{\"choices\":[{\"index\":0,\"text\":\"x\",\"finish_reason\":\"length\",");
    if (is(s, "vllm")) {
        buf_add_text(out, "\"prompt_logprobs\":[null");
        for (size_t i = 1; i < n; i++) {
            buf_addf(out,
                     ",{\"%u\":{\"logprob\":-0.01,\"rank\":1},\"%u\":{\"logprob\":", s->ids[i] + 1,
                     s->ids[i]);
            add_number(out, s->nll[i - 1]);
            buf_add_text(out, ",\"rank\":2,\"decoded_token\":\"x\"}}");
        }
        buf_add_char(out, ']');
    } else if (is(s, "llama.cpp")) {
        buf_addf(out, "\"logprobs\":{\"content\":[{\"id\":%u,\"token\":\"x\",\"logprob\":",
                 s->ids[n - 1]);
        add_number(out, s->nll[n - 2]);
        buf_add_text(out, ",\"top_logprobs\":[]}]}");
    } else {
        buf_add_text(out, "\"logprobs\":{\"token_logprobs\":[null");
        for (size_t i = 1; i < n; i++) {
            buf_add_char(out, ',');
            add_number(out, s->nll[i - 1]);
        }
        buf_add_text(out, ",-0.5]}");
    }
    buf_add_text(out, "}]}");
}

static void list_models(const struct scores *s, struct buf *out)
{
    const char *owner = is(s, "llama.cpp") ? "llamacpp" : s->kind;
    buf_addf(out, "{\"data\":[{\"id\":\"served\",\"owned_by\":\"%s\"", owner);
    if (is(s, "vllm") || is(s, "sglang")) {
        buf_addf(out, ",\"max_model_len\":%u", model_config(s->model)->context + 1);
    }
    buf_add_text(out, "}]}");
}

static void answer(void *ctx, const struct mock_request *request, struct mock_reply *reply)
{
    struct scores *s = ctx;
    struct winnow_error err;
    struct json_value root;
    reply->status = 200;
    reply->cut = SIZE_MAX;
    if (str_ends(request->path, STR_LIT("/models"))) {
        list_models(s, &reply->body);
        return;
    }
    if (s->faults && request->number % 3 == 1) {
        reply->status = 503;
        buf_add_text(&reply->headers, "Retry-After: 0\r\n");
        return;
    }
    if (json_parse(s->parser, request->body, &root, &err) != WINNOW_OK || !asks(s, root, request) ||
        !read_ids(s, root) || (s->faults && s->count > 60)) {
        reply->status = 400;
        buf_add_text(&reply->body, "{\"error\":{\"message\":\"this one is not liked\"}}");
        return;
    }
    const uint32_t starts[2] = {0, (uint32_t)s->count};
    const struct token_batch batch = {s->ids, starts, 1, NULL};
    if (engine_nll(s->engine, &batch, s->nll, &err) != WINNOW_OK) {
        reply->status = 400;
        buf_addf(&reply->body, "{\"error\":\"%s\"}", err.text);
        return;
    }
    write_answer(s, &reply->body);
    (void)fprintf(s->log, "%zu\n", s->count);
    (void)fflush(s->log);
}

static int fail(const char *text)
{
    (void)fprintf(stderr, "%s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    static struct scores s;
    static const struct winnow_env env = {0};
    const struct engine_options opt = ENGINE_OPTIONS_INIT;
    struct winnow_error err;
    if (argc < 5) {
        return fail("usage: score_server MODEL KIND PORT_FILE LOG [FAULTS]");
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)alarm(300);
    s.kind = argv[2];
    s.faults = argc > 5;
    s.parser = json_parser_new();
    s.log = fopen(argv[4], "w");
    if (!s.log || model_open(argv[1], &s.model, &err) != WINNOW_OK ||
        engine_new(s.model, pool_new(1), &opt, &env, &s.engine, &err) != WINNOW_OK) {
        return fail(s.log ? err.text : argv[4]);
    }
    struct mock_server *server = mock_server_start(answer, &s);
    char port[16];
    int n = snprintf(port, sizeof port, "%u\n", mock_server_port(server));
    if (file_write_atomic(argv[3], (struct str){port, (size_t)n}, &err) != WINNOW_OK) {
        return fail(err.text);
    }
    for (;;) {
        (void)pause();
    }
}
