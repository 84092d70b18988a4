/* encode_ending.c -- the section `encode` of a recipe: what the last stage kept, as token files.
 *
 * RUN/tokens/ gets train.bin of the documents and, where a stage set some aside to validate with
 * (`mix --validation`, `holdout`), val.bin of those of the last such stage; tokens.json says
 * how many.  It is `tokenizer encode` over the stage's folder. */
#include "flow/encode_ending.h"

#include "winnow/tokenizer.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "option/tables.h"

#include <inttypes.h>

struct encode_options {
    const char *tokenizer;
    int format; /* of FORMATS */
};

static const char *const FORMATS[] = {"nanogpt", "llmc", "npy", "megatron", NULL};
static const struct {
    enum winnow_token_format format;
    const char *ending; /* of the file that is named */
} WAYS[] = {{WINNOW_TOKENS_NANOGPT, ".bin"},
            {WINNOW_TOKENS_LLMC, ".bin"},
            {WINNOW_TOKENS_NPY, ".npy"},
            {WINNOW_TOKENS_MEGATRON, ""}};

static const struct option OPTIONS[] = {
    OPT_FILE(0, "tokenizer", struct encode_options, tokenizer,
             "tokenizer.json, or a folder that holds one"),
    OPT_ENUM(0, "format", struct encode_options, format, FORMATS, "of the token files"),
    OPT_END,
};

static const struct encode_options DEFAULTS = {.tokenizer = NULL};

static const struct option_table ENCODE_TABLE = {
    .command = "encode",
    .summary = "token files of what the last stage kept, in RUN/tokens",
    .options = OPTIONS,
    .defaults = &DEFAULTS,
    .size = sizeof DEFAULTS,
};

static winnow_status check_ending(struct run *r, const void *options, struct winnow_error *err)
{
    (void)r;
    const struct encode_options *o = options;
    if (!o->tokenizer) {
        return error_set(err, WINNOW_E_USAGE,
                         "encode needs a tokenizer: `encode: {tokenizer: PATH}`");
    }
    if (!file_exists(o->tokenizer)) {
        return error_set(err, WINNOW_E_USAGE, "encode: the tokenizer %s does not exist",
                         o->tokenizer);
    }
    return WINNOW_OK;
}

struct encoded {
    uint64_t documents, tokens;
};

/* The documents of a folder as RUN/tokens/NAME. */
static winnow_status encode_folder(struct run *r, const struct encode_options *o,
                                   const char *folder, const char *name, struct encoded *out,
                                   struct winnow_error *err)
{
    const struct winnow_corpus_options *corpus = run_corpus(r);
    struct winnow_tokenizer_encode_options opt = WINNOW_TOKENIZER_ENCODE_OPTIONS_INIT;
    struct winnow_tokenizer_encode_result result;
    const struct winnow_list paths = {&folder, 1};
    struct buf path = {0};
    buf_addf(&path, "%s/tokens/%s%s", run_folder(r), name, WAYS[o->format].ending);
    opt.tokenizer = o->tokenizer;
    opt.format = (int)WAYS[o->format].format;
    opt.text.text_key = corpus->text_key;
    opt.text.chat = corpus->chat;
    opt.text.id_key = corpus->id_key;
    opt.text.line_max = corpus->line_max;
    opt.output = buf_cstr(&path);
    winnow_status st = winnow_tokenizer_encode(&opt, &paths, run_env(r), &result, err);
    if (st == WINNOW_OK) {
        *out = (struct encoded){result.text.documents, result.tokens};
        env_log(run_env(r), WINNOW_LOG_INFO,
                "encode: %s: %" PRIu64 " tokens of %" PRIu64 " documents", buf_cstr(&path),
                out->tokens, out->documents);
    }
    buf_release(&path);
    return st;
}

/* The aside/ of the last stage that has one, into out; false where none has. */
static bool find_aside(const struct run *r, struct buf *out)
{
    for (size_t i = run_stage_count(r); i-- > 0;) {
        if (file_is_dir(file_join(out, run_stage_folder(r, i), "aside"))) {
            return true;
        }
    }
    return false;
}

static void write_part(struct json_writer *w, const char *name, const struct encoded *e)
{
    json_member_open(w, name, '{');
    json_member_u64(w, "documents", e->documents);
    json_member_u64(w, "tokens", e->tokens);
    json_close(w, '}');
}

static winnow_status encode_all(struct run *r, const struct encode_options *o, const char *aside,
                                struct buf *json, struct winnow_error *err)
{
    struct encoded train = {0}, val = {0};
    const char *last = run_stage_folder(r, run_stage_count(r) - 1);
    struct json_writer w = {.out = json, .pretty = true};
    TRY(encode_folder(r, o, last, "train", &train, err));
    if (aside) {
        TRY(encode_folder(r, o, aside, "val", &val, err));
    }
    json_open(&w, '{');
    json_member_text(&w, "format", FORMATS[o->format]);
    write_part(&w, "train", &train);
    if (aside) {
        write_part(&w, "val", &val);
    }
    json_close(&w, '}');
    buf_add_char(json, '\n');
    return WINNOW_OK;
}

static winnow_status run_ending(struct run *r, const void *options, const char *key,
                                struct winnow_error *err)
{
    (void)key; /* its files are written whole each time */
    struct buf folder = {0}, aside = {0}, json = {0}, path = {0};
    bool has_aside = find_aside(r, &aside);
    winnow_status st = file_make_dirs(file_join(&folder, run_folder(r), "tokens"), err);
    if (st == WINNOW_OK) {
        st = encode_all(r, options, has_aside ? buf_cstr(&aside) : NULL, &json, err);
    }
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, buf_cstr(&folder), "tokens.json"), buf_str(&json),
                               err);
    }
    buf_release(&folder);
    buf_release(&aside);
    buf_release(&json);
    buf_release(&path);
    return st;
}

const struct ending_kind ENCODE_ENDING = {
    .table = &ENCODE_TABLE,
    .run = run_ending,
    .check = check_ending,
    .product = "tokens/tokens.json",
};
