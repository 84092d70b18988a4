/* completion.c -- bodies of requests and answers, for four kinds of servers.
 *
 * They share OpenAI's /v1/completions; grammars and top_k they name each its own way.
 * Answers come from outside: every field is checked for its kind, counts are bounded,
 * and what is quoted of them loses its secrets first and is cut after (half a key is
 * a key, too). */
#include "remote/completion.h"

#include "base/json_write.h"
#include "base/show.h"
#include "base/utf8.h"

#include <assert.h>

#define REASON_BYTES_MAX 200U

bool completion_takes_grammar(enum completion_server server)
{
    return server == COMPLETION_LLAMA_CPP || server == COMPLETION_VLLM ||
           server == COMPLETION_SGLANG;
}

static void write_grammar(enum completion_server server, struct str grammar, struct json_writer *w)
{
    switch (server) {
    case COMPLETION_LLAMA_CPP:
        json_member_str(w, "grammar", grammar);
        break;
    case COMPLETION_VLLM:
        /* guided_grammar until 0.11, structured_outputs from there on; each version
         * passes over the field that it does not know. */
        json_member_str(w, "guided_grammar", grammar);
        json_member_open(w, "structured_outputs", '{');
        json_member_str(w, "grammar", grammar);
        json_close(w, '}');
        break;
    case COMPLETION_SGLANG:
        json_member_str(w, "ebnf", grammar);
        break;
    case COMPLETION_AUTO:
    case COMPLETION_OPENAI:
        break;
    }
}

static void write_message(struct json_writer *w, const char *role, struct str content)
{
    json_open(w, '{');
    json_member_text(w, "role", role);
    json_member_str(w, "content", content);
    json_close(w, '}');
}

static void write_prompt(bool chat, const struct completion_request *r, struct json_writer *w)
{
    if (chat) {
        json_member_open(w, "messages", '[');
        if (r->system.len > 0) {
            write_message(w, "system", r->system);
        }
        write_message(w, "user", r->prompt);
        json_close(w, ']');
        return;
    }
    json_key(w, "prompt");
    if (!r->ids) {
        json_str(w, r->prompt);
        return;
    }
    json_open(w, '[');
    for (size_t i = 0; i < r->id_count; i++) {
        json_u64(w, r->ids[i]);
    }
    json_close(w, ']');
}

void completion_write(enum completion_server server, bool chat, const char *model,
                      const struct completion_request *r, struct buf *out)
{
    assert(server != COMPLETION_AUTO && !(chat && r->ids));
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    if (model) {
        json_member_text(&w, "model", model);
    }
    write_prompt(chat, r, &w);
    json_member_u64(&w, "max_tokens", r->tokens_max);
    json_member_double(&w, "temperature", r->temperature);
    json_member_u64(&w, "seed", r->seed & INT32_MAX); /* what every server's integer holds */
    json_member_bool(&w, "stream", false);
    if (completion_takes_grammar(server)) {
        if (r->temperature <= 0) {
            json_member_u64(&w, "top_k", 1);
        }
        if (r->grammar.len > 0) {
            write_grammar(server, r->grammar, &w);
        }
    }
    json_close(&w, '}');
}

/* 0 where there is none, or one that no answer has: sums of them must hold. */
static uint64_t read_tokens(struct json_value usage, const char *key)
{
    uint64_t n = 0;
    return json_as_u64(json_get(usage, key), &n) && n <= INT32_MAX ? n : 0;
}

static void read_usage(struct json_value root, struct completion_text *out)
{
    struct json_value usage = json_get(root, "usage");
    if (json_kind(usage) == JSON_OBJECT) {
        out->prompt_tokens = read_tokens(usage, "prompt_tokens");
        out->answer_tokens = read_tokens(usage, "completion_tokens");
    }
}

winnow_status completion_read(struct json_parser *p, struct str body, struct completion_text *out,
                              struct winnow_error *err)
{
    *out = (struct completion_text){0};
    struct json_value root, text;
    TRY(json_parse(p, body, &root, err));
    struct json_value choices =
        json_kind(root) == JSON_OBJECT ? json_get(root, "choices") : (struct json_value){0};
    struct json_iter it = json_walk(choices);
    if (json_kind(choices) != JSON_ARRAY || !json_next(&it) || json_kind(it.value) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "no array \"choices\" with an answer in it");
    }
    struct json_value message = json_get(it.value, "message");
    bool chat = json_kind(message) == JSON_OBJECT;
    text = json_get(chat ? message : it.value, chat ? "content" : "text");
    if (chat && json_kind(text) == JSON_NULL) { /* how chats write an empty answer */
        out->text = STR_LIT("");
    } else if (!json_as_str(text, &out->text)) {
        return error_set(err, WINNOW_E_FORMAT, "no string \"%s\" in its first choice",
                         chat ? "content" : "text");
    }
    struct str finish;
    out->cut =
        json_as_str(json_get(it.value, "finish_reason"), &finish) && str_is(finish, "length");
    read_usage(root, out);
    return WINNOW_OK;
}

static enum completion_server server_of(struct json_value model)
{
    struct str owner;
    if (!json_as_str(json_get(model, "owned_by"), &owner)) {
        return COMPLETION_OPENAI;
    }
    if (str_is(owner, "llamacpp")) {
        return COMPLETION_LLAMA_CPP;
    }
    return str_is(owner, "vllm")     ? COMPLETION_VLLM
           : str_is(owner, "sglang") ? COMPLETION_SGLANG
                                     : COMPLETION_OPENAI;
}

/* As vLLM and SGLang say it, and llama-server. */
static uint64_t context_of(struct json_value model)
{
    uint64_t n = 0;
    struct json_value meta = json_get(model, "meta");
    if (json_as_u64(json_get(model, "max_model_len"), &n) ||
        (json_kind(meta) == JSON_OBJECT && json_as_u64(json_get(meta, "n_ctx"), &n))) {
        return n <= INT32_MAX ? n : 0;
    }
    return 0;
}

winnow_status completion_read_models(struct json_parser *p, struct str body,
                                     struct completion_models *out, struct winnow_error *err)
{
    struct json_value root;
    *out = (struct completion_models){0};
    TRY(json_parse(p, body, &root, err));
    struct json_value data =
        json_kind(root) == JSON_OBJECT ? json_get(root, "data") : (struct json_value){0};
    struct json_iter it = json_walk(data);
    if (json_kind(data) != JSON_ARRAY || !json_next(&it) || json_kind(it.value) != JSON_OBJECT ||
        !json_as_str(json_get(it.value, "id"), &out->model)) {
        return error_set(err, WINNOW_E_FORMAT, "no array \"data\" of models in it");
    }
    out->server = server_of(it.value);
    out->context = context_of(it.value);
    return WINNOW_OK;
}

/* {"error": {"message": ...}} (OpenAI, llama.cpp), {"error": ...}, {"message": ...}
 * (vLLM, SGLang), {"detail": ...} (FastAPI). */
static bool find_reason(struct json_value root, struct str *out)
{
    static const char *const KEYS[] = {"error", "message", "detail"};
    for (size_t i = 0; json_kind(root) == JSON_OBJECT && i < sizeof KEYS / sizeof KEYS[0]; i++) {
        struct json_value v = json_get(root, KEYS[i]);
        if (json_as_str(v, out) ||
            (json_kind(v) == JSON_OBJECT && json_as_str(json_get(v, "message"), out))) {
            return true;
        }
    }
    return false;
}

void completion_add_reason(struct json_parser *p, struct str body, const struct secrets *secrets,
                           struct buf *out)
{
    struct winnow_error ignored;
    struct json_value root;
    struct str reason = body;
    if (json_parse(p, body, &root, &ignored) == WINNOW_OK) {
        (void)find_reason(root, &reason);
    }
    reason = str_trim(reason);
    struct buf clean = {0}, shown = {0};
    secrets_hide(secrets, reason, SECRETS_ALL, &clean); /* then cut: half a key is one, too */
    for (size_t i = 0; i < clean.len; i++) {            /* on one line */
        char *c = &clean.ptr[i];
        *c = *c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c;
    }
    show_add(&shown, buf_str(&clean), SHOW_LINE);
    struct str all = buf_str(&shown);
    struct str cut = str_sub(all, 0, all.len < REASON_BYTES_MAX ? all.len : REASON_BYTES_MAX);
    cut.len = utf8_valid_until(cut);
    buf_add_str(out, cut);
    buf_add_text(out, cut.len < all.len ? "..." : "");
    buf_release(&clean);
    buf_release(&shown);
}
