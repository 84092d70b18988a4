/* model_file.c -- a model folder: config.json and one or more safetensors files.
 *
 * The files are opened first and the config is held against them before any
 * memory is taken for weights.  Then each tensor of the model is looked up by
 * its name, and each tensor of the files must have been asked for; the few that
 * old checkpoints carry beside the weights are listed in is_spare().
 */
#include "model/model_file.h"

#include "base/file.h"
#include "base/file_kind.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/config_json.h"
#include "model/gguf_model.h"
#include "model/model_path.h"
#include "model/model_source.h"
#include "model/safetensors.h"

#include <inttypes.h>

#define CONFIG_BYTES_MAX ((size_t)16 << 20)
#define INDEX_BYTES_MAX  ((size_t)256 << 20)
#define SHARDS_MAX       4096U

/* The safetensors files of a folder, and every tensor in them by name. */
struct shards {
    struct safetensors **files;
    char **paths;
    size_t count;
    struct map by_name; /* value: shard << 32 | tensor */
    uint64_t elements;
};

static void shards_free(void *shards)
{
    struct shards *s = shards;
    for (size_t i = 0; i < s->count; i++) {
        safetensors_close(s->files[i]);
        mem_free(s->paths[i]);
    }
    mem_free(s->files);
    mem_free(s->paths);
    map_release(&s->by_name);
    mem_free(s);
}

static winnow_status shards_add(struct shards *s, const char *path, struct winnow_error *err)
{
    struct safetensors *file = NULL;
    TRY(safetensors_open(path, &file, err));
    s->files[s->count] = file;
    s->paths[s->count] = mem_strdup(path);
    s->count++;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct tensor_view *t = safetensors_at(file, i);
        bool is_new = false;
        *map_put(&s->by_name, t->name, &is_new) = (uint64_t)(s->count - 1) << 32 | i;
        if (!is_new) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s: tensor \"%.*s\" is in another shard of the model too", path,
                             STR_ARG(t->name));
        }
        uint64_t elements = 0;
        if (tensor_elements(t->shape, t->dims, &elements)) {
            s->elements += elements;
        }
    }
    return WINNOW_OK;
}

/* A shard's name comes from the index: it may only name a file of the folder. */
static bool is_plain_name(struct str name)
{
    return str_ends(name, STR_LIT(".safetensors")) && memchr(name.ptr, '/', name.len) == NULL &&
           memchr(name.ptr, '\0', name.len) == NULL && name.ptr[0] != '.';
}

/* The distinct files of {"weight_map": {tensor: file}} in order of appearance. */
static winnow_status shards_of_index(struct shards *s, const char *folder, const char *index,
                                     struct json_value root, struct winnow_error *err)
{
    struct map names = {0};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    struct json_iter it = json_walk(json_get(root, "weight_map"));
    while (st == WINNOW_OK && json_next(&it)) {
        struct str name = {NULL, 0};
        bool is_new = false;
        if (!json_as_str(it.value, &name) || !is_plain_name(name)) {
            st = error_set(
                err, WINNOW_E_FORMAT,
                "%s: weight_map has an entry that names no .safetensors file of the folder", index);
            break;
        }
        (void)map_put(&names, name, &is_new);
        if (is_new && names.count > SHARDS_MAX) {
            st = error_set(err, WINNOW_E_LIMIT, "%s names more than %u files", index, SHARDS_MAX);
        }
    }
    if (st == WINNOW_OK && names.count == 0) {
        st = error_set(err, WINNOW_E_FORMAT, "%s has no weight_map", index);
    }
    s->files = mem_zalloc((names.count + 1) * sizeof(struct safetensors *));
    s->paths = mem_zalloc((names.count + 1) * sizeof(char *));
    for (size_t i = 0; i < names.count && st == WINNOW_OK; i++) {
        struct buf name = {0};
        buf_add_str(&name, names.entries[i].key);
        st = shards_add(s, file_join(&path, folder, buf_cstr(&name)), err);
        buf_release(&name);
    }
    buf_release(&path);
    map_release(&names);
    return st;
}

static winnow_status shards_open(struct shards *s, const char *folder, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = WINNOW_OK;
    if (file_exists(file_join(&path, folder, "model.safetensors"))) {
        s->files = mem_zalloc(sizeof(struct safetensors *));
        s->paths = mem_zalloc(sizeof(char *));
        st = shards_add(s, buf_cstr(&path), err);
    } else if (file_exists(file_join(&path, folder, "model.safetensors.index.json"))) {
        struct json_parser *parser = json_parser_new();
        struct json_value root;
        st = file_read(buf_cstr(&path), INDEX_BYTES_MAX, &text, err);
        if (st == WINNOW_OK) {
            st = json_parse(parser, buf_str(&text), &root, err);
            st = st == WINNOW_OK ? shards_of_index(s, folder, buf_cstr(&path), root, err)
                                 : error_wrap(err, st, "%s", buf_cstr(&path));
            st = file_kind_blame(buf_cstr(&path), buf_str(&text), st, err);
        }
        json_parser_free(parser);
    } else {
        st =
            error_set(err, WINNOW_E_IO,
                      "%s has no model.safetensors (nor an index of shards); convert older formats "
                      "with transformers' save_pretrained(), or give a .gguf file",
                      folder);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

static const struct tensor_view *shards_find(const struct shards *s, const char *name,
                                             const char **file)
{
    const uint64_t *at = map_get(&s->by_name, str_of(name));
    *file = s->paths[at ? *at >> 32 : 0];
    return at ? safetensors_at(s->files[*at >> 32], *at & UINT32_MAX) : NULL;
}

/* Tensors that files may hold beside the weights: the table of rotary
 * frequencies, which follows from the config, and the copy of a tied head. */
static bool is_spare(const struct model_config *c, struct str name)
{
    return str_ends(name, STR_LIT("rotary_emb.inv_freq")) ||
           (c->tied && str_is(name, "lm_head.weight"));
}

static winnow_status bind_shards(struct model *m, const struct shards *s, struct winnow_error *err)
{
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        struct model_source source = {.view = NULL};
        source.view = shards_find(s, t->name, &source.file);
        if (!source.view) {
            return model_source_missing(source.file, t->name, err);
        }
        TRY(model_bind(m, t, &source, err));
    }
    for (size_t i = 0; i < s->by_name.count; i++) {
        struct str name = s->by_name.entries[i].key;
        if (!model_find(m, name) && !is_spare(model_config(m), name)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s: tensor \"%.*s\" belongs to no part of the model that config.json "
                             "describes; scores without it would be wrong",
                             s->paths[s->by_name.entries[i].value >> 32], STR_ARG(name));
        }
    }
    return WINNOW_OK;
}

static winnow_status load_folder_config(const char *folder, struct model_config *out,
                                        struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    const char *name = file_join(&path, folder, "config.json");
    winnow_status st = file_read(name, CONFIG_BYTES_MAX, &text, err);
    if (st == WINNOW_OK) {
        st = file_kind_blame(name, buf_str(&text),
                             config_json_parse(buf_str(&text), name, out, err), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

static winnow_status open_folder(const char *folder, struct model **out, struct winnow_error *err)
{
    struct model_config config;
    struct model *m = NULL;
    TRY(load_folder_config(folder, &config, err));
    struct shards *shards = mem_zalloc(sizeof *shards);
    winnow_status st = shards_open(shards, folder, err);
    if (st == WINNOW_OK) {
        st = model_source_check(&config, shards->elements, folder, err);
    }
    if (st != WINNOW_OK) {
        shards_free(shards);
        return st;
    }
    TRY(model_new_in_file(&config, shards, shards_free, &m, err));
    st = bind_shards(m, shards, err);
    if (st != WINNOW_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return WINNOW_OK;
}

winnow_status model_open(const char *path, struct model **out, struct winnow_error *err)
{
    *out = NULL;
    TRY(model_path_check(path, err));
    return model_path_is_gguf(path) ? gguf_open_model(path, out, err) : open_folder(path, out, err);
}

winnow_status model_load(const char *path, struct model **out, struct winnow_error *err)
{
    TRY(model_open(path, out, err));
    winnow_status st = model_take_in(*out, err);
    if (st != WINNOW_OK) {
        model_free(*out);
        *out = NULL;
    }
    return st;
}

winnow_status model_load_config(const char *path, struct model_config *out,
                                struct winnow_error *err)
{
    TRY(model_path_check(path, err));
    return model_path_is_gguf(path) ? gguf_load_config(path, out, err)
                                    : load_folder_config(path, out, err);
}

winnow_status model_load_tokenizer(const char *path, struct tokenizer **out,
                                   struct winnow_error *err)
{
    *out = NULL;
    return model_path_is_gguf(path) ? gguf_load_tokenizer(path, out, err)
                                    : tokenizer_load(path, out, err);
}

static winnow_status save_weights(const struct model *m, const char *path, enum tensor_type type,
                                  struct winnow_error *err)
{
    size_t count = model_tensor_count(m);
    struct safetensors_item *items = mem_zalloc(count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        items[i] = (struct safetensors_item){.name = t->name,
                                             .values = model_data_const(m, t),
                                             .shape = {t->rows, t->cols},
                                             .dims = t->vector ? 1 : 2};
    }
    winnow_status st = safetensors_write(path, items, count, type, err);
    mem_free(items);
    return st;
}

winnow_status model_save(const struct model *m, const char *folder, enum tensor_type type,
                         struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = config_json_write(model_config(m), type, &text, err);
    if (st == WINNOW_OK) {
        st = file_make_dirs(folder, err);
    }
    if (st == WINNOW_OK) {
        st = save_weights(m, file_join(&path, folder, "model.safetensors"), type, err);
    }
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, folder, "config.json"), buf_str(&text), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}
