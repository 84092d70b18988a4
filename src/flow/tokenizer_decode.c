/* tokenizer_decode.c -- `tokenizer decode`: JSON lines of ids to texts. */
#include "winnow/tokenizer.h"

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_span.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/guard.h"
#include "token/tokenizer.h"

#include <inttypes.h>

/* Lines are short next to a corpus; each file is read whole. */
#define FILE_BYTES_MAX ((size_t)1 << 32)

struct decoding {
    const struct winnow_tokenizer_decode_options *opt;
    struct tokenizer *t;
    struct json_parser *parser;
    struct u32_list ids;
    struct buf text, out;
    uint64_t lines;
};

static winnow_status read_ids(struct decoding *d, struct json_value list, struct winnow_error *err)
{
    if (json_kind(list) != JSON_ARRAY) {
        return error_set(err, WINNOW_E_FORMAT, "there is no array \"tokens\"");
    }
    d->ids.len = 0;
    struct json_iter it = json_walk(list);
    while (json_next(&it)) {
        uint64_t id = 0;
        if (!json_as_u64(it.value, &id) || id > UINT32_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "a token is not a number in range");
        }
        u32_list_add(&d->ids, (uint32_t)id);
    }
    return WINNOW_OK;
}

static winnow_status decode_line(struct decoding *d, struct str line, struct winnow_error *err)
{
    struct json_value root;
    TRY(json_parse(d->parser, line, &root, err));
    bool object = json_kind(root) == JSON_OBJECT;
    TRY(read_ids(d, object ? json_get(root, "tokens") : root, err));
    buf_clear(&d->text);
    TRY(tokenizer_decode(d->t, d->ids.ptr, d->ids.len,
                         d->opt->specials ? 0 : TOKENIZER_SKIP_SPECIAL, &d->text, err));
    if (d->opt->plain) {
        buf_add_str(&d->out, buf_str(&d->text));
        return WINNOW_OK;
    }
    struct json_writer w = {.out = &d->out};
    struct str id;
    json_open(&w, '{');
    if (object && json_span_id(root, line, "id", &id)) {
        json_member_str(&w, "id", id);
    }
    json_member_str(&w, "text", buf_str(&d->text));
    json_close(&w, '}');
    buf_add_char(&d->out, '\n');
    return WINNOW_OK;
}

static winnow_status decode_file(struct decoding *d, const char *path, const struct winnow_env *env,
                                 struct winnow_error *err)
{
    struct buf all = {0};
    const char *name = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    winnow_status st = file_read(name, FILE_BYTES_MAX, &all, err);
    struct str rest = buf_str(&all), line;
    for (uint64_t n = 1; st == WINNOW_OK && str_next_line(&rest, &line); n++) {
        if (str_trim(line).len > 0) {
            d->lines++;
            st = decode_line(d, line, err);
            st = st == WINNOW_OK ? st : error_wrap(err, st, "%s: line %" PRIu64, path, n);
        }
        if (st == WINNOW_OK && d->out.len > (size_t)1 << 20) {
            st = env_write(env, buf_str(&d->out), err);
            buf_clear(&d->out);
        }
        if (st == WINNOW_OK && n % 1024 == 0) {
            st = env_check(env, err);
        }
    }
    buf_release(&all);
    return st;
}

winnow_status winnow_tokenizer_decode(const struct winnow_tokenizer_decode_options *opt,
                                      const struct winnow_list *paths, const struct winnow_env *env,
                                      struct winnow_error *err)
{
    if (!opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE, "-t PATH names the tokenizer");
    }
    TRY(env_need_write(env, err));
    const struct guarded what = {.paths = *paths};
    TRY(guard_file(NULL, &what, &TOKENIZER_DECODE_TABLE, opt, err));
    struct decoding d = {.opt = opt, .parser = json_parser_new()};
    winnow_status st = model_load_tokenizer(opt->tokenizer, &d.t, err);
    for (size_t i = 0; st == WINNOW_OK && i < paths->count; i++) {
        st = decode_file(&d, paths->items[i], env, err);
    }
    if (st == WINNOW_OK && d.lines == 0) {
        st =
            error_set(err, WINNOW_E_FORMAT, "there is no line of tokens in the input: it is empty");
    } else if (st == WINNOW_OK) {
        st = env_write(env, buf_str(&d.out), err);
    }
    json_parser_free(d.parser);
    u32_list_release(&d.ids);
    buf_release(&d.text);
    buf_release(&d.out);
    tokenizer_free(d.t);
    return st;
}
