/* line_file.c -- a line model's folder: config.json and model.safetensors.
 *
 *     config.json         {"model_type": "winnow_lines", "features": 1, sizes ...,
 *                          "keep_above": 0.4, "calibration": {...}, "training": {...}}
 *     model.safetensors   "table" (rows x embed), and a tensor [out, in] for each matrix;
 *                         the same once more under "alone." where pages without tags are read
 *                         by weights of their own
 *
 * Sizes are checked against their bounds before anything is allocated, and each
 * tensor's shape against the sizes; weights that are no numbers are refused. */
#include "base/file.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "lines/line_builtin.h"
#include "lines/line_model.h"
#include "lines/line_model_internal.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdio.h>

#define MODEL_TYPE      "winnow_lines"
#define CONFIG_MAX      ((size_t)1 << 20)

#define ALONE           "alone." /* before the names of weights for pages without tags */
#define TENSOR_NAME_MAX 48

struct size_key {
    const char *name;
    size_t offset;
};
static const struct size_key SIZES[] = {
    {"rows", offsetof(struct line_config, rows)},
    {"embed", offsetof(struct line_config, embed)},
    {"hidden", offsetof(struct line_config, hidden)},
    {"dim", offsetof(struct line_config, dim)},
    {"layers", offsetof(struct line_config, layers)},
    {"ffn", offsetof(struct line_config, ffn)},
    {"head_dim", offsetof(struct line_config, head_dim)},
};
enum { SIZE_COUNT = sizeof SIZES / sizeof SIZES[0] };

static const struct {
    const char *name;
    size_t offset;
    bool optional; /* came later: 0 in a file that lacks it */
} CALIBRATION[] = {
    {"alone_scale", offsetof(struct line_calibration, alone_scale), false},
    {"alone_bias", offsetof(struct line_calibration, alone_bias), false},
    {"tagged_scale", offsetof(struct line_calibration, tagged_scale), false},
    {"tagged_bias", offsetof(struct line_calibration, tagged_bias), false},
    {"path_share", offsetof(struct line_calibration, path_share), false},
    {"page_share", offsetof(struct line_calibration, page_share), true},
};
enum { CALIBRATION_COUNT = sizeof CALIBRATION / sizeof CALIBRATION[0] };

/* All of its numbers, but for optional ones, or none where there is no such member. */
static winnow_status read_calibration(struct json_value value, struct line_calibration *out,
                                      struct winnow_error *err)
{
    *out = (struct line_calibration)LINE_CALIBRATION_INIT;
    for (size_t i = 0; json_kind(value) != JSON_NONE && i < CALIBRATION_COUNT; i++) {
        struct json_value member = json_get(value, CALIBRATION[i].name);
        double number;
        if (CALIBRATION[i].optional && json_kind(member) == JSON_NONE) {
            continue;
        }
        if (!json_as_double(member, &number)) {
            return error_set(err, WINNOW_E_FORMAT, "\"calibration\" has no number \"%s\"",
                             CALIBRATION[i].name);
        }
        memcpy((char *)out + CALIBRATION[i].offset, &number, sizeof number);
    }
    return WINNOW_OK;
}

static winnow_status read_config(struct json_value root, struct line_config *c,
                                 struct winnow_error *err)
{
    struct str type;
    if (!json_as_str(json_get(root, "model_type"), &type) || !str_is(type, MODEL_TYPE)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "\"model_type\" is not \"" MODEL_TYPE "\": no line model");
    }
    uint64_t value = 0;
    if (!json_as_u64(json_get(root, "features"), &value) || value != LINE_FEATURES_VERSION) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "\"features\" is not %u: the model was made for another version of winnow; "
            "train it again with `winnow refiner train-lines`",
            LINE_FEATURES_VERSION);
    }
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        if (!json_as_u64(json_get(root, SIZES[i].name), &value) || value > UINT32_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "\"%s\" is missing or no whole number",
                             SIZES[i].name);
        }
        uint32_t size = (uint32_t)value;
        memcpy((char *)c + SIZES[i].offset, &size, sizeof size);
    }
    TRY(read_calibration(json_get(root, "calibration"), &c->calibration, err));
    if (!json_as_double(json_get(root, "keep_above"), &c->keep_above)) {
        return error_set(err, WINNOW_E_FORMAT, "\"keep_above\" is missing or no number");
    }
    return line_config_check(c, err);
}

static winnow_status read_tensor(const struct safetensors *file, const char *name, uint32_t rows,
                                 uint32_t cols, float *out, struct winnow_error *err)
{
    const struct tensor_view *t = safetensors_find(file, str_of(name));
    if (!t) {
        return error_set(err, WINNOW_E_FORMAT, "tensor \"%s\" is missing", name);
    }
    if (t->type != TENSOR_F32 && t->type != TENSOR_BF16 && t->type != TENSOR_F16) {
        return error_set(err, WINNOW_E_FORMAT, "tensor \"%s\" is neither F32 nor BF16 nor F16",
                         name);
    }
    if (t->dims != 2 || t->shape[0] != rows || t->shape[1] != cols) {
        return error_set(err, WINNOW_E_FORMAT, "tensor \"%s\" is not %u x %u as config.json says",
                         name, rows, cols);
    }
    size_t count = (size_t)rows * cols;
    tensor_to_f32(t->type, t->bytes.ptr, count, out);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(out[i])) {
            return error_set(err, WINNOW_E_FORMAT, "tensor \"%s\" holds what is no number", name);
        }
    }
    return WINNOW_OK;
}

static const char *tensor_name(const char *prefix, const char *name, char out[TENSOR_NAME_MAX])
{
    (void)snprintf(out, TENSOR_NAME_MAX, "%s%s", prefix, name);
    return out;
}

/* One set of weights. */
static winnow_status read_weights(struct line_model *m, const struct safetensors *file,
                                  const char *prefix, struct winnow_error *err)
{
    char name[TENSOR_NAME_MAX];
    TRY(read_tensor(file, tensor_name(prefix, "table", name), m->c.rows, m->c.embed, m->table,
                    err));
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct line_tensor *t = &m->tensors[i];
        TRY(read_tensor(file, tensor_name(prefix, t->name, name), t->rows, t->cols,
                        line_at(m, t->at), err));
    }
    line_model_pack(m);
    return WINNOW_OK;
}

static winnow_status read_set(const struct line_config *c, const struct safetensors *file,
                              const char *prefix, const char *kernels, struct line_model **out,
                              struct winnow_error *err)
{
    uint64_t least = (uint64_t)c->rows * c->embed; /* no allocation that the file cannot fill */
    char name[TENSOR_NAME_MAX];
    const struct tensor_view *table =
        safetensors_find(file, str_of(tensor_name(prefix, "table", name)));
    if (!table || table->bytes.len / 2 < least) {
        return error_set(err, WINNOW_E_FORMAT,
                         "tensor \"%s\" is missing or smaller than config.json says", name);
    }
    TRY(line_model_layout(c, kernels, false, GEMM_F32, out, err));
    return read_weights(*out, file, prefix, err);
}

/* Both sets, where there are two. */
static winnow_status read_sets(const struct line_config *c, const struct safetensors *file,
                               const char *kernels, struct line_model **out,
                               struct winnow_error *err)
{
    TRY(read_set(c, file, "", kernels, out, err));
    struct line_model *m = *out;
    size_t sets = 1;
    if (safetensors_find(file, STR_LIT(ALONE "table"))) {
        TRY(read_set(c, file, ALONE, kernels, &m->alone, err));
        sets = 2;
    }
    if (safetensors_count(file) != sets * (m->tensor_count + 1)) {
        return error_set(err, WINNOW_E_FORMAT, "it holds %zu tensors and not %zu",
                         safetensors_count(file), sets * (m->tensor_count + 1));
    }
    return WINNOW_OK;
}

winnow_status line_model_parse(struct str config, struct str weights, const char *name,
                               const char *kernels, struct line_model **out,
                               struct winnow_error *err)
{
    struct line_config c = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = json_parse(parser, config, &root, err);
    st = st == WINNOW_OK ? read_config(root, &c, err) : st;
    json_parser_free(parser);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "%s/config.json", name);
    }
    struct safetensors *file = NULL;
    struct line_model *m = NULL;
    st = safetensors_parse(weights, "model.safetensors", &file, err);
    if (st == WINNOW_OK) {
        st = read_sets(&c, file, kernels, &m, err);
    }
    safetensors_close(file);
    if (st != WINNOW_OK) {
        line_model_free(m);
        return st == WINNOW_E_FORMAT ? error_wrap(err, st, "%s/model.safetensors", name) : st;
    }
    *out = m;
    return WINNOW_OK;
}

bool line_model_is(const char *folder)
{
    struct winnow_error none;
    struct buf path = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct str type = {NULL, 0};
    bool is = json_read_file(file_join(&path, folder, "config.json"), CONFIG_MAX, parser, &root,
                             &none) == WINNOW_OK &&
              json_as_str(json_get(root, "model_type"), &type) && str_is(type, MODEL_TYPE);
    json_parser_free(parser);
    buf_release(&path);
    return is;
}

winnow_status line_model_load(const char *folder, const char *kernels, struct line_model **out,
                              struct winnow_error *err)
{
    if (!folder) {
        return line_model_parse(line_builtin_config(), line_builtin_weights(),
                                "the built-in refiner", kernels, out, err);
    }
    struct buf path = {0}, config = {0};
    struct file_map weights = {{NULL, 0}};
    winnow_status st = file_read(file_join(&path, folder, "config.json"), CONFIG_MAX, &config, err);
    if (st == WINNOW_OK) {
        st = file_map_open(file_join(&path, folder, "model.safetensors"), &weights, err);
    }
    if (st == WINNOW_OK) {
        st = line_model_parse(buf_str(&config), weights.bytes, folder, kernels, out, err);
        file_map_close(&weights);
    }
    buf_release(&path);
    buf_release(&config);
    return st;
}

static void write_config(const struct line_model *m, double keep_above, struct str card,
                         struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "model_type", MODEL_TYPE);
    json_member_u64(&w, "features", LINE_FEATURES_VERSION);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        json_key(&w, SIZES[i].name);
        uint32_t size = 0;
        memcpy(&size, (const char *)&m->c + SIZES[i].offset, sizeof size);
        json_u64(&w, size);
    }
    json_member_double(&w, "keep_above", keep_above);
    json_member_open(&w, "calibration", '{');
    for (size_t i = 0; i < CALIBRATION_COUNT; i++) {
        double number;
        memcpy(&number, (const char *)&m->c.calibration + CALIBRATION[i].offset, sizeof number);
        json_member_double(&w, CALIBRATION[i].name, number);
    }
    json_close(&w, '}');
    if (card.len > 0) {
        json_member_raw(&w, "training", card);
    }
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

/* One set of weights as the file's tensors. */
static void list_items(const struct line_model *m, const char *prefix,
                       char (*names)[TENSOR_NAME_MAX], struct safetensors_item *items)
{
    items[0] = (struct safetensors_item){
        tensor_name(prefix, "table", names[0]), m->table, {m->c.rows, m->c.embed}, 2};
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct line_tensor *t = &m->tensors[i];
        items[i + 1] = (struct safetensors_item){
            tensor_name(prefix, t->name, names[i + 1]), line_at(m, t->at), {t->rows, t->cols}, 2};
    }
}

winnow_status line_model_save(const struct line_model *m, const char *folder, double keep_above,
                              struct str card, struct winnow_error *err)
{
    size_t sets = m->alone ? 2 : 1, one = m->tensor_count + 1;
    struct safetensors_item *items = mem_zalloc(sets * one * sizeof *items);
    char(*names)[TENSOR_NAME_MAX] = mem_zalloc(sets * one * sizeof *names);
    list_items(m, "", names, items);
    if (m->alone) {
        list_items(m->alone, ALONE, names + one, items + one);
    }
    struct buf path = {0}, config = {0};
    winnow_status st = file_make_dirs(folder, err);
    if (st == WINNOW_OK) {
        st = safetensors_write(file_join(&path, folder, "model.safetensors"), items, sets * one,
                               TENSOR_BF16, err);
    }
    if (st == WINNOW_OK) {
        write_config(m, keep_above, card, &config);
        st = file_write_atomic(file_join(&path, folder, "config.json"), buf_str(&config), err);
    }
    mem_free(items);
    mem_free(names);
    buf_release(&path);
    buf_release(&config);
    return st;
}
