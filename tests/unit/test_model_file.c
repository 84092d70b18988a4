#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "engine/engine.h"
#include "model/config_json.h"
#include "model/model_file.h"
#include "model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>

static const struct model_config SMALL = {.vocab = 40,
                                          .dim = 32,
                                          .layers = 2,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .head_dim = 8,
                                          .ffn = 48,
                                          .context = 64,
                                          .bos = 1,
                                          .eos = 2,
                                          .norm_eps = 1e-5,
                                          .rope_base = 10000,
                                          .rope_factor = 1,
                                          .rope_low = 1,
                                          .rope_high = 4,
                                          .tied = true};

/* A scratch folder for each test. */
struct scratch {
    char folder[32];
    struct buf path;
};

static int scratch_make(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/winnow-test-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    *state = s;
    return 0;
}

static int scratch_remove(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    buf_release(&s->path);
    assert_ok(file_remove_tree(s->folder, &err), err);
    free(s);
    return 0;
}

static const char *in(struct scratch *s, const char *name)
{
    return file_join(&s->path, s->folder, name);
}

static struct model *random_model(const struct model_config *c)
{
    struct model *m = NULL;
    struct winnow_error err;
    assert_ok(model_new(c, &m, &err), err);
    model_init_random(m, 3);
    return m;
}

static void assert_same_model(const struct model *a, const struct model *b)
{
    assert_int_equal(model_values_count(a), model_values_count(b));
    assert_memory_equal(model_values_const(a), model_values_const(b),
                        model_values_count(a) * sizeof(float));
}

static void config_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct model_config c[5];
    for (size_t i = 0; i < 5; i++) {
        c[i] = SMALL;
    }
    c[1].tied = false;
    c[1].bos = MODEL_NO_TOKEN;
    c[1].head_dim = 12;
    c[2].qkv_bias = c[2].out_bias = c[2].mlp_bias = true;
    c[3].qkv_bias = true;
    c[3].rope_scaling = ROPE_LINEAR;
    c[3].rope_factor = 2.5;
    c[4].rope_scaling = ROPE_LLAMA3;
    c[4].rope_base = 500000;
    c[4].rope_factor = 8;
    c[4].rope_low = 1.5;
    c[4].rope_high = 3;
    c[4].rope_context = 32;
    for (size_t i = 0; i < 5; i++) {
        struct buf text = {0};
        struct winnow_error err;
        struct model_config back;
        assert_ok(config_json_write(&c[i], TENSOR_F32, &text, &err), err);
        assert_ok(config_json_parse(buf_str(&text), "config.json", &back, &err), err);
        assert_int_equal(back.vocab, c[i].vocab);
        assert_int_equal(back.head_dim, c[i].head_dim);
        assert_int_equal(back.kv_heads, c[i].kv_heads);
        assert_int_equal(back.context, c[i].context);
        assert_int_equal(back.bos, c[i].bos);
        assert_int_equal(back.eos, c[i].eos);
        assert_int_equal(back.tied, c[i].tied);
        assert_int_equal(back.qkv_bias, c[i].qkv_bias);
        assert_int_equal(back.out_bias, c[i].out_bias);
        assert_int_equal(back.mlp_bias, c[i].mlp_bias);
        assert_int_equal(back.rope_scaling, c[i].rope_scaling);
        assert_true(back.norm_eps == c[i].norm_eps && back.rope_base == c[i].rope_base);
        assert_true(back.rope_factor == c[i].rope_factor && back.rope_low == c[i].rope_low);
        assert_true(back.rope_high == c[i].rope_high);
        assert_int_equal(back.rope_context, c[i].rope_context);
        buf_release(&text);
    }
}

#define SIZES                                                        \
    "\"vocab_size\":40,\"hidden_size\":32,\"intermediate_size\":48," \
    "\"num_hidden_layers\":2,\"num_attention_heads\":4"

static void config_without_a_key_means_what_transformers_means(void **state)
{
    (void)state;
    struct model_config c;
    struct winnow_error err;
    assert_ok(config_json_parse(STR_LIT("{\"model_type\":\"llama\"," SIZES
                                        ",\"eos_token_id\":[7,9],\"rope_scaling\":null}"),
                                "config.json", &c, &err),
              err);
    assert_int_equal(c.kv_heads, 4);
    assert_int_equal(c.head_dim, 8);
    assert_int_equal(c.context, 2048);
    assert_int_equal(c.bos, 1);
    assert_int_equal(c.eos, 7);
    assert_false(c.tied || c.qkv_bias || c.out_bias || c.mlp_bias);
    assert_true(c.norm_eps == 1e-6 && c.rope_base == 10000);
    assert_ok(
        config_json_parse(STR_LIT("{\"model_type\":\"mistral\"," SIZES ",\"num_key_value_heads\":2,"
                                  "\"sliding_window\":512,\"max_position_embeddings\":4096}"),
                          "config.json", &c, &err),
        err);
    assert_int_equal(c.context, 512);
    assert_ok(config_json_parse(STR_LIT("{\"model_type\":\"qwen2\"," SIZES
                                        ",\"use_sliding_window\":false,"
                                        "\"sliding_window\":512,\"bos_token_id\":3}"),
                                "config.json", &c, &err),
              err);
    assert_true(c.qkv_bias && !c.out_bias);
    assert_int_equal(c.context, 2048);
    assert_int_equal(c.bos, 3);
    assert_int_equal(c.eos, MODEL_NO_TOKEN);
}

static void config_that_means_another_computation_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } BAD[] = {
        {"[]", "no JSON object"},
        {"{\"a\":", "not JSON"},
        {"{}", "\"vocab_size\" is missing"},
        {"{" SIZES "}", "model_type \"\""},
        {"{\"model_type\":\"gemma\"," SIZES "}", "model_type \"gemma\""},
        {"{\"model_type\":\"llama\"," SIZES ",\"hidden_act\":\"gelu\"}", "hidden_act \"gelu\""},
        {"{\"model_type\":\"llama\"," SIZES ",\"head_dim\":7}", "odd"},
        {"{\"model_type\":\"llama\"," SIZES ",\"head_dim\":-8}", "whole number"},
        {"{\"model_type\":\"llama\"," SIZES ",\"num_key_value_heads\":3}", "share"},
        {"{\"model_type\":\"llama\"," SIZES ",\"rope_theta\":\"x\"}", "positive number"},
        {"{\"model_type\":\"llama\"," SIZES ",\"tie_word_embeddings\":1}", "neither true nor"},
        {"{\"model_type\":\"llama\"," SIZES ",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":2}}",
         "\"yarn\""},
        {"{\"model_type\":\"llama\"," SIZES ",\"rope_scaling\":{\"type\":\"linear\"}}", "factor"},
        {"{\"model_type\":\"llama\"," SIZES ",\"quantization_config\":{}}", "quantised"},
        {"{\"model_type\":\"llama\",\"vocab_size\":99999999999}", "below 2^32"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct model_config c;
        struct winnow_error err = {""};
        assert_int_equal(config_json_parse(str_of(BAD[i].json), "config.json", &c, &err),
                         WINNOW_E_FORMAT);
        if (!strstr(err.text, BAD[i].says) || !strstr(err.text, "config.json")) {
            fail_msg("%s gives '%s', expected '%s'", BAD[i].json, err.text, BAD[i].says);
        }
    }
}

static void model_folder_gives_back_the_model(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    struct model *m = random_model(&SMALL), *back = NULL;
    assert_ok(model_save(m, in(s, "a/b"), TENSOR_F32, &err), err);
    assert_ok(model_load(in(s, "a/b"), &back, &err), err);
    assert_same_model(m, back);
    model_free(back);
    assert_ok(model_save(m, in(s, "half"), TENSOR_BF16, &err), err);
    assert_ok(model_load(in(s, "half"), &back, &err), err);
    for (size_t i = 0; i < model_values_count(m); i++) {
        float want = f32_from_bf16(bf16_from_f32(model_values_const(m)[i]));
        assert_true(model_values_const(back)[i] == want);
    }
    model_free(back);
    model_free(m);
}

/* The first tensors of m, from..to-1, as a safetensors file, plus maybe one more. */
static void write_tensors(const struct model *m, size_t from, size_t to, const char *path,
                          const struct safetensors_item *extra)
{
    struct safetensors_item items[64];
    struct winnow_error err;
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        items[n++] = (struct safetensors_item){.name = t->name,
                                               .values = model_data_const(m, t),
                                               .shape = {t->rows, t->cols},
                                               .dims = t->vector ? 1 : 2};
    }
    if (extra) {
        items[n++] = *extra;
    }
    assert_ok(safetensors_write(path, items, n, TENSOR_F32, &err), err);
}

static void write_text(const char *path, const char *text)
{
    struct winnow_error err;
    assert_ok(file_write_atomic(path, str_of(text), &err), err);
}

static void model_in_shards_is_read_through_its_index(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    struct model *m = random_model(&SMALL), *back = NULL;
    size_t n = model_tensor_count(m);
    assert_ok(model_save(m, s->folder, TENSOR_F32, &err), err);
    assert_int_equal(remove(in(s, "model.safetensors")), 0);
    write_tensors(m, 0, 5, in(s, "model-00001-of-00002.safetensors"), NULL);
    write_tensors(m, 5, n, in(s, "model-00002-of-00002.safetensors"), NULL);
    write_text(
        in(s, "model.safetensors.index.json"),
        "{\"metadata\":{},\"weight_map\":{\"x\":\"model-00001-of-00002.safetensors\","
        "\"y\":\"model-00002-of-00002.safetensors\",\"z\":\"model-00001-of-00002.safetensors\"}}");
    assert_ok(model_load(s->folder, &back, &err), err);
    assert_same_model(m, back);
    model_free(back);
    write_tensors(m, 4, n, in(s, "model-00002-of-00002.safetensors"), NULL);
    assert_int_equal(model_load(s->folder, &back, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "in another shard"));
    static const char *const BAD[] = {"{\"weight_map\":{\"x\":\"../model.safetensors\"}}",
                                      "{\"weight_map\":{\"x\":\"/etc/passwd\"}}",
                                      "{\"weight_map\":{\"x\":3}}",
                                      "{\"weight_map\":{}}",
                                      "[]",
                                      "{"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        write_text(in(s, "model.safetensors.index.json"), BAD[i]);
        assert_int_equal(model_load(s->folder, &back, &err), WINNOW_E_FORMAT);
        assert_null(back);
    }
    model_free(m);
}

static void refuse_load(const char *path, const char *says)
{
    struct model *back = NULL;
    struct winnow_error err = {""};
    assert_int_equal(model_load(path, &back, &err), WINNOW_E_FORMAT);
    assert_null(back);
    if (!strstr(err.text, says)) {
        fail_msg("got '%s', expected '%s'", err.text, says);
    }
}

static void weights_that_do_not_fit_the_config_are_refused(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    struct model *m = random_model(&SMALL);
    size_t n = model_tensor_count(m);
    assert_ok(model_save(m, s->folder, TENSOR_F32, &err), err);
    struct buf path = {0};
    const char *file = file_join(&path, s->folder, "model.safetensors");

    write_tensors(m, 0, n - 1, file, NULL);
    refuse_load(s->folder, "\"model.norm.weight\" is missing");

    float numbers[40 * 32] = {0};
    struct safetensors_item extra = {.name = "model.layers.0.self_attn.q_norm.weight",
                                     .values = numbers,
                                     .shape = {8},
                                     .dims = 1};
    write_tensors(m, 0, n, file, &extra);
    refuse_load(s->folder, "\"model.layers.0.self_attn.q_norm.weight\" belongs to no part");

    extra.name = "model.norm.weight";
    extra.shape[0] = 31;
    write_tensors(m, 0, n - 1, file, &extra);
    refuse_load(s->folder, "is 31 where the config needs 32");

    extra.shape[0] = 32;
    extra.shape[1] = 1;
    extra.dims = 2;
    write_tensors(m, 0, n - 1, file, &extra);
    refuse_load(s->folder, "is 32 x 1 where the config needs 32");

    extra.dims = 1;
    numbers[7] = NAN;
    write_tensors(m, 0, n - 1, file, &extra);
    refuse_load(s->folder, "NaN or infinity");

    /* What transformers' own files may hold beside the weights. */
    struct model *back = NULL;
    extra = (struct safetensors_item){
        .name = "lm_head.weight", .values = numbers, .shape = {40, 32}, .dims = 2};
    write_tensors(m, 0, n, file, &extra);
    assert_ok(model_load(s->folder, &back, &err), err);
    assert_same_model(m, back);
    model_free(back);

    /* A config that lies about its size costs no memory. */
    struct model_config large = SMALL;
    struct buf text = {0};
    large.dim = 1 << 20;
    large.ffn = 1 << 20;
    large.layers = 4000;
    assert_ok(config_json_write(&large, TENSOR_F32, &text, &err), err);
    write_text(in(s, "config.json"), buf_cstr(&text));
    refuse_load(s->folder, "different models");

    write_text(in(s, "config.json"), "{\"model_type\":\"bert\"}");
    refuse_load(s->folder, "config.json");
    assert_int_equal(remove(in(s, "config.json")), 0);
    assert_int_equal(model_load(s->folder, &back, &err), WINNOW_E_IO);
    buf_release(&text);
    buf_release(&path);
    model_free(m);
}

/* dtype: a file of integers under the names of weights. */
static void weights_of_another_type_are_refused(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    struct model *m = random_model(&SMALL);
    struct buf bytes = {0};
    assert_ok(model_save(m, s->folder, TENSOR_F32, &err), err);
    assert_ok(file_read(in(s, "model.safetensors"), SIZE_MAX, &bytes, &err), err);
    size_t at = 0;
    while ((at = str_find(buf_str(&bytes), STR_LIT("\"F32\""))) != SIZE_MAX) {
        memcpy(bytes.ptr + at, "\"I32\"", 5);
    }
    assert_ok(file_write_atomic(in(s, "model.safetensors"), buf_str(&bytes), &err), err);
    refuse_load(s->folder, "has type I32, which cannot be read");
    buf_release(&bytes);
    model_free(m);
}

/* ---- GGUF: a small writer of what llama.cpp's converter would make ---- */

static void put_u32(struct buf *b, uint32_t v)
{
    buf_add(b, &v, sizeof v);
}

static void put_u64(struct buf *b, uint64_t v)
{
    buf_add(b, &v, sizeof v);
}

static void put_string(struct buf *b, const char *text)
{
    put_u64(b, strlen(text));
    buf_add_text(b, text);
}

static void put_pair_u32(struct buf *b, const char *key, uint32_t v)
{
    put_string(b, key);
    put_u32(b, 4);
    put_u32(b, v);
}

static void put_pair_f32(struct buf *b, const char *key, float v)
{
    put_string(b, key);
    put_u32(b, 6);
    buf_add(b, &v, sizeof v);
}

static void gguf_name(const struct model_tensor *t, char out[64])
{
    static const struct {
        enum tensor_role role;
        const char *name;
    } NAMES[] = {{TENSOR_NORM1, "attn_norm"}, {TENSOR_Q, "attn_q"},      {TENSOR_K, "attn_k"},
                 {TENSOR_V, "attn_v"},        {TENSOR_O, "attn_output"}, {TENSOR_NORM2, "ffn_norm"},
                 {TENSOR_GATE, "ffn_gate"},   {TENSOR_UP, "ffn_up"},     {TENSOR_DOWN, "ffn_down"}};
    if (t->role == TENSOR_EMBED || t->role == TENSOR_NORM) {
        (void)snprintf(out, 64, "%s",
                       t->role == TENSOR_NORM ? "output_norm.weight" : "token_embd.weight");
        return;
    }
    if (t->role == TENSOR_HEAD) {
        (void)snprintf(out, 64, "output.weight");
        return;
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (NAMES[i].role == t->role) {
            (void)snprintf(out, 64, "blk.%u.%s.weight", t->layer, NAMES[i].name);
        }
    }
}

/* Row r of the file for q and k: of each head, halves become neighbours. */
static size_t interleaved(size_t r, size_t head_dim)
{
    size_t head = r / head_dim, in_head = r % head_dim;
    return head * head_dim + (in_head % 2) * (head_dim / 2) + in_head / 2;
}

/* The matrices' type, by ggml's number; f32 holds the model's own numbers, any
 * other type blocks of arbitrary bytes. */
struct matrix_type {
    enum tensor_type type;
    uint32_t number;
};

static uint64_t tensor_size(const struct model_tensor *t, enum tensor_type type)
{
    uint64_t bytes = 0;
    assert_true(tensor_bytes(t->vector ? TENSOR_F32 : type, (uint64_t)t->rows * t->cols, &bytes));
    return bytes;
}

/* Bytes of which no two in a row are an f16 that is large or not finite. */
static void put_noise(struct buf *b, uint64_t bytes, struct rng *r)
{
    for (uint64_t i = 0; i < bytes; i++) {
        buf_add_char(b, (char)(rng_u64(r) & 0x3BU));
    }
}

static void put_gguf(struct buf *b, const struct model *m, struct matrix_type matrices)
{
    const struct model_config *c = model_config(m);
    buf_add_text(b, "GGUF");
    put_u32(b, 3);
    put_u64(b, model_tensor_count(m));
    put_u64(b, 9);
    put_string(b, "general.architecture");
    put_u32(b, 8);
    put_string(b, "llama");
    put_pair_u32(b, "llama.block_count", c->layers);
    put_pair_u32(b, "llama.embedding_length", c->dim);
    put_pair_u32(b, "llama.feed_forward_length", c->ffn);
    put_pair_u32(b, "llama.attention.head_count", c->heads);
    put_pair_u32(b, "llama.attention.head_count_kv", c->kv_heads);
    put_pair_u32(b, "llama.context_length", c->context);
    put_pair_f32(b, "llama.attention.layer_norm_rms_epsilon", (float)c->norm_eps);
    put_pair_f32(b, "llama.rope.freq_base", (float)c->rope_base);
    uint64_t at = 0;
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        char name[64] = "";
        gguf_name(t, name);
        put_string(b, name);
        put_u32(b, t->vector ? 1 : 2);
        if (!t->vector) {
            put_u64(b, t->cols);
        }
        put_u64(b, t->rows);
        put_u32(b, t->vector ? 0 : matrices.number);
        put_u64(b, at);
        at += (tensor_size(t, matrices.type) + 31) & ~31ULL;
    }
    struct rng r;
    rng_init(&r, 1, "noise");
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        while (b->len % 32 != 0) {
            buf_add_char(b, 0);
        }
        if (!t->vector && matrices.type != TENSOR_F32) {
            put_noise(b, tensor_size(t, matrices.type), &r);
            continue;
        }
        for (size_t row = 0; row < t->rows; row++) {
            bool rotary = t->role == TENSOR_Q || t->role == TENSOR_K;
            size_t from = rotary ? interleaved(row, c->head_dim) : row;
            buf_add(b, model_data_const(m, t) + from * t->cols, t->cols * sizeof(float));
        }
    }
}

static void gguf_of_a_model_gives_it_back(void **state)
{
    struct scratch *s = *state;
    struct winnow_error err;
    struct model *m = random_model(&SMALL), *back = NULL;
    struct buf bytes = {0};
    put_gguf(&bytes, m, (struct matrix_type){TENSOR_F32, 0});
    assert_ok(file_write_atomic(in(s, "m.gguf"), buf_str(&bytes), &err), err);
    assert_ok(model_load(in(s, "m.gguf"), &back, &err), err);
    assert_same_model(m, back);
    assert_true(model_config(back)->norm_eps == 1e-5); /* not 9.99999974e-06 */
    model_free(back);

    assert_ok(file_write_atomic(in(s, "m.gguf"), str_sub(buf_str(&bytes), 0, bytes.len - 4), &err),
              err);
    refuse_load(in(s, "m.gguf"), "cut short");
    memcpy(bytes.ptr + str_find(buf_str(&bytes), STR_LIT("output_norm")), "output_abcd", 11);
    assert_ok(file_write_atomic(in(s, "m.gguf"), buf_str(&bytes), &err), err);
    refuse_load(in(s, "m.gguf"), "\"output_norm.weight\" is missing");
    buf_release(&bytes);
    model_free(m);
}

/* ---- models that stay in their file ---- */

/* Large enough for several pieces of packing, with a last one that is no whole panel. */
static struct model_config wide_config(bool tied, bool biases)
{
    struct model_config c = SMALL;
    c.vocab = 4500;
    c.dim = 256;
    c.head_dim = 64;
    c.ffn = 512;
    c.tied = tied;
    c.qkv_bias = c.out_bias = c.mlp_bias = biases;
    return c;
}

/* Biases and norms that matter. */
static struct model *disturbed_model(const struct model_config *c)
{
    struct model *m = random_model(c);
    struct rng r;
    rng_init(&r, 2, "disturb");
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        for (size_t j = 0; t->vector && j < t->rows; j++) {
            model_data(m, t)[j] += 0.1F * (float)rng_normal(&r);
        }
    }
    return m;
}

#define TEXT 40U

/* borrowed: by an engine that computes with another one's packed weights. */
static float *logits_of(const struct model *m, enum engine_compute compute, uint32_t threads,
                        bool borrowed)
{
    struct pool *pool = pool_new(threads);
    struct winnow_env env = {.threads = threads};
    struct engine_options opt = {.compute = compute, .tokens_max = TEXT};
    struct winnow_error err;
    struct engine *e = NULL, *lender = NULL;
    uint32_t tokens[TEXT], starts[2] = {0, TEXT}, vocab = model_config(m)->vocab;
    for (uint32_t i = 0; i < TEXT; i++) {
        tokens[i] = i * i * 31 % vocab;
    }
    float *logits = malloc(sizeof *logits * TEXT * vocab);
    struct token_batch b = {.tokens = tokens, .starts = starts, .sequences = 1};
    assert_non_null(logits);
    if (borrowed) {
        assert_ok(engine_new(m, pool, &opt, &env, &lender, &err), err);
        opt.weights = lender;
    }
    assert_ok(engine_new(m, pool, &opt, &env, &e, &err), err);
    assert_true(!borrowed || engine_bytes(e) < engine_bytes(lender));
    assert_ok(engine_logits(e, &b, logits, &err), err);
    engine_free(e);
    engine_free(lender);
    pool_free(pool);
    return logits;
}

/* The slow twin of a model in its file is the one in memory. */
static void assert_opens_as_it_loads(const char *path)
{
    struct winnow_error err;
    struct model *loaded = NULL, *opened = NULL;
    assert_ok(model_load(path, &loaded, &err), err);
    assert_ok(model_open(path, &opened, &err), err);
    assert_true(model_in_file(opened) && !model_in_file(loaded));
    assert_true(model_hash(loaded) == model_hash(opened));
    assert_ok(model_check_numbers(opened, &err), err);
    size_t bytes = sizeof(float) * TEXT * model_config(loaded)->vocab;
    for (enum engine_compute compute = ENGINE_F32; compute <= ENGINE_INT8; compute++) {
        float *want = logits_of(loaded, compute, 1, false);
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            float *got = logits_of(opened, compute, threads, threads > 1);
            assert_memory_equal(got, want, bytes);
            free(got);
        }
        free(want);
    }
    model_free(loaded);
    model_free(opened);
}

static void opened_folder_computes_what_a_loaded_one_does(void **state)
{
    struct scratch *s = *state;
    static const enum tensor_type TYPES[] = {TENSOR_F32, TENSOR_BF16, TENSOR_F16};
    for (size_t i = 0; i < 6; i++) {
        struct winnow_error err;
        struct model_config c = wide_config(i % 2 == 0, i >= 3);
        struct model *m = disturbed_model(&c);
        assert_ok(model_save(m, s->folder, TYPES[i / 2], &err), err);
        model_free(m);
        assert_opens_as_it_loads(s->folder);
    }
}

/* Judged by the numbers themselves, a block of arbitrary bytes at a time. */
static void blocks_are_finite_where_their_numbers_are(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 3, "blocks");
    size_t finite = 0, other = 0;
    for (int i = 0; i < 200000; i++) {
        enum tensor_type type = (enum tensor_type)(i % TENSOR_OTHER);
        size_t count = (size_t)tensor_block_count(type);
        uint8_t block[256];
        float numbers[256];
        bool all = true;
        for (size_t k = 0; k < sizeof block; k++) {
            block[k] = (uint8_t)rng_below(&r, 256);
        }
        for (size_t k = 0; k + 1 < sizeof block && rng_below(&r, 2) == 0; k++) {
            block[rng_below(&r, tensor_block_bytes(type))] |= 0x7C; /* more that are not */
        }
        tensor_to_f32(type, block, count, numbers);
        for (size_t k = 0; k < count; k++) {
            all = all && isfinite(numbers[k]);
        }
        finite += all;
        other += !all;
        assert_int_equal(tensor_all_finite(type, block, count), all);
    }
    assert_true(finite > 1000 && other > 1000);
}

static void opened_gguf_computes_what_a_loaded_one_does(void **state)
{
    struct scratch *s = *state;
    static const struct matrix_type TYPES[] = {
        {TENSOR_F32, 0},   {TENSOR_F16, 1},   {TENSOR_BF16, 30}, {TENSOR_Q8_0, 8},
        {TENSOR_Q4_0, 2},  {TENSOR_Q4_1, 3},  {TENSOR_Q5_0, 6},  {TENSOR_Q5_1, 7},
        {TENSOR_Q4_K, 12}, {TENSOR_Q5_K, 13}, {TENSOR_Q6_K, 14}};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        struct winnow_error err;
        struct model_config c = wide_config(i % 2 == 0, false);
        struct model *m = disturbed_model(&c);
        struct buf bytes = {0};
        put_gguf(&bytes, m, TYPES[i]);
        assert_ok(file_write_atomic(in(s, "m.gguf"), buf_str(&bytes), &err), err);
        buf_release(&bytes);
        model_free(m);
        assert_opens_as_it_loads(in(s, "m.gguf"));
    }
}

/* In the last row of the tensor of that role. */
static void refuse_nan(struct scratch *s, bool tied, enum tensor_role role, const char *says)
{
    struct winnow_error err = {""};
    struct model_config c = wide_config(tied, false);
    struct model *m = random_model(&c), *back = NULL;
    struct pool *pool = pool_new(2);
    struct winnow_env env = {.threads = 2};
    struct engine_options opt = {.compute = ENGINE_BF16, .tokens_max = TEXT};
    struct engine *e = NULL;
    const struct model_tensor *t = model_find_role(m, role, 0);
    model_data(m, t)[(size_t)t->rows * t->cols - 1] = NAN;
    assert_ok(model_save(m, s->folder, TENSOR_BF16, &err), err);
    assert_ok(model_open(s->folder, &back, &err), err);
    assert_int_equal(engine_new(back, pool, &opt, &env, &e, &err), WINNOW_E_FORMAT);
    assert_null(e);
    if (!strstr(err.text, says)) {
        fail_msg("got '%s', expected '%s'", err.text, says);
    }
    refuse_load(s->folder, says);
    model_free(back);
    model_free(m);
    pool_free(pool);
}

static void opened_model_with_a_nan_is_refused_by_its_engine(void **state)
{
    struct scratch *s = *state;
    refuse_nan(s, true, TENSOR_V, "self_attn.v_proj.weight\" holds NaN");
    refuse_nan(s, true, TENSOR_EMBED, "embed_tokens.weight\" holds NaN");
    refuse_nan(s, false, TENSOR_EMBED, "embed_tokens.weight\" holds NaN");
    refuse_nan(s, false, TENSOR_HEAD, "lm_head.weight\" holds NaN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_comes_back_as_it_was_written),
        cmocka_unit_test(config_without_a_key_means_what_transformers_means),
        cmocka_unit_test(config_that_means_another_computation_is_refused),
        cmocka_unit_test_setup_teardown(model_folder_gives_back_the_model, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(model_in_shards_is_read_through_its_index, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(weights_that_do_not_fit_the_config_are_refused,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(weights_of_another_type_are_refused, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(gguf_of_a_model_gives_it_back, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(blocks_are_finite_where_their_numbers_are),
        cmocka_unit_test_setup_teardown(opened_folder_computes_what_a_loaded_one_does, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(opened_gguf_computes_what_a_loaded_one_does, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(opened_model_with_a_nan_is_refused_by_its_engine,
                                        scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
