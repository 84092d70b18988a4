/* config_json.c -- transformers' config.json to struct model_config and back.
 *
 * A key that is absent means what the model type's class in transformers has as
 * default.  The rotary embedding stands in rope_theta and rope_scaling up to
 * transformers 4 and in rope_parameters from 5 on; we read both and write both,
 * so that either version finds its own.
 */
#include "model/config_json.h"

#include "base/json.h"
#include "base/json_write.h"

#include <inttypes.h>

struct source {
    struct json_value root;
    const char *file;
};

static bool present(struct json_value v)
{
    return json_kind(v) != JSON_NONE && json_kind(v) != JSON_NULL;
}

static winnow_status read_u32(const struct source *s, struct json_value in, const char *key,
                              bool required, uint32_t *out, struct winnow_error *err)
{
    struct json_value v = json_get(in, key);
    uint64_t number = 0;
    if (!present(v) && !required) {
        return WINNOW_OK;
    }
    if (!json_as_u64(v, &number) || number >= UINT32_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" %s", s->file, key,
                         present(v) ? "is no whole number below 2^32"
                                    : "is missing; is this the config.json of a language model?");
    }
    *out = (uint32_t)number;
    return WINNOW_OK;
}

static winnow_status read_real(const struct source *s, struct json_value in, const char *key,
                               double *out, struct winnow_error *err)
{
    struct json_value v = json_get(in, key);
    if (present(v) && !(json_as_double(v, out) && *out > 0 && *out < 1e30)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" is no positive number", s->file, key);
    }
    return WINNOW_OK;
}

static winnow_status read_bool(const struct source *s, const char *key, bool *out,
                               struct winnow_error *err)
{
    struct json_value v = json_get(s->root, key);
    if (present(v) && !json_as_bool(v, out)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" is neither true nor false", s->file,
                         key);
    }
    return WINNOW_OK;
}

/* A token's id; of a list (Llama-3.1 has several ends) the first. */
static winnow_status read_token(const struct source *s, const char *key, uint32_t *out,
                                struct winnow_error *err)
{
    struct json_value v = json_get(s->root, key);
    if (json_kind(v) == JSON_NONE) {
        return WINNOW_OK;
    }
    if (json_kind(v) == JSON_ARRAY) {
        struct json_iter it = json_walk(v);
        v = json_next(&it) ? it.value : (struct json_value){NULL, 0};
    }
    int64_t id = -1;
    *out = MODEL_NO_TOKEN;
    if (!present(v) || (json_as_i64(v, &id) && id == -1)) { /* -1: converters' word for none */
        return WINNOW_OK;
    }
    if (id < 0 || id >= UINT32_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" is no token id", s->file, key);
    }
    *out = (uint32_t)id;
    return WINNOW_OK;
}

static winnow_status read_rope(const struct source *s, struct model_config *c,
                               struct winnow_error *err)
{
    struct json_value scaling = json_get(s->root, "rope_scaling");
    struct json_value parameters = json_get(s->root, "rope_parameters");
    TRY(read_real(s, s->root, "rope_theta", &c->rope_base, err));
    if (json_kind(parameters) == JSON_OBJECT) {
        scaling = parameters;
        TRY(read_real(s, parameters, "rope_theta", &c->rope_base, err));
    }
    if (!present(scaling)) {
        return WINNOW_OK;
    }
    struct str type = {NULL, 0};
    if (!json_as_str(json_get(scaling, "rope_type"), &type) &&
        !json_as_str(json_get(scaling, "type"), &type)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: rope scaling without a rope_type", s->file);
    }
    if (str_is(type, "default")) {
        return WINNOW_OK;
    }
    if (str_is(type, "linear")) {
        c->rope_scaling = ROPE_LINEAR;
    } else if (str_is(type, "llama3")) {
        c->rope_scaling = ROPE_LLAMA3;
        c->rope_context = c->context;
        TRY(read_real(s, scaling, "low_freq_factor", &c->rope_low, err));
        TRY(read_real(s, scaling, "high_freq_factor", &c->rope_high, err));
        TRY(read_u32(s, scaling, "original_max_position_embeddings", false, &c->rope_context, err));
    } else {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: rope scaling \"%.60s\" is not supported; default, linear and llama3 are", s->file,
            type.ptr);
    }
    if (!present(json_get(scaling, "factor"))) {
        return error_set(err, WINNOW_E_FORMAT, "%s: rope scaling without a factor", s->file);
    }
    return read_real(s, scaling, "factor", &c->rope_factor, err);
}

/* What the model types differ in. */
static winnow_status read_kind(const struct source *s, struct model_config *c,
                               struct winnow_error *err)
{
    struct str type = {NULL, 0}, act = STR_LIT("silu");
    (void)json_as_str(json_get(s->root, "model_type"), &type);
    bool llama = str_is(type, "llama"), mistral = str_is(type, "mistral");
    bool qwen2 = str_is(type, "qwen2");
    if (!llama && !mistral && !qwen2) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: model_type \"%.60s\" is not supported; llama, mistral and qwen2 are",
                         s->file, type.ptr ? type.ptr : "");
    }
    (void)json_as_str(json_get(s->root, "hidden_act"), &act);
    if (!str_is(act, "silu")) {
        return error_set(err, WINNOW_E_FORMAT, "%s: hidden_act \"%.60s\" is not supported; silu is",
                         s->file, act.ptr);
    }
    if (present(json_get(s->root, "quantization_config"))) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the weights are quantised (quantization_config); use the f32, f16 or "
                         "bf16 model, or a GGUF file",
                         s->file);
    }
    if (llama) {
        TRY(read_bool(s, "attention_bias", &c->qkv_bias, err));
        TRY(read_bool(s, "mlp_bias", &c->mlp_bias, err));
        c->out_bias = c->qkv_bias;
    }
    bool window = mistral;
    if (qwen2) {
        c->qkv_bias = true;
        TRY(read_bool(s, "use_sliding_window", &window, err));
    } else {
        c->bos = 1;
        c->eos = 2;
    }
    uint32_t reach = UINT32_MAX;
    if (window) {
        TRY(read_u32(s, s->root, "sliding_window", false, &reach, err));
    }
    /* Up to the window's length a sliding window changes nothing. */
    c->context = c->context < reach ? c->context : reach;
    TRY(read_token(s, "bos_token_id", &c->bos, err));
    return read_token(s, "eos_token_id", &c->eos, err);
}

static winnow_status read_config(const struct source *s, struct model_config *c,
                                 struct winnow_error *err)
{
    if (json_kind(s->root) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "%s is no JSON object", s->file);
    }
    *c = (struct model_config)MODEL_CONFIG_INIT;
    c->norm_eps = 1e-6;
    c->tied = false;
    TRY(read_u32(s, s->root, "vocab_size", true, &c->vocab, err));
    TRY(read_u32(s, s->root, "hidden_size", true, &c->dim, err));
    TRY(read_u32(s, s->root, "intermediate_size", true, &c->ffn, err));
    TRY(read_u32(s, s->root, "num_hidden_layers", true, &c->layers, err));
    TRY(read_u32(s, s->root, "num_attention_heads", true, &c->heads, err));
    c->kv_heads = c->heads;
    TRY(read_u32(s, s->root, "num_key_value_heads", false, &c->kv_heads, err));
    c->head_dim = c->heads > 0 ? c->dim / c->heads : 0;
    TRY(read_u32(s, s->root, "head_dim", false, &c->head_dim, err));
    TRY(read_u32(s, s->root, "max_position_embeddings", false, &c->context, err));
    TRY(read_real(s, s->root, "rms_norm_eps", &c->norm_eps, err));
    TRY(read_bool(s, "tie_word_embeddings", &c->tied, err));
    TRY(read_rope(s, c, err));
    TRY(read_kind(s, c, err));
    winnow_status st = model_config_check(c, err);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", s->file);
}

winnow_status config_json_parse(struct str json, const char *name, struct model_config *out,
                                struct winnow_error *err)
{
    struct json_parser *p = json_parser_new();
    struct source s = {.file = name};
    winnow_status st = json_parse(p, json, &s.root, err);
    st = st == WINNOW_OK ? read_config(&s, out, err) : error_wrap(err, st, "%s", name);
    json_parser_free(p);
    return st;
}

static void put_token(struct json_writer *w, const char *key, uint32_t id)
{
    json_key(w, key);
    if (id == MODEL_NO_TOKEN) {
        json_null(w);
    } else {
        json_u64(w, id);
    }
}

/* The members that rope_scaling and rope_parameters share. */
static void put_scaling(struct json_writer *w, const struct model_config *c)
{
    static const char *const NAMES[] = {
        [ROPE_PLAIN] = "default", [ROPE_LINEAR] = "linear", [ROPE_LLAMA3] = "llama3"};
    json_member_text(w, "rope_type", NAMES[c->rope_scaling]);
    if (c->rope_scaling == ROPE_PLAIN) {
        return;
    }
    json_member_double(w, "factor", c->rope_factor);
    if (c->rope_scaling == ROPE_LLAMA3) {
        json_member_double(w, "low_freq_factor", c->rope_low);
        json_member_double(w, "high_freq_factor", c->rope_high);
        json_member_u64(w, "original_max_position_embeddings", c->rope_context);
    }
}

static void put_rope(struct json_writer *w, const struct model_config *c)
{
    json_member_double(w, "rope_theta", c->rope_base);
    json_key(w, "rope_scaling");
    if (c->rope_scaling == ROPE_PLAIN) {
        json_null(w);
    } else {
        json_open(w, '{');
        put_scaling(w, c);
        json_close(w, '}');
    }
    json_member_open(w, "rope_parameters", '{');
    json_member_double(w, "rope_theta", c->rope_base);
    put_scaling(w, c);
    json_close(w, '}');
}

winnow_status config_json_write(const struct model_config *c, enum tensor_type type,
                                struct buf *out, struct winnow_error *err)
{
    bool qwen2 = c->qkv_bias && !c->out_bias && !c->mlp_bias;
    if (!qwen2 && c->qkv_bias != c->out_bias) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "no model type of transformers has biases on o_proj but not on q, k and v, "
            "or mlp_bias with biases on q, k and v alone");
    }
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "architectures", '[');
    json_text(&w, qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
    json_close(&w, ']');
    json_member_text(&w, "model_type", qwen2 ? "qwen2" : "llama");
    json_member_u64(&w, "vocab_size", c->vocab);
    json_member_u64(&w, "hidden_size", c->dim);
    json_member_u64(&w, "intermediate_size", c->ffn);
    json_member_u64(&w, "num_hidden_layers", c->layers);
    json_member_u64(&w, "num_attention_heads", c->heads);
    json_member_u64(&w, "num_key_value_heads", c->kv_heads);
    json_member_u64(&w, "head_dim", c->head_dim);
    json_member_u64(&w, "max_position_embeddings", c->context);
    json_member_text(&w, "hidden_act", "silu");
    json_member_double(&w, "rms_norm_eps", c->norm_eps);
    put_rope(&w, c);
    json_member_bool(&w, "tie_word_embeddings", c->tied);
    if (!qwen2) {
        json_member_bool(&w, "attention_bias", c->qkv_bias);
        json_member_bool(&w, "mlp_bias", c->mlp_bias);
    }
    json_member_bool(&w, "use_cache", true);
    json_member_double(&w, "initializer_range", 0.02);
    put_token(&w, "bos_token_id", c->bos);
    put_token(&w, "eos_token_id", c->eos);
    json_member_text(&w, "torch_dtype",
                     type == TENSOR_BF16  ? "bfloat16"
                     : type == TENSOR_F16 ? "float16"
                                          : "float32");
    json_close(&w, '}');
    buf_add_char(out, '\n');
    return WINNOW_OK;
}
