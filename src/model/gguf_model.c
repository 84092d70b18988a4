/* gguf_model.c -- what llama.cpp's converter makes of a Llama-family model, undone.
 *
 * Tensors have other names (tensor_name()).  In files of architecture "llama"
 * the rows of q and k stand in the order of interleaved rotary embedding: of
 * each head, row 2 i of the file is our row i and row 2 i + 1 our row i + D / 2
 * (D head_dim).  Files of architecture "qwen2" have our order.  The scaled
 * rotary embedding of Llama 3 comes as a tensor of factors that divide the
 * frequencies, with its parameters lost; read_rope_factors() finds them again.
 */
#include "model/gguf_model.h"

#include "base/mem.h"
#include "model/model_source.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A reader of the metadata of one architecture. */
struct reader {
    const struct gguf *file;
    const char *name;
    struct str arch;
};

/* "llama.block_count" for "block_count". */
static const char *arch_key(const struct reader *r, const char *key, char out[96])
{
    (void)snprintf(out, 96, "%.*s.%s", STR_ARG(r->arch), key);
    return out;
}

static winnow_status read_u32(const struct reader *r, const char *key, bool required, uint32_t *out,
                              struct winnow_error *err)
{
    char full[96];
    uint64_t v = 0;
    (void)arch_key(r, key, full);
    if (!gguf_has(r->file, full) && !required) {
        return WINNOW_OK;
    }
    if (!gguf_u64(r->file, full, &v) || v >= UINT32_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" %s", r->name, full,
                         gguf_has(r->file, full) ? "is no whole number below 2^32"
                                                 : "is missing; the file holds no such model");
    }
    *out = (uint32_t)v;
    return WINNOW_OK;
}

/* A number stored as f32 is taken for the shortest decimal that has that f32,
 * so that 1e-5 stays 1e-5. */
static winnow_status read_real(const struct reader *r, const char *key, double *out,
                               struct winnow_error *err)
{
    char full[96], text[32];
    double v = 0;
    (void)arch_key(r, key, full);
    if (!gguf_has(r->file, full)) {
        return WINNOW_OK;
    }
    if (!gguf_f64(r->file, full, &v) || !(v > 0 && v < 1e30)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: \"%s\" is no positive number", r->name, full);
    }
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        *out = strtod(text, NULL);
        if ((float)*out == (float)v) {
            break;
        }
    }
    return WINNOW_OK;
}

/* Llama 3's factors for factor f, low and high 1 and 4, original context 8,192:
 * the only ones that were published.  Their largest is f itself. */
static double llama3_factor(double frequency, double f)
{
    const double low = 1, high = 4, context = 8192;
    double wavelength = 2 * 3.14159265358979323846 / frequency;
    if (wavelength < context / high) {
        return 1;
    }
    if (wavelength > context / low) {
        return f;
    }
    double smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / f + smooth);
}

static winnow_status read_rope_factors(const struct reader *r, struct model_config *c,
                                       struct winnow_error *err)
{
    const struct tensor_view *t = gguf_tensor_find(r->file, STR_LIT("rope_freqs.weight"));
    float factors[MODEL_HEAD_DIM_MAX / 2];
    uint32_t pairs = c->head_dim / 2;
    if (!t) {
        return WINNOW_OK;
    }
    bool known = t->type == TENSOR_F32 && t->dims == 1 && t->shape[0] == pairs &&
                 c->head_dim <= MODEL_HEAD_DIM_MAX && c->rope_scaling == ROPE_PLAIN;
    if (known) {
        double most = 1;
        tensor_to_f32(t->type, t->bytes.ptr, pairs, factors);
        for (uint32_t i = 0; i < pairs; i++) {
            most = fmax(most, (double)factors[i]);
        }
        for (uint32_t i = 0; i < pairs && known; i++) {
            double frequency = pow(c->rope_base, -2.0 * i / c->head_dim);
            known = fabs((double)factors[i] - llama3_factor(frequency, most)) < 1e-4 * most;
        }
        c->rope_scaling = ROPE_LLAMA3;
        c->rope_factor = most;
        c->rope_low = 1;
        c->rope_high = 4;
        c->rope_context = 8192;
    }
    return known ? WINNOW_OK
                 : error_set(err, WINNOW_E_FORMAT,
                             "%s: the rotary factors (rope_freqs.weight) are not those of Llama 3; "
                             "use the model's safetensors form",
                             r->name);
}

static winnow_status read_rope(const struct reader *r, struct model_config *c,
                               struct winnow_error *err)
{
    char key[96];
    struct str scaling = STR_LIT("none");
    uint32_t rotated = c->head_dim;
    TRY(read_real(r, "rope.freq_base", &c->rope_base, err));
    TRY(read_u32(r, "rope.dimension_count", false, &rotated, err));
    if (rotated != c->head_dim) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: rotary embedding of %" PRIu32 " of %" PRIu32
                         " dimensions is not supported",
                         r->name, rotated, c->head_dim);
    }
    (void)gguf_str(r->file, arch_key(r, "rope.scaling.type", key), &scaling);
    if (str_is(scaling, "linear")) {
        c->rope_scaling = ROPE_LINEAR;
        TRY(read_real(r, "rope.scaling.factor", &c->rope_factor, err));
    } else if (!str_is(scaling, "none")) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: rope scaling \"%.*s\" is not supported; none and linear are", r->name,
                         scaling.len > 60 ? 60 : (int)scaling.len, scaling.ptr);
    }
    return read_rope_factors(r, c, err);
}

static uint32_t read_token(const struct gguf *file, const char *key, uint32_t none)
{
    uint64_t id = 0;
    return gguf_u64(file, key, &id) && id < UINT32_MAX ? (uint32_t)id : none;
}

static winnow_status read_sizes(const struct reader *r, struct model_config *c,
                                struct winnow_error *err)
{
    uint32_t experts = 0;
    const struct tensor_view *embed = gguf_tensor_find(r->file, STR_LIT("token_embd.weight"));
    if (!embed || embed->dims != 2 || embed->shape[0] >= UINT32_MAX) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"token_embd.weight\" is missing; the file holds a vocabulary "
                         "alone, or one part of a split model",
                         r->name);
    }
    c->vocab = (uint32_t)embed->shape[0];
    TRY(read_u32(r, "expert_count", false, &experts, err));
    if (experts > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: mixtures of experts are not supported",
                         r->name);
    }
    TRY(read_u32(r, "embedding_length", true, &c->dim, err));
    TRY(read_u32(r, "feed_forward_length", true, &c->ffn, err));
    TRY(read_u32(r, "block_count", true, &c->layers, err));
    TRY(read_u32(r, "attention.head_count", true, &c->heads, err));
    c->kv_heads = c->heads;
    TRY(read_u32(r, "attention.head_count_kv", false, &c->kv_heads, err));
    c->head_dim = c->heads > 0 ? c->dim / c->heads : 0;
    TRY(read_u32(r, "attention.key_length", false, &c->head_dim, err));
    TRY(read_u32(r, "context_length", false, &c->context, err));
    return read_real(r, "attention.layer_norm_rms_epsilon", &c->norm_eps, err);
}

winnow_status gguf_model_config(const struct gguf *file, const char *name, struct model_config *out,
                                struct winnow_error *err)
{
    struct reader r = {.file = file, .name = name, .arch = {"", 0}};
    (void)gguf_str(file, "general.architecture", &r.arch);
    if (!str_is(r.arch, "llama") && !str_is(r.arch, "qwen2")) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: architecture \"%.*s\" is not supported; llama and qwen2 are", name,
                         r.arch.len > 60 ? 60 : (int)r.arch.len, r.arch.ptr);
    }
    *out = (struct model_config)MODEL_CONFIG_INIT;
    TRY(read_sizes(&r, out, err));
    TRY(read_rope(&r, out, err));
    out->bos = read_token(file, "tokenizer.ggml.bos_token_id", MODEL_NO_TOKEN);
    out->eos = read_token(file, "tokenizer.ggml.eos_token_id", MODEL_NO_TOKEN);
    out->tied = !gguf_tensor_find(file, STR_LIT("output.weight"));
    out->qkv_bias = gguf_tensor_find(file, STR_LIT("blk.0.attn_q.bias"));
    out->out_bias = gguf_tensor_find(file, STR_LIT("blk.0.attn_output.bias"));
    out->mlp_bias = gguf_tensor_find(file, STR_LIT("blk.0.ffn_up.bias"));
    winnow_status st = model_config_check(out, err);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", name);
}

/* GGUF's name of a tensor. */
static void tensor_name(const struct model_tensor *t, char out[64])
{
    static const char *const NAMES[TENSOR_ROLES] = {
        [TENSOR_EMBED] = "token_embd.weight", [TENSOR_NORM] = "output_norm.weight",
        [TENSOR_HEAD] = "output.weight",      [TENSOR_NORM1] = "attn_norm.weight",
        [TENSOR_Q] = "attn_q.weight",         [TENSOR_K] = "attn_k.weight",
        [TENSOR_V] = "attn_v.weight",         [TENSOR_Q_BIAS] = "attn_q.bias",
        [TENSOR_K_BIAS] = "attn_k.bias",      [TENSOR_V_BIAS] = "attn_v.bias",
        [TENSOR_O] = "attn_output.weight",    [TENSOR_O_BIAS] = "attn_output.bias",
        [TENSOR_NORM2] = "ffn_norm.weight",   [TENSOR_GATE] = "ffn_gate.weight",
        [TENSOR_UP] = "ffn_up.weight",        [TENSOR_DOWN] = "ffn_down.weight",
        [TENSOR_GATE_BIAS] = "ffn_gate.bias", [TENSOR_UP_BIAS] = "ffn_up.bias",
        [TENSOR_DOWN_BIAS] = "ffn_down.bias",
    };
    if (t->role == TENSOR_EMBED || t->role == TENSOR_NORM || t->role == TENSOR_HEAD) {
        (void)snprintf(out, 64, "%s", NAMES[t->role]);
    } else {
        (void)snprintf(out, 64, "blk.%" PRIu32 ".%s", t->layer, NAMES[t->role]);
    }
}

static bool has_rotary_rows(enum tensor_role role)
{
    return role == TENSOR_Q || role == TENSOR_K || role == TENSOR_Q_BIAS || role == TENSOR_K_BIAS;
}

static winnow_status bind_weights(const struct gguf *file, struct model *m,
                                  struct winnow_error *err)
{
    const char *name = gguf_name(file);
    struct str arch = {"", 0};
    size_t used = 0;
    (void)gguf_str(file, "general.architecture", &arch);
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        char theirs[64];
        tensor_name(t, theirs);
        bool interleaved = str_is(arch, "llama") && has_rotary_rows(t->role);
        struct model_source source = {.view = gguf_tensor_find(file, str_of(theirs)),
                                      .file = name,
                                      .interleaved = interleaved ? model_config(m)->head_dim : 0};
        if (!source.view) {
            return model_source_missing(name, theirs, err);
        }
        TRY(model_bind(m, t, &source, err));
        used++;
    }
    used += gguf_tensor_find(file, STR_LIT("rope_freqs.weight")) != NULL;
    if (used != gguf_tensor_count(file)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %zu of %zu tensors belong to no part of the model that the metadata "
                         "describes; scores without them would be wrong",
                         name, gguf_tensor_count(file) - used, gguf_tensor_count(file));
    }
    return WINNOW_OK;
}

/* Whether a text starts with the token of its beginning, where the file does
 * not say: llama.cpp's own answer by kind of tokenizer. */
static bool adds_bos_by_default(enum tokenizer_kind kind, struct str pre)
{
    return kind == TOKENIZER_SPM || str_is(pre, "llama-bpe") || str_is(pre, "llama3") ||
           str_is(pre, "llama-v3");
}

/* Everything but the arrays. */
static winnow_status read_tokenizer_keys(const struct gguf *file, const char *name,
                                         struct tokenizer_arrays *a, struct winnow_error *err)
{
    struct str model = {"", 0};
    (void)gguf_str(file, "tokenizer.ggml.model", &model);
    if (!str_is(model, "gpt2") && !str_is(model, "llama")) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tokenizer model \"%.*s\" is not supported; gpt2 and llama are", name,
                         model.len > 60 ? 60 : (int)model.len, model.ptr);
    }
    a->kind = str_is(model, "gpt2") ? TOKENIZER_BYTE_LEVEL : TOKENIZER_SPM;
    (void)gguf_str(file, "tokenizer.ggml.pre", &a->pre);
    a->bos = read_token(file, "tokenizer.ggml.bos_token_id", TOKENIZER_NONE);
    a->eos = read_token(file, "tokenizer.ggml.eos_token_id", TOKENIZER_NONE);
    a->unk = read_token(file, "tokenizer.ggml.unknown_token_id", TOKENIZER_NONE);
    a->add_bos = adds_bos_by_default(a->kind, a->pre);
    a->add_space_prefix = a->kind == TOKENIZER_SPM;
    (void)gguf_bool(file, "tokenizer.ggml.add_bos_token", &a->add_bos);
    (void)gguf_bool(file, "tokenizer.ggml.add_eos_token", &a->add_eos);
    (void)gguf_bool(file, "tokenizer.ggml.add_space_prefix", &a->add_space_prefix);
    return WINNOW_OK;
}

static winnow_status read_tokenizer_arrays(const struct gguf *file, const char *name,
                                           struct arena *keep, struct tokenizer_arrays *a,
                                           struct winnow_error *err)
{
    struct str *tokens = NULL, *merges = NULL;
    float *scores = NULL;
    int32_t *types = NULL;
    size_t scored = 0, typed = 0;
    bool byte_level = a->kind == TOKENIZER_BYTE_LEVEL;
    bool found = gguf_strings(file, "tokenizer.ggml.tokens", keep, &tokens, &a->token_count);
    if (byte_level) {
        found =
            gguf_strings(file, "tokenizer.ggml.merges", keep, &merges, &a->merge_count) && found;
    } else {
        found = gguf_floats(file, "tokenizer.ggml.scores", keep, &scores, &scored) &&
                scored == a->token_count && found;
    }
    bool has_types = gguf_i32s(file, "tokenizer.ggml.token_type", keep, &types, &typed);
    if (!found || (has_types && typed != a->token_count)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the tokenizer lacks its tokens, %s, or they differ in number; use a "
                         "file converted with its vocabulary",
                         name, byte_level ? "merges" : "scores");
    }
    if (!tokens || (byte_level ? !merges : !scores) || (has_types && !types)) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for a vocabulary of %zu tokens", name,
                         a->token_count);
    }
    uint32_t *kinds = has_types ? arena_try_alloc(keep, typed, sizeof *kinds) : NULL;
    for (size_t i = 0; i < typed && kinds; i++) {
        kinds[i] = types[i] < 0 ? 0 : (uint32_t)types[i];
    }
    if (has_types && !kinds) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %zu token types", name, typed);
    }
    a->tokens = tokens;
    a->merges = merges;
    a->scores = scores;
    a->types = kinds;
    return WINNOW_OK;
}

winnow_status gguf_model_tokenizer(const struct gguf *file, const char *name,
                                   struct tokenizer **out, struct winnow_error *err)
{
    struct tokenizer_arrays a = {.pre = {"", 0}};
    struct arena keep;
    *out = NULL;
    TRY(read_tokenizer_keys(file, name, &a, err));
    arena_init(&keep, (size_t)1 << 20);
    winnow_status st = read_tokenizer_arrays(file, name, &keep, &a, err);
    if (st == WINNOW_OK) {
        st = tokenizer_from_arrays(&a, out, err);
        st = st == WINNOW_OK ? st : error_wrap(err, st, "%s", name);
    }
    arena_release(&keep);
    return st;
}

winnow_status gguf_load_config(const char *path, struct model_config *out, struct winnow_error *err)
{
    struct gguf *file = NULL;
    TRY(gguf_open(path, &file, err));
    winnow_status st = gguf_model_config(file, path, out, err);
    gguf_close(file);
    return st;
}

winnow_status gguf_load_tokenizer(const char *path, struct tokenizer **out,
                                  struct winnow_error *err)
{
    struct gguf *file = NULL;
    *out = NULL;
    TRY(gguf_open(path, &file, err));
    winnow_status st = gguf_model_tokenizer(file, path, out, err);
    gguf_close(file);
    return st;
}

/* Numbers of all tensors whose type is known. */
static uint64_t count_elements(const struct gguf *file)
{
    uint64_t elements = 0;
    for (size_t i = 0; i < gguf_tensor_count(file); i++) {
        const struct tensor_view *t = gguf_tensor_at(file, i);
        uint64_t count = 0;
        if (t->type != TENSOR_OTHER && tensor_elements(t->shape, t->dims, &count)) {
            elements += count;
        }
    }
    return elements;
}

static void close_file(void *file)
{
    gguf_close(file);
}

winnow_status gguf_open_model(const char *path, struct model **out, struct winnow_error *err)
{
    struct gguf *file = NULL;
    struct model *m = NULL;
    struct model_config config;
    *out = NULL;
    TRY(gguf_open(path, &file, err));
    winnow_status st = gguf_model_config(file, path, &config, err);
    if (st == WINNOW_OK) {
        st = model_source_check(&config, count_elements(file), path, err);
    }
    if (st != WINNOW_OK) {
        gguf_close(file);
        return st;
    }
    TRY(model_new_in_file(&config, file, close_file, &m, err));
    st = bind_weights(file, m, err);
    if (st != WINNOW_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return WINNOW_OK;
}
