/* features.c -- the three steps in order, each from where an earlier call left it. */
#include "vectors/features.h"

#include "base/env.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "math/kernels.h"
#include "model/model_file.h"
#include "train/example_text.h"
#include "vectors/features_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#define DIM_FACTORED   4096U
#define DIM_HASHED     8192U
#define PROGRAM_BYTES  ((uint64_t)40 << 20)
#define NGRAMS_DIM_MAX 16384U

static winnow_status check_ngrams(const struct winnow_features_options *o, struct winnow_error *err)
{
    if (o->models.count > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--vectors ngrams needs no model: leave out --model, or say --vectors "
                         "states");
    }
    return o->dim <= NGRAMS_DIM_MAX
               ? WINNOW_OK
               : error_set(err, WINNOW_E_USAGE, "--dim %u: n-grams have %u numbers at most", o->dim,
                           NGRAMS_DIM_MAX);
}

winnow_status features_check(const struct winnow_features_options *o, struct winnow_error *err)
{
    if (o->rank % 8 != 0 || o->rank > EXAMPLE_RANK_MAX) {
        return error_set(err, WINNOW_E_USAGE, "--rank %u is no multiple of 8 up to %u", o->rank,
                         EXAMPLE_RANK_MAX);
    }
    if (!o->like && o->vectors == WINNOW_NGRAMS) {
        return check_ngrams(o, err);
    }
    if (!o->like && o->models.count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "it needs a model: --model FOLDER (a training's, with checkpoints, or "
                         "several times a checkpoint's)");
    }
    if (o->like && o->models.count > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--like %s takes the models of that store: leave out --model", o->like);
    }
    return WINNOW_OK;
}

/* ---- what the store will be ---- */

static uint32_t sketch_of(const struct winnow_features_options *o)
{
    if (o->vectors == WINNOW_HIDDEN_STATES) {
        return STORE_MEAN + (uint32_t)o->pooling;
    }
    return o->sketch == WINNOW_HASHED ? STORE_HASHED : STORE_FACTORED;
}

static uint32_t dim_of(const struct making *m, const struct model_config *c)
{
    const struct winnow_features_options *o = &m->opt;
    if (o->vectors == WINNOW_HIDDEN_STATES) {
        return c->dim;
    }
    if (o->sketch == WINNOW_HASHED) {
        return o->dim > 0 ? o->dim : DIM_HASHED;
    }
    uint64_t width = (uint64_t)c->layers * EXAMPLE_MATRICES * o->rank * o->rank;
    uint64_t dim = o->dim > 0 ? o->dim : DIM_FACTORED;
    return (uint32_t)(width < dim ? width : dim);
}

static winnow_status tokenizer_hash(const char *model, uint64_t *out, struct winnow_error *err)
{
    struct buf path = {0};
    struct hash128 h;
    const char *name = file_join(&path, model, "tokenizer.json");
    winnow_status st = file_hash(file_exists(name) ? name : model, &h, err);
    *out = st == WINNOW_OK ? h.low : 0;
    buf_release(&path);
    return st;
}

static winnow_status describe(struct making *m, const struct model_config *c,
                              struct winnow_error *err)
{
    const struct winnow_features_options *o = &m->opt;
    const char *kernels;
    bool gradients = o->vectors == WINNOW_GRADIENTS;
    TRY(kernels_asked(m->env->kernels, &kernels, err));
    m->writer.head = (struct store_head){
        .kind = gradients ? STORE_GRADIENT : STORE_HIDDEN,
        .sketch = sketch_of(o),
        .parts = (uint32_t)m->count,
        .dim = dim_of(m, c),
        .rows = m->texts.count,
        .seed = m->opt.like ? m->like.head->seed : m->env->seed,
        .rank = gradients && o->sketch == WINNOW_FACTORED ? o->rank : 0,
        .context = o->context,
        .form = EXAMPLE_FORM,
        .corpus = m->texts.hash,
        .kernels = hash128(str_of(kernels)),
    };
    return tokenizer_hash(m->models[0], &m->writer.head.tokenizer, err);
}

/* Models are loaded one at a time, and twice: what they are decides the head, which stands in
 * the file before any row. */
static winnow_status survey_models(struct making *m, struct winnow_error *err)
{
    size_t scaled = 0;
    for (size_t t = 0; t < m->count; t++) {
        struct checkpoint c;
        struct store_part *part = &m->writer.parts[t];
        winnow_status st = checkpoint_open(m, t, part, &c, err);
        if (st == WINNOW_OK && t == 0) {
            st = describe(m, model_config(c.model), err);
        } else if (st == WINNOW_OK && dim_of(m, model_config(c.model)) != m->writer.head.dim) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s and %s are models of different shapes: name "
                           "checkpoints of one training",
                           m->models[0], m->models[t]);
        }
        scaled += st == WINNOW_OK && c.moments;
        if (st == WINNOW_OK && m->writer.head.rank > 0) {
            st = checkpoint_project(m, t, part, &c, err);
        }
        checkpoint_close(&c);
        TRY(st);
    }
    if (scaled > 0 && scaled < m->count) {
        return error_set(err, WINNOW_E_USAGE,
                         "only %zu of %zu checkpoints have second moments "
                         "(" FEATURES_MOMENTS "): --raw leaves them out",
                         scaled, m->count);
    }
    m->writer.head.scaled = scaled > 0;
    return WINNOW_OK;
}

/* ---- room ---- */

/* What is cut, and what says nothing. */
static void tell_texts(const struct making *m)
{
    bool words = m->writer.head.kind == STORE_TEXT;
    uint64_t rows = m->writer.head.rows;
    if (m->texts.cut > 0) {
        struct buf most = {0};
        if (words) {
            buf_add_text(&most, "512 KB");
        } else {
            buf_addf(&most, "the context of %u tokens", m->writer.head.context);
        }
        env_log(m->env, WINNOW_LOG_WARNING,
                "%s%s%" PRIu64 " of %" PRIu64 " documents are longer than %s and are cut",
                m->job->of ? m->job->of : "", m->job->of ? ": " : "", m->texts.cut, rows,
                buf_cstr(&most));
        buf_release(&most);
    }
    if (m->texts.empty > 0) {
        env_log(m->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " of %" PRIu64 " documents have %s and get no vector", m->texts.empty,
                rows, words ? "no word" : "nothing to predict (no text, or no response)");
    }
}

winnow_status making_check_disk(const struct making *m, struct winnow_error *err)
{
    const struct store_head *h = &m->writer.head;
    uint64_t need = store_layout(h->rows, h->parts, h->dim).bytes;
    struct statvfs fs;
    env_log(m->env, WINNOW_LOG_INFO,
            "features: %" PRIu64 " documents, %" PRIu64 " tokens (%" PRIu64
            " with a loss), %u checkpoints of %u numbers: %.1f MB on disk",
            h->rows, m->texts.tokens, m->texts.targets, h->parts, h->dim, (double)need / 1e6);
    tell_texts(m);
    if (statvfs(m->job->work, &fs) != 0) {
        return WINNOW_OK;
    }
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    return m->writer.resumed || need <= room
               ? WINNOW_OK
               : error_set(err, WINNOW_E_LIMIT,
                           "%s has room for %.1f MB, the vectors take %.1f MB: "
                           "lower --dim, take fewer checkpoints, or the first documents (--limit)",
                           m->job->work, (double)room / 1e6, (double)need / 1e6);
}

/* The sketches of a batch, where they are folded to, and what makes them: projections (once more
 * packed, with what fits them) and projected tokens, or a scale of each weight. */
static uint64_t sketch_bytes(const struct making *m, const struct model_config *c, uint64_t tokens)
{
    const struct winnow_features_options *o = &m->opt;
    uint64_t dim = dim_of(m, c), matrices = (uint64_t)c->layers * EXAMPLE_MATRICES;
    if (o->vectors == WINNOW_HIDDEN_STATES) {
        return FEATURES_BATCH_TOKENS * dim * sizeof(float);
    }
    if (o->sketch == WINNOW_HASHED) {
        return (FEATURES_BATCH_ROWS + 1) * dim * sizeof(float) +
               model_config_parameters(c) * sizeof(float);
    }
    uint64_t sides = 0, widest = 0;
    for (int i = 0; i < EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(c, (enum example_matrix)i);
        sides += s.inputs + s.outputs;
        widest = s.inputs > widest ? s.inputs : widest;
        widest = s.outputs > widest ? s.outputs : widest;
    }
    uint64_t width = matrices * o->rank * o->rank, wide = o->rank + PROJECTIONS_SPARE;
    uint64_t made = (matrices + EXAMPLE_MATRICES) * tokens * o->rank +
                    2 * (uint64_t)c->layers * sides * o->rank + (FEATURES_BATCH_ROWS + 2) * width;
    uint64_t fitted = 2 * (uint64_t)c->layers * sides * wide + 5 * tokens * (widest + wide) +
                      2 * (uint64_t)o->calibration * o->context;
    return (made + fitted) * sizeof(float);
}

/* Of the engine, the model beside it and what rides on a pass; rows are counted as they come. */
static winnow_status check_memory(struct making *m, uint64_t *need, struct winnow_error *err)
{
    struct model_config c;
    TRY(model_load_config(m->models[0], &c, err));
    const struct engine_options opt = {.compute =
                                           m->opt.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32,
                                       .tokens_max = m->opt.context > 2048 ? m->opt.context : 2048,
                                       .gradients = m->opt.vectors == WINNOW_GRADIENTS};
    uint64_t weights = model_config_parameters(&c) * sizeof(float);
    *need = engine_memory(&c, &opt, pool_threads(m->pool)) + 3 * weights +
            sketch_bytes(m, &c, opt.tokens_max) + PROGRAM_BYTES +
            (m->job->of ? mem_resident() : 0); /* who makes a target's holds more */
    return memory_need(m->env->memory_max, "features", *need,
                       "lower --context, --rank or --dim, or use fewer threads (-t)", err);
}

/* ---- what people read ---- */

/* A forward pass a document and checkpoint; of gradients a pass back that forms none of weights,
 * and their projections, which are two products of `rank` columns beside every matrix. */
static double flops_of(const struct making *m)
{
    const struct store_head *h = &m->writer.head;
    struct model_config c;
    struct winnow_error unused;
    double sum = 0;
    if (m->count == 0 || model_load_config(m->models[0], &c, &unused) != WINNOW_OK) {
        return 0;
    }
    bool gradients = h->kind == STORE_GRADIENT;
    double sides = (double)c.layers *
                   ((2.0 * c.heads + 2.0 * c.kv_heads) * c.head_dim + 4.0 * c.dim + 3.0 * c.ffn);
    for (size_t i = 0; i < h->rows; i++) {
        uint32_t tokens = m->writer.rows[i].tokens;
        sum += (gradients ? 2 : 1) * model_config_flops(&c, tokens);
        sum += gradients ? 2.0 * h->rank * sides * tokens : 0;
    }
    return sum * h->parts;
}

static void write_card(const struct making *m, struct buf *out)
{
    static const char *const SKETCHES[] = {"factored", "hashed", "mean",
                                           "weighted", "last",   "n-grams"};
    static const char *const KINDS[] = {"gradients", "hidden states", "n-grams"};
    const struct store_head *h = &m->writer.head;
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "vectors", KINDS[h->kind]);
    json_member_text(&w, "sketch", SKETCHES[h->sketch]);
    json_member_u64(&w, "documents", h->rows);
    json_member_u64(&w, "dim", h->dim);
    json_member_u64(&w, "rank", h->rank);
    json_member_bool(&w, "scaled", h->scaled);
    json_member_u64(&w, "seed", h->seed);
    json_member_u64(&w, "context", h->context);
    json_member_u64(&w, "compute", (uint64_t)m->opt.compute);
    json_member_double(&w, "flops", flops_of(m));
    json_member_open(&w, "models", '[');
    for (size_t i = 0; i < m->count; i++) {
        json_text(&w, m->models[i]);
    }
    json_close(&w, ']');
    json_member_open(&w, "checkpoints", '[');
    for (uint32_t t = 0; t < h->parts; t++) {
        json_open(&w, '{');
        json_member_u64(&w, "step", m->writer.parts[t].step);
        json_member_double(&w, "rate", m->writer.parts[t].rate);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static winnow_status finish(struct making *m, struct winnow_error *err)
{
    struct buf path = {0}, card = {0};
    write_card(m, &card);
    winnow_status st =
        file_write_atomic(file_join(&path, m->job->output, "store.json"), buf_str(&card), err);
    if (st == WINNOW_OK) {
        st = store_finish(&m->writer, file_join(&path, m->job->output, STORE_FILE), err);
    }
    buf_release(&path);
    buf_release(&card);
    return st;
}

static void count(const struct making *m, struct winnow_features_result *out)
{
    *out = (struct winnow_features_result){.documents = m->texts.count,
                                           .documents_bad = m->texts.account.bad,
                                           .tokens = m->texts.tokens,
                                           .targets = m->texts.targets,
                                           .cut = m->texts.cut,
                                           .empty = m->texts.empty,
                                           .checkpoints = (uint32_t)m->count,
                                           .dim = m->writer.head.dim};
    for (size_t i = 0; i < m->texts.count; i++) {
        out->marked += (m->writer.rows[i].flags & (STORE_ZERO | STORE_NOT_FINITE)) > 0;
    }
}

/* ---- the stages ---- */

static winnow_status read_texts(struct making *m, struct winnow_error *err)
{
    uint64_t need;
    TRY(making_find_models(m, err));
    TRY(check_memory(m, &need, err));
    TRY(model_load_tokenizer(m->models[0], &m->tokenizer, err));
    struct feature_reading reading = {.paths = m->job->paths,
                                      .shards = m->job->shards,
                                      .line_max = m->job->line_max,
                                      .keys = {.text = m->opt.text_key, .id = m->opt.id_key},
                                      .limit = m->opt.limit,
                                      .tokenizer = m->tokenizer,
                                      .context = m->opt.context,
                                      .folder = m->job->work,
                                      .memory_rest = need};
    if (m->job->keys) {
        reading.keys = *m->job->keys;
    }
    TRY(feature_texts_read(&reading, m->pool, m->env, &m->texts, err));
    if (m->texts.empty == m->texts.count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "none of the %zu documents has anything to predict: a text, a prompt and "
                         "a response, or messages of an assistant",
                         m->texts.count);
    }
    return WINNOW_OK;
}

/* Of n-grams, or of a store like another one of such. */
static winnow_status is_of_ngrams(struct making *m, bool *yes, struct winnow_error *err)
{
    *yes = !m->opt.like && m->opt.vectors == WINNOW_NGRAMS;
    if (m->opt.like) {
        TRY(store_open(m->opt.like, &m->like, err));
        *yes = m->like.head->kind == STORE_TEXT;
        m->opt.dim = *yes ? m->like.head->dim : m->opt.dim;
        store_close(&m->like);
    }
    return WINNOW_OK;
}

static winnow_status make(struct making *m, struct winnow_error *err)
{
    struct buf path = {0};
    bool ngrams;
    TRY(is_of_ngrams(m, &ngrams, err));
    if (ngrams) {
        TRY(ngram_store_make(m, err));
        return finish(m, err);
    }
    TRY(read_texts(m, err));
    TRY(survey_models(m, err));
    m->writer.rows = m->texts.rows;
    m->texts.rows = mem_alloc((m->texts.count + 1) * sizeof *m->texts.rows);
    memcpy(m->texts.rows, m->writer.rows, m->texts.count * sizeof *m->texts.rows);
    winnow_status st = store_start(&m->writer, file_join(&path, m->job->work, STORE_FILE), err);
    buf_release(&path);
    TRY(st);
    TRY(making_check_disk(m, err));
    for (size_t t = 0; t < m->count; t++) {
        struct checkpoint c;
        struct store_part again = {0};
        st = checkpoint_open(m, t, &again, &c, err);
        if (st == WINNOW_OK && m->writer.head.rank > 0) {
            st = checkpoint_project(m, t, &again, &c, err);
        }
        if (st == WINNOW_OK) {
            st = making_fill(m, t, &c, err);
        }
        checkpoint_close(&c);
        TRY(st);
    }
    return finish(m, err);
}

winnow_status features_make(const struct features_job *job, const struct winnow_env *env,
                            struct winnow_features_result *out, struct winnow_error *err)
{
    struct making m = {.job = job, .env = env, .opt = *job->opt, .pool = pool_new(env->threads)};
    arena_init(&m.keep, 4096);
    winnow_status st = make(&m, err);
    if (st == WINNOW_OK) {
        count(&m, out);
    }
    if (job->account) {
        account_add(job->account, &m.texts.account);
    }
    store_writer_release(&m.writer);
    store_close(&m.like);
    feature_texts_release(&m.texts);
    tokenizer_free(m.tokenizer);
    pool_free(m.pool);
    arena_release(&m.keep);
    return st;
}
