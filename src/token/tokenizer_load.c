/* tokenizer_load.c -- a tokenizer from files or from arrays.
 *
 * SentencePiece models in GGUF have no merges but scores: of all neighbours
 * whose text together is a token, the one of the best score is joined first.
 * That is BPE with the merges {every way to cut a token into two tokens}, ranked
 * by the token's score, so one engine serves both.
 */
#include "base/file.h"
#include "base/file_kind.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#define FILE_BYTES_MAX ((size_t)256 << 20)

/* ---- files ---- */

/* The special token that tokenizer_config.json names: a string, or an object
 * with its content. */
static void config_token(const struct tokenizer *t, struct json_value root, const char *key,
                         uint32_t *id)
{
    struct json_value v = json_get(root, key);
    struct str text;
    if (json_as_str(v, &text) || json_as_str(json_get(v, "content"), &text)) {
        uint32_t found = tokenizer_id(t, text);
        *id = found != TOKENIZER_NONE ? found : *id;
    }
}

/* A folder without tokenizer_config.json is fine; one that is no JSON is not. */
static winnow_status read_config(struct tokenizer *t, const char *path, struct winnow_error *err)
{
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    struct json_parser *p = json_parser_new();
    struct json_value root;
    winnow_status st = json_read_file(path, FILE_BYTES_MAX, p, &root, err);
    if (st == WINNOW_OK) {
        config_token(t, root, "bos_token", &t->bos);
        config_token(t, root, "eos_token", &t->eos);
    }
    json_parser_free(p);
    return st;
}

static winnow_status load_json(const char *path, struct tokenizer **out, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = file_read(path, FILE_BYTES_MAX, &text, err);
    if (st == WINNOW_OK) {
        st = tokenizer_parse(buf_str(&text), out, err);
        if (st != WINNOW_OK) {
            st = file_kind_blame(path, buf_str(&text), error_wrap(err, st, "%s", path), err);
        }
    }
    buf_release(&text);
    return st;
}

static winnow_status add_gpt2_vocab(struct tokenizer *t, struct json_value vocab,
                                    struct winnow_error *err)
{
    TRY(tokenizer_reserve(t, json_count(vocab), json_count(vocab), err));
    struct json_iter it = json_walk(vocab);
    while (json_kind(vocab) == JSON_OBJECT && json_next(&it)) {
        uint64_t id = 0;
        if (!json_as_u64(it.value, &id)) {
            return error_set(err, WINNOW_E_FORMAT, "the id of a token is not a number");
        }
        TRY(tokenizer_put(t, it.key, id, true, err));
    }
    const uint64_t *end = map_get(&t->ids, STR_LIT("<|endoftext|>"));
    if (end) {
        struct added_token a = {.content = STR_LIT("<|endoftext|>"), .special = true};
        a.id = (uint32_t)*end;
        tokenizer_add_added(t, a);
    }
    return WINNOW_OK;
}

static winnow_status add_merge_lines(struct tokenizer *t, struct str text, struct winnow_error *err)
{
    struct str line;
    size_t rank = 0;
    bool first = true;
    while (str_next_line(&text, &line)) {
        bool version = first && str_starts(line, STR_LIT("#version"));
        first = false;
        line = str_trim(line);
        size_t at = str_find(line, STR_LIT(" "));
        if (version || line.len == 0) {
            continue;
        }
        if (at == SIZE_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "merge %zu is not two tokens", rank + 1);
        }
        TRY(tokenizer_put_merge(t, str_sub(line, 0, at), str_sub(line, at + 1, line.len), rank++,
                                err));
    }
    return WINNOW_OK;
}

/* GPT-2's two files, the vocabulary and the merges; *at is the one that is read. */
static winnow_status read_gpt2(struct tokenizer *t, const char *const files[2], const char **at,
                               struct json_parser *p, struct buf *text, struct winnow_error *err)
{
    struct json_value root;
    *at = files[0];
    TRY(file_read(files[0], FILE_BYTES_MAX, text, err));
    TRY(json_parse(p, buf_str(text), &root, err));
    TRY(add_gpt2_vocab(t, root, err));
    *at = files[1];
    buf_clear(text);
    TRY(file_read(files[1], FILE_BYTES_MAX, text, err));
    TRY(add_merge_lines(t, buf_str(text), err));
    TRY(tokenizer_set_byte_level(t, STR_LIT("gpt2"), err));
    tokenizer_guess_specials(t);
    return tokenizer_finish(t, err);
}

static winnow_status load_gpt2(const char *vocab, const char *merges, struct tokenizer **out,
                               struct winnow_error *err)
{
    struct tokenizer *t = tokenizer_new();
    struct json_parser *p = json_parser_new();
    struct buf text = {0};
    const char *const files[2] = {vocab, merges}, *at;
    winnow_status st = read_gpt2(t, files, &at, p, &text, err);
    json_parser_free(p);
    buf_release(&text);
    if (st != WINNOW_OK) {
        tokenizer_free(t);
        return st == WINNOW_E_IO ? st : error_wrap(err, st, "%s", at);
    }
    *out = t;
    return WINNOW_OK;
}

static winnow_status load_folder(const char *folder, struct tokenizer **out,
                                 struct winnow_error *err)
{
    static const char *const PAIRS[][2] = {{"encoder.json", "vocab.bpe"},
                                           {"vocab.json", "merges.txt"}};
    struct buf path = {0}, merges = {0};
    winnow_status st = WINNOW_OK;
    bool found = file_exists(file_join(&path, folder, "tokenizer.json"));
    if (found) {
        st = load_json(buf_cstr(&path), out, err);
    }
    for (int i = 0; i < 2 && !found; i++) {
        found = file_exists(file_join(&path, folder, PAIRS[i][0])) &&
                file_exists(file_join(&merges, folder, PAIRS[i][1]));
        if (found) {
            st = load_gpt2(buf_cstr(&path), buf_cstr(&merges), out, err);
        }
    }
    if (!found) {
        st =
            error_set(err, WINNOW_E_IO,
                      "%s holds no tokenizer.json, nor encoder.json with vocab.bpe%s", folder,
                      file_exists(file_join(&path, folder, "tokenizer.model"))
                          ? "; a tokenizer.model alone is not read: save it as tokenizer.json with "
                            "transformers' AutoTokenizer"
                          : "");
    } else if (st == WINNOW_OK) {
        st = read_config(*out, file_join(&path, folder, "tokenizer_config.json"), err);
        if (st != WINNOW_OK) {
            tokenizer_free(*out);
            *out = NULL;
        }
    }
    buf_release(&path);
    buf_release(&merges);
    return st;
}

winnow_status tokenizer_load(const char *path, struct tokenizer **out, struct winnow_error *err)
{
    if (!file_exists(path)) {
        return file_kind_missing(path, "a tokenizer", err);
    }
    return file_is_dir(path) ? load_folder(path, out, err) : load_json(path, out, err);
}

/* ---- arrays ---- */

static uint32_t type_of(const struct tokenizer_arrays *a, size_t id)
{
    return a->types ? a->types[id] : (uint32_t)TOKENIZER_TYPE_NORMAL;
}

static winnow_status put_tokens(struct tokenizer *t, const struct tokenizer_arrays *a,
                                struct winnow_error *err)
{
    TRY(tokenizer_reserve(t, a->token_count, a->token_count, err));
    for (size_t id = 0; id < a->token_count; id++) {
        TRY(tokenizer_put(t, a->tokens[id], id, true, err));
        uint32_t type = type_of(a, id);
        bool special = type == TOKENIZER_TYPE_CONTROL || type == TOKENIZER_TYPE_UNKNOWN;
        if (special || type == TOKENIZER_TYPE_USER) {
            tokenizer_add_added(t, (struct added_token){.content = a->tokens[id],
                                                        .id = (uint32_t)id,
                                                        .special = special});
        }
    }
    return WINNOW_OK;
}

static winnow_status put_merges(struct tokenizer *t, const struct tokenizer_arrays *a,
                                struct winnow_error *err)
{
    for (size_t i = 0; i < a->merge_count; i++) {
        /* A half may start with a space only as a whole: look behind the first byte. */
        struct str m = a->merges[i];
        size_t at = m.len > 1 ? str_find(str_sub(m, 1, m.len), STR_LIT(" ")) : SIZE_MAX;
        if (at == SIZE_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "merge %zu is not two tokens", i + 1);
        }
        TRY(tokenizer_put_merge(t, str_sub(m, 0, at + 1), str_sub(m, at + 2, m.len), i, err));
    }
    return WINNOW_OK;
}

struct scored {
    float score;
    uint32_t id;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->id < y->id ? -1 : 1;
}

/* All merges that make token id, at one rank. */
static void put_cuts(struct tokenizer *t, uint32_t id, uint32_t rank)
{
    struct str token = t->tokens[id];
    for (size_t at = 1; at < token.len; at++) {
        const uint64_t *left = map_get(&t->ids, str_sub(token, 0, at));
        const uint64_t *right = left ? map_get(&t->ids, str_sub(token, at, token.len)) : NULL;
        if (right) {
            merge_table_put(&t->merges,
                            (struct merge){(uint32_t)*left, (uint32_t)*right, rank, id});
        }
    }
}

static winnow_status put_scores(struct tokenizer *t, const struct tokenizer_arrays *a,
                                struct winnow_error *err)
{
    struct scored *order = mem_try_alloc(a->token_count * sizeof *order);
    if (!a->scores || !order) {
        mem_free(order);
        return error_set(err, WINNOW_E_FORMAT, "a SentencePiece vocabulary without scores");
    }
    size_t count = 0;
    for (uint32_t id = 0; id < a->token_count; id++) {
        bool merged =
            type_of(a, id) == TOKENIZER_TYPE_NORMAL || type_of(a, id) == TOKENIZER_TYPE_USER;
        if (merged && a->scores[id] == a->scores[id]) {
            order[count++] = (struct scored){a->scores[id], id};
        }
    }
    sort(order, count, sizeof *order, by_score);
    uint32_t rank = 0;
    for (size_t i = 0; i < count; i++) {
        rank += i > 0 && order[i].score != order[i - 1].score;
        put_cuts(t, order[i].id, rank);
    }
    mem_free(order);
    return WINNOW_OK;
}

static winnow_status set_special(struct tokenizer *t, uint32_t id, const char *name, uint32_t *out,
                                 struct winnow_error *err)
{
    if (id != TOKENIZER_NONE && id >= t->size) {
        return error_set(err, WINNOW_E_FORMAT, "the %s token %u is not in the vocabulary", name,
                         (unsigned)id);
    }
    *out = id;
    return WINNOW_OK;
}

static winnow_status build(struct tokenizer *t, const struct tokenizer_arrays *a,
                           struct winnow_error *err)
{
    TRY(put_tokens(t, a, err));
    TRY(set_special(t, a->bos, "bos", &t->bos, err));
    TRY(set_special(t, a->eos, "eos", &t->eos, err));
    if (a->kind == TOKENIZER_SPM) {
        TRY(set_special(t, a->unk, "unknown", &t->unk, err));
        TRY(put_scores(t, a, err));
        tokenizer_set_spm(t, a->add_space_prefix);
    } else {
        TRY(put_merges(t, a, err));
        TRY(tokenizer_set_byte_level(t, a->pre, err));
    }
    if (a->add_bos && t->bos != TOKENIZER_NONE) {
        u32_list_add(&t->prefix, t->bos);
    }
    if (a->add_eos && t->eos != TOKENIZER_NONE) {
        u32_list_add(&t->suffix, t->eos);
    }
    return tokenizer_finish(t, err);
}

winnow_status tokenizer_from_arrays(const struct tokenizer_arrays *a, struct tokenizer **out,
                                    struct winnow_error *err)
{
    struct tokenizer *t = tokenizer_new();
    winnow_status st = build(t, a, err);
    if (st != WINNOW_OK) {
        tokenizer_free(t);
        return st;
    }
    *out = t;
    return WINNOW_OK;
}
