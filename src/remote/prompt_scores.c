/* prompt_scores.c -- bodies of requests for log-probabilities, and what comes back.
 *
 * Answers come from outside: each token's id is compared with the one that was asked for where
 * the server names it, numbers are checked, and one more token is always generated, since some
 * servers refuse to generate none. */
#include "remote/prompt_scores.h"

#include "base/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define FORCING 1e6 /* a bias that no logit overcomes */

bool prompt_scores_by_token(enum completion_server server)
{
    return server == COMPLETION_LLAMA_CPP;
}

const char *prompt_scores_path(enum completion_server server, bool *root)
{
    *root = server == COMPLETION_SGLANG;
    return server == COMPLETION_SGLANG ? "/generate" : "/completions";
}

/* ---- requests ---- */

static void write_ids(struct json_writer *w, const char *key, const uint32_t *ids, size_t count)
{
    json_member_open(w, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_u64(w, ids[i]);
    }
    json_close(w, ']');
}

static void write_sglang(struct json_writer *w, const uint32_t *ids, size_t count)
{
    write_ids(w, "input_ids", ids, count);
    json_member_open(w, "sampling_params", '{');
    json_member_u64(w, "max_new_tokens", 1);
    json_member_double(w, "temperature", 0);
    json_close(w, '}');
    json_member_bool(w, "return_logprob", true);
    json_member_u64(w, "logprob_start_len", 0);
    json_member_bool(w, "stream", false);
}

static void write_forced(struct json_writer *w, uint32_t id)
{
    json_member_u64(w, "n_probs", 1);
    json_member_u64(w, "top_k", 1);
    json_member_bool(w, "cache_prompt", true); /* the next request is this one and a token */
    json_member_open(w, "logit_bias", '[');
    json_open(w, '[');
    json_u64(w, id);
    json_double(w, FORCING);
    json_close(w, ']');
    json_close(w, ']');
}

void prompt_scores_write(enum completion_server server, const char *model, const uint32_t *ids,
                         size_t count, struct buf *out)
{
    assert(server != COMPLETION_AUTO && count >= 2);
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    if (server == COMPLETION_SGLANG) {
        write_sglang(&w, ids, count);
        json_close(&w, '}');
        return;
    }
    if (model) {
        json_member_text(&w, "model", model);
    }
    write_ids(&w, "prompt", ids, prompt_scores_by_token(server) ? count - 1 : count);
    json_member_u64(&w, "max_tokens", 1);
    json_member_double(&w, "temperature", 0);
    json_member_bool(&w, "stream", false);
    switch (server) {
    case COMPLETION_LLAMA_CPP:
        write_forced(&w, ids[count - 1]);
        break;
    case COMPLETION_VLLM:
        json_member_u64(&w, "prompt_logprobs", 1);
        break;
    case COMPLETION_AUTO:
    case COMPLETION_SGLANG:
    case COMPLETION_OPENAI:
        json_member_bool(&w, "echo", true);
        json_member_u64(&w, "logprobs", 1);
        break;
    }
    json_close(&w, '}');
}

/* ---- answers ---- */

static winnow_status add(struct json_value logprob, size_t at, struct buf *out,
                         struct winnow_error *err)
{
    double v = 0;
    if (!json_as_double(logprob, &v) || isnan(v)) {
        return error_set(err, WINNOW_E_FORMAT, "no log-probability of token %zu of the prompt", at);
    }
    float nll = (float)-fmin(v, 0); /* rounding may take it a hair above */
    buf_add(out, (const char *)&nll, sizeof nll);
    return WINNOW_OK;
}

static winnow_status other_id(size_t at, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT,
                     "its token %zu of the prompt is another than was asked for: does its model "
                     "have the tokenizer that --tokenizer names?",
                     at);
}

static struct json_value first_choice(struct json_value root)
{
    struct json_value choices =
        json_kind(root) == JSON_OBJECT ? json_get(root, "choices") : (struct json_value){0};
    struct json_iter it = json_walk(choices);
    bool found =
        json_kind(choices) == JSON_ARRAY && json_next(&it) && json_kind(it.value) == JSON_OBJECT;
    return found ? it.value : (struct json_value){0};
}

/* The rows of the ids but the first, which may stand there as null or not at all. */
static winnow_status rows_of(struct json_value list, const char *what, size_t count,
                             struct json_iter *it, struct winnow_error *err)
{
    size_t have = json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    if (have + 1 < count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "\"%s\" holds %zu of the prompt's %zu tokens; does this server give "
                         "log-probabilities of prompts (vLLM, SGLang and llama-server do)?",
                         what, have, count);
    }
    *it = json_walk(list);
    if (have >= count) {
        (void)json_next(it);
    }
    return WINNOW_OK;
}

static winnow_status read_vllm(struct json_value root, const uint32_t *ids, size_t count,
                               struct buf *out, struct winnow_error *err)
{
    struct json_iter it;
    struct json_value choice = first_choice(root);
    struct json_value list = json_kind(choice) == JSON_OBJECT ? json_get(choice, "prompt_logprobs")
                                                              : (struct json_value){0};
    TRY(rows_of(list, "prompt_logprobs", count, &it, err));
    for (size_t i = 1; i < count && json_next(&it); i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%" PRIu32, ids[i]);
        struct json_value entry =
            json_kind(it.value) == JSON_OBJECT ? json_get(it.value, key) : (struct json_value){0};
        if (json_kind(entry) != JSON_OBJECT) {
            return other_id(i, err);
        }
        TRY(add(json_get(entry, "logprob"), i, out, err));
    }
    return WINNOW_OK;
}

/* An answer for one prompt is an object, or a list with one in it. */
static winnow_status read_sglang(struct json_value root, const uint32_t *ids, size_t count,
                                 struct buf *out, struct winnow_error *err)
{
    struct json_iter it = json_walk(root);
    if (json_kind(root) == JSON_ARRAY && json_next(&it)) {
        root = it.value;
    }
    struct json_value meta =
        json_kind(root) == JSON_OBJECT ? json_get(root, "meta_info") : (struct json_value){0};
    struct json_value list = json_kind(meta) == JSON_OBJECT ? json_get(meta, "input_token_logprobs")
                                                            : (struct json_value){0};
    TRY(rows_of(list, "input_token_logprobs", count, &it, err));
    for (size_t i = 1; i < count && json_next(&it); i++) {
        struct json_iter row = json_walk(it.value);
        struct json_value logprob = {0};
        uint64_t id = 0;
        if (json_kind(it.value) == JSON_ARRAY && json_next(&row)) {
            logprob = row.value;
            if (!json_next(&row) || !json_as_u64(row.value, &id) || id != ids[i]) {
                return other_id(i, err);
            }
        }
        TRY(add(logprob, i, out, err));
    }
    return WINNOW_OK;
}

static struct json_value logprobs_of(struct json_value root, const char *key)
{
    struct json_value choice = first_choice(root);
    struct json_value all =
        json_kind(choice) == JSON_OBJECT ? json_get(choice, "logprobs") : (struct json_value){0};
    return json_kind(all) == JSON_OBJECT ? json_get(all, key) : (struct json_value){0};
}

static winnow_status read_forced(struct json_value root, const uint32_t *ids, size_t count,
                                 struct buf *out, struct winnow_error *err)
{
    struct json_value list = logprobs_of(root, "content");
    struct json_iter it = json_walk(list);
    uint64_t id = 0;
    if (json_kind(list) != JSON_ARRAY || !json_next(&it) || json_kind(it.value) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "no \"logprobs\" of the token that was asked for");
    }
    if (!json_as_u64(json_get(it.value, "id"), &id) || id != ids[count - 1]) {
        return other_id(count - 1, err);
    }
    return add(json_get(it.value, "logprob"), count - 1, out, err);
}

static winnow_status read_echo(struct json_value root, size_t count, struct buf *out,
                               struct winnow_error *err)
{
    struct json_value list = logprobs_of(root, "token_logprobs");
    if (json_kind(list) != JSON_ARRAY || json_count(list) < count) { /* and the one generated */
        return error_set(err, WINNOW_E_FORMAT,
                         "\"token_logprobs\" holds %zu of the prompt's %zu tokens; does this "
                         "server echo prompts (vLLM, SGLang and llama-server have --server)?",
                         json_kind(list) == JSON_ARRAY ? json_count(list) : 0, count);
    }
    struct json_iter it = json_walk(list);
    (void)json_next(&it); /* the first has none */
    for (size_t i = 1; i < count && json_next(&it); i++) {
        TRY(add(it.value, i, out, err));
    }
    return WINNOW_OK;
}

winnow_status prompt_scores_read(enum completion_server server, struct json_parser *p,
                                 struct str body, const uint32_t *ids, size_t count,
                                 struct buf *out, struct winnow_error *err)
{
    struct json_value root;
    TRY(json_parse(p, body, &root, err));
    switch (server) {
    case COMPLETION_VLLM:
        return read_vllm(root, ids, count, out, err);
    case COMPLETION_SGLANG:
        return read_sglang(root, ids, count, out, err);
    case COMPLETION_LLAMA_CPP:
        return read_forced(root, ids, count, out, err);
    case COMPLETION_AUTO:
    case COMPLETION_OPENAI:
        break;
    }
    return read_echo(root, count, out, err);
}
