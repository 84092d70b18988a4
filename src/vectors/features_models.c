/* features_models.c -- which checkpoints, what is known of them, and their projections. */
#include "base/env.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/split.h"
#include "model/model_file.h"
#include "model/model_path.h"
#include "train/weights_file.h"
#include "vectors/features_internal.h"

#include <inttypes.h>
#include <string.h>

#define CONFIG_BYTES ((size_t)1 << 24)

const char *projections_path(const char *folder, size_t t, struct buf *out)
{
    (void)file_join(out, folder, "projections-");
    buf_addf(out, "%02zu.bin", t);
    return buf_cstr(out);
}

/* ---- finding them ---- */

static winnow_status add_model(struct making *m, const char *path, struct winnow_error *err)
{
    if (m->count == STORE_PARTS_MAX) {
        return error_set(err, WINNOW_E_USAGE, "more than %u checkpoints: name fewer with --model",
                         STORE_PARTS_MAX);
    }
    TRY(model_path_check(path, err));
    m->models[m->count++] = path;
    return WINNOW_OK;
}

struct names {
    struct arena *keep;
    const char *names[STORE_PARTS_MAX];
    size_t count;
    bool many;
};

static void meet_name(void *ctx, const char *name)
{
    struct names *n = ctx;
    if (name[0] < '0' || name[0] > '9') {
        return;
    }
    if (n->count == STORE_PARTS_MAX) {
        n->many = true;
        return;
    }
    size_t len = strlen(name) + 1;
    n->names[n->count++] = memcpy(ARENA_NEW(n->keep, char, len), name, len);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A training's folder stands for its checkpoints, in order. */
static winnow_status add_path(struct making *m, const char *path, struct winnow_error *err)
{
    struct buf folder = {0}, name = {0};
    struct names n = {.keep = &m->keep};
    bool found = false;
    const char *trajectory = file_join(&folder, path, FEATURES_TRAJECTORY);
    winnow_status st = WINNOW_OK;
    if (!file_is_dir(trajectory)) {
        st = add_model(m, path, err);
    } else {
        st = file_list(trajectory, meet_name, &n, &found, err);
    }
    sort((void *)n.names, n.count, sizeof *n.names, by_name);
    for (size_t i = 0; st == WINNOW_OK && i < n.count; i++) {
        const char *one = file_join(&name, trajectory, n.names[i]);
        size_t len = strlen(one) + 1;
        st = add_model(m, memcpy(ARENA_NEW(&m->keep, char, len), one, len), err);
    }
    if (st == WINNOW_OK && n.many) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s holds more than %u checkpoints: name fewer with "
                       "--model",
                       trajectory, STORE_PARTS_MAX);
    }
    buf_release(&folder);
    buf_release(&name);
    return st;
}

static winnow_status take_models(struct making *m, struct json_value root, const char *path,
                                 struct winnow_error *err)
{
    struct json_iter it = json_walk(json_get(root, "models"));
    while (json_next(&it)) {
        struct str s;
        if (!json_as_str(it.value, &s)) {
            break;
        }
        char *copy = ARENA_NEW(&m->keep, char, s.len + 1);
        memcpy(copy, s.ptr, s.len);
        copy[s.len] = '\0';
        TRY(add_model(m, copy, err));
    }
    return m->count == m->like.head->parts
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT,
                           "%s does not name the %u models of the vectors "
                           "beside it",
                           path, m->like.head->parts);
}

/* What the other store was made with decides all. */
static winnow_status find_like(struct making *m, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    struct json_value root;
    TRY(store_open(m->opt.like, &m->like, err));
    const struct store_head *h = m->like.head;
    m->opt.vectors = (int)h->kind;
    m->opt.sketch = h->sketch == STORE_HASHED;
    m->opt.pooling = h->sketch >= STORE_MEAN ? (int)(h->sketch - STORE_MEAN) : 0;
    m->opt.dim = h->dim;
    m->opt.rank = h->rank > 0 ? h->rank : m->opt.rank;
    m->opt.raw = !h->scaled;
    m->opt.context = h->context;
    struct json_parser *parser = json_parser_new();
    winnow_status st =
        file_read(file_join(&path, m->opt.like, "store.json"), CONFIG_BYTES, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(parser, buf_str(&text), &root, err);
    }
    if (st == WINNOW_OK) {
        uint64_t compute = 0;
        (void)json_as_u64(json_get(root, "compute"), &compute);
        m->opt.compute = compute == WINNOW_BF16 ? WINNOW_BF16 : WINNOW_F32;
        st = take_models(m, root, buf_cstr(&path), err);
    }
    json_parser_free(parser);
    buf_release(&path);
    buf_release(&text);
    return st;
}

winnow_status making_find_models(struct making *m, struct winnow_error *err)
{
    m->models = ARENA_NEW(&m->keep, const char *, STORE_PARTS_MAX);
    if (m->opt.like) {
        TRY(find_like(m, err));
    }
    for (size_t i = 0; !m->opt.like && i < m->opt.models.count; i++) {
        TRY(add_path(m, m->opt.models.items[i], err));
    }
    return m->count > 0 ? WINNOW_OK
                        : error_set(err, WINNOW_E_USAGE,
                                    "it needs a model: --model FOLDER (a training's, with "
                                    "checkpoints, or several times a checkpoint's)");
}

/* ---- one of them ---- */

static void read_card(const char *folder, struct store_part *part)
{
    struct buf path = {0}, text = {0};
    struct winnow_error unused;
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    const char *name = file_join(&path, folder, FEATURES_CHECKPOINT);
    if (file_exists(name) && file_read(name, CONFIG_BYTES, &text, &unused) == WINNOW_OK &&
        json_parse(parser, buf_str(&text), &root, &unused) == WINNOW_OK) {
        (void)json_as_u64(json_get(root, "step"), &part->step);
        (void)json_as_double(json_get(root, "rate"), &part->rate);
    }
    json_parser_free(parser);
    buf_release(&path);
    buf_release(&text);
}

static winnow_status read_moments(struct making *m, const char *folder, struct checkpoint *c,
                                  struct store_part *part, struct winnow_error *err)
{
    struct buf path = {0};
    const char *name = file_join(&path, folder, FEATURES_MOMENTS);
    size_t n = model_values_count(c->model);
    winnow_status st = WINNOW_OK;
    if (!m->opt.raw && m->opt.vectors == WINNOW_GRADIENTS && file_exists(name)) {
        c->moments = mem_try_alloc(n * sizeof *c->moments);
        if (c->moments) {
            st = weights_file_read(name, c->moments, n, err);
        } else {
            st = error_set(err, WINNOW_E_NOMEM, "no memory for the moments of %s", folder);
        }
    }
    if (st == WINNOW_OK && c->moments) {
        part->moments = hash64((struct str){(const char *)c->moments, n * sizeof *c->moments}, 1);
    }
    buf_release(&path);
    return st;
}

static winnow_status load(struct making *m, size_t t, struct store_part *part, struct checkpoint *c,
                          struct winnow_error *err)
{
    const char *path = m->models[t];
    TRY(model_load(path, &c->model, err));
    read_card(path, part);
    part->weights = model_hash(c->model);
    TRY(read_moments(m, path, c, part, err));
    if (m->opt.like && m->like.parts[t].weights != part->weights) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the vectors of %s were made with another model than the one that is now "
                         "in %s; make them anew",
                         m->opt.like, path);
    }
    uint32_t most = m->texts.longest > 2048 ? m->texts.longest : 2048;
    const struct engine_options opt = {.compute =
                                           m->opt.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32,
                                       .tokens_max = most,
                                       .gradients = m->opt.vectors == WINNOW_GRADIENTS};
    return engine_new(c->model, m->pool, &opt, m->env, &c->engine, err);
}

winnow_status checkpoint_open(struct making *m, size_t t, struct store_part *part,
                              struct checkpoint *c, struct winnow_error *err)
{
    *c = (struct checkpoint){0};
    return load(m, t, part, c, err);
}

void checkpoint_close(struct checkpoint *c)
{
    projections_release(&c->projections);
    engine_free(c->engine);
    model_free(c->model);
    mem_free(c->moments);
    *c = (struct checkpoint){0};
}

/* ---- projections ---- */

struct drawn {
    uint64_t draw;
    size_t row;
};

static int by_draw(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->draw != y->draw) {
        return x->draw < y->draw ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* Calibration texts: those of least draw, one of each content. */
static size_t draw_texts(const struct making *m, size_t *rows)
{
    const struct feature_texts *t = &m->texts;
    struct drawn *all = mem_alloc((t->count + 1) * sizeof *all);
    size_t n = 0, count = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!(t->rows[i].flags & STORE_EMPTY)) {
            all[n++] = (struct drawn){split_draw(t->rows[i].key, m->env->seed, "calibration"), i};
        }
    }
    sort(all, n, sizeof *all, by_draw);
    for (size_t i = 0; i < n && count < m->opt.calibration; i++) {
        if (i == 0 || all[i].draw != all[i - 1].draw) {
            rows[count++] = all[i].row;
        }
    }
    mem_free(all);
    return count;
}

static winnow_status fit(struct making *m, struct checkpoint *c, const char *path,
                         struct winnow_error *err)
{
    struct tune_batch batch = {0};
    size_t *rows = mem_alloc((m->opt.calibration + 1) * sizeof *rows);
    size_t count = draw_texts(m, rows);
    feature_texts_batch(&m->texts, rows, count, &batch);
    env_log(m->env, WINNOW_LOG_INFO, "features: fitting projections on %zu texts", count);
    winnow_status st = projections_fit(c->engine, &batch.batch, m->opt.rank, c->moments, m->env,
                                       &c->projections, err);
    if (st == WINNOW_OK) {
        st = projections_save(&c->projections, path, err);
    }
    tune_batch_release(&batch);
    mem_free(rows);
    return st;
}

winnow_status checkpoint_project(struct making *m, size_t t, struct store_part *part,
                                 struct checkpoint *c, struct winnow_error *err)
{
    struct buf path = {0};
    const char *name = projections_path(m->opt.like ? m->opt.like : m->job->output, t, &path);
    const struct model_config *config = model_config(c->model);
    winnow_status st;
    if (m->opt.like || file_exists(name)) {
        st = projections_load(name, config, m->opt.rank, &c->projections, err);
    } else {
        st = fit(m, c, name, err);
    }
    if (st == WINNOW_OK) {
        part->projections = projections_hash(&c->projections);
        if (m->opt.like && part->projections != m->like.parts[t].projections) {
            st = error_set(err, WINNOW_E_FORMAT, "%s does not belong to the vectors beside it",
                           name);
        }
    }
    buf_release(&path);
    return st;
}
