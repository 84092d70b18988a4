/* tokenizer_encode.c -- `tokenizer encode`: corpus/scan.h makes ids of documents on all
 * threads, which are joined in order into one token file or JSON lines. */
#include "winnow/tokenizer.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/pool.h"
#include "corpus/scan.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/guard.h"
#include "token/token_file.h"
#include "token/tokenizer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* For --memory: ids take up to four times a block's bytes, or a long line's. */
#define BLOCK_BYTES ((size_t)20 << 20)
#define LINE_FACTOR 14.0

/* What a worker made of a block, to be written in turn. */
struct piece {
    struct tokenizer_scratch *scratch;
    struct u32_list ids;
    struct u32_list ends; /* of each document in ids (their number fits: a block is bounded) */
    struct buf names;     /* JSON lines: each id quoted, one after the other, ended by '\n' */
    struct u32_list bytes;
};

struct encoding {
    const struct winnow_tokenizer_encode_options *opt;
    const struct winnow_env *env;
    struct tokenizer *t;
    enum winnow_token_format format;
    uint32_t separator;
    struct shard_list shards;
    struct pool *pool;
    struct tokenizer_scratch **scratch; /* one a thread */
    struct token_file *file;
    struct buf json, json_tmp; /* json_tmp: the file's name until it is whole */
    int json_fd;               /* -1: env->write takes it, or there is none */
    struct winnow_tokenizer_encode_result *result;
};

static void *new_piece(void *ctx, uint32_t worker)
{
    const struct encoding *e = ctx;
    struct piece *p = mem_zalloc(sizeof *p);
    p->scratch = e->scratch[worker];
    return p;
}

static void free_piece(void *ctx, void *piece)
{
    (void)ctx;
    struct piece *p = piece;
    u32_list_release(&p->ids);
    u32_list_release(&p->ends);
    u32_list_release(&p->bytes);
    buf_release(&p->names);
    mem_free(p);
}

static winnow_status encode_document(void *ctx, void *piece, const struct document *d,
                                     const char *shard, struct winnow_error *err)
{
    (void)shard;
    (void)err;
    const struct encoding *e = ctx;
    struct piece *out = piece;
    bool before = e->format == WINNOW_TOKENS_LLMC;
    unsigned flags = (e->opt->bos_eos ? TOKENIZER_ADD_SPECIAL : 0U) |
                     (e->opt->specials ? 0U : TOKENIZER_PLAIN_SPECIAL);
    if (e->separator != TOKENIZER_NONE && before) {
        u32_list_add(&out->ids, e->separator);
    }
    tokenizer_encode(e->t, out->scratch, d->text, flags, &out->ids);
    if (e->separator != TOKENIZER_NONE && !before) {
        u32_list_add(&out->ids, e->separator);
    }
    u32_list_add(&out->ends, (uint32_t)out->ids.len);
    u32_list_add(&out->bytes, (uint32_t)d->text.len);
    if (e->format == WINNOW_TOKENS_JSONL) {
        json_quote(&out->names, d->id);
        buf_add_char(&out->names, '\n');
    }
    return WINNOW_OK;
}

static winnow_status flush_json(struct encoding *e, struct winnow_error *err)
{
    TRY(e->json_fd >= 0 ? file_write_fd(e->json_fd, buf_str(&e->json), e->opt->output, err)
                        : env_write(e->env, buf_str(&e->json), err));
    buf_clear(&e->json);
    return WINNOW_OK;
}

static winnow_status write_json(struct encoding *e, struct str name, const uint32_t *ids,
                                size_t count, struct winnow_error *err)
{
    buf_add_text(&e->json, "{\"id\": ");
    buf_add_str(&e->json, name);
    buf_add_text(&e->json, ", \"tokens\": [");
    for (size_t i = 0; i < count; i++) {
        buf_addf(&e->json, i > 0 ? ", %" PRIu32 : "%" PRIu32, ids[i]);
    }
    buf_add_text(&e->json, "]}\n");
    return e->json.len >= (size_t)1 << 20 ? flush_json(e, err) : WINNOW_OK;
}

/* Writes a block's documents; *stop when the limit is reached. */
static winnow_status write_piece(struct encoding *e, const struct piece *p, bool *stop,
                                 struct winnow_error *err)
{
    struct winnow_text_result *r = &e->result->text;
    struct str names = buf_str(&p->names), name = {0};
    size_t from = 0;
    for (size_t i = 0; i < p->ends.len && !*stop; i++) {
        size_t count = p->ends.ptr[i] - from;
        if (e->format == WINNOW_TOKENS_JSONL) {
            (void)str_next_line(&names, &name);
            TRY(write_json(e, name, p->ids.ptr + from, count, err));
        } else {
            TRY(token_file_add(e->file, p->ids.ptr + from, count, err));
        }
        r->documents++;
        r->bytes += p->bytes.ptr[i];
        e->result->tokens += count;
        from = p->ends.ptr[i];
        *stop = r->documents == e->opt->text.limit;
    }
    return WINNOW_OK;
}

static winnow_status join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    winnow_status st = write_piece(ctx, piece, stop, err);
    free_piece(ctx, piece);
    return st;
}

static winnow_status encode_all(struct encoding *e, struct winnow_error *err)
{
    const struct winnow_text_options *text = &e->opt->text;
    const struct document_keys keys = {text->text_key, text->id_key, text->chat};
    const struct scan_options scan = {
        .keys = &keys,
        .line_max = (size_t)text->line_max,
        .stop_at_bad = text->on_bad == WINNOW_TEXT_STOP,
        .progress = "read",
        .block_bytes = BLOCK_BYTES,
        .line_factor = LINE_FACTOR,
    };
    const struct scan_ops ops = {e, new_piece, encode_document, join, free_piece, NULL};
    struct scan_counts counts = {0};
    TRY(scan_documents(&e->shards, &scan, e->pool, e->env, &ops, &counts, err));
    e->result->text.documents_bad = counts.bad;
    e->shards.account->documents = e->result->text.documents; /* behind a limit none counts */
    TRY(account_need_documents(e->shards.account, err));
    account_warn_bad(e->shards.account, e->env);
    return WINNOW_OK;
}

static enum winnow_token_format format_of(const struct winnow_tokenizer_encode_options *opt)
{
    struct str name = str_of(opt->output);
    if (opt->format != WINNOW_TOKENS_AUTO) {
        return (enum winnow_token_format)opt->format;
    }
    if (str_ends(name, STR_LIT(".npy"))) {
        return WINNOW_TOKENS_NPY;
    }
    return str_ends(name, STR_LIT(".bin")) ? WINNOW_TOKENS_LLMC : WINNOW_TOKENS_JSONL;
}

/* Opens what is written to. */
static winnow_status open_output(struct encoding *e, struct winnow_error *err)
{
    static const enum token_file_kind KINDS[] = {[WINNOW_TOKENS_NPY] = TOKEN_FILE_NPY,
                                                 [WINNOW_TOKENS_LLMC] = TOKEN_FILE_LLMC,
                                                 [WINNOW_TOKENS_MEGATRON] = TOKEN_FILE_MEGATRON,
                                                 [WINNOW_TOKENS_NANOGPT] = TOKEN_FILE_NANOGPT};
    e->format = format_of(e->opt);
    e->separator = TOKENIZER_NONE;
    bool to_stdout = strcmp(e->opt->output, "-") == 0;
    const char *temporary = e->env->variable ? e->env->variable(e->env->user, "TMPDIR") : NULL;
    temporary = temporary && temporary[0] ? temporary : "/tmp";
    if (e->format == WINNOW_TOKENS_JSONL && to_stdout) {
        return env_need_write(e->env, err);
    }
    if (e->format == WINNOW_TOKENS_JSONL) {
        return file_open_temporary(e->opt->output, temporary, &e->json_tmp, &e->json_fd, err);
    }
    if (to_stdout) {
        return error_set(err, WINNOW_E_USAGE, "a token file needs a name (-o FILE)");
    }
    if (e->opt->separate) {
        e->separator = tokenizer_eos(e->t);
        if (e->separator == TOKENIZER_NONE) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s has no end-of-text token; --no-separate goes without",
                             e->opt->tokenizer);
        }
    }
    return token_file_open(&e->file, KINDS[e->format], e->opt->output, temporary,
                           tokenizer_vocab_size(e->t), err);
}

static winnow_status find_shards(struct encoding *e, struct winnow_list paths,
                                 struct winnow_error *err)
{
    const struct shards_options find = {
        .paths = paths, .files_from = e->opt->text.files_from, .env = e->env};
    TRY(shards_find(&find, &e->shards, err));
    account_warn_skipped(e->shards.account, e->env);
    return e->opt->text.on_bad == WINNOW_TEXT_STOP ? account_need_all(e->shards.account, err)
                                                   : WINNOW_OK;
}

static void start_workers(struct encoding *e)
{
    e->pool = pool_new(e->env->threads);
    e->scratch = mem_zalloc(pool_threads(e->pool) * sizeof(struct tokenizer_scratch *));
    for (uint32_t i = 0; i < pool_threads(e->pool); i++) {
        e->scratch[i] = tokenizer_scratch_new(e->t);
    }
}

/* Writes what is left and gives the output its name. */
static winnow_status commit(struct encoding *e, struct winnow_error *err)
{
    if (e->file) {
        return token_file_commit(e->file, err);
    }
    TRY(flush_json(e, err));
    if (e->json_tmp.len > 0) {
        TRY(file_commit(buf_cstr(&e->json_tmp), e->opt->output, err));
        buf_clear(&e->json_tmp);
    }
    return WINNOW_OK;
}

static void release(struct encoding *e)
{
    for (uint32_t i = 0; e->pool && i < pool_threads(e->pool); i++) {
        tokenizer_scratch_free(e->scratch[i]);
    }
    mem_free(e->scratch);
    pool_free(e->pool);
    token_file_close(e->file);
    shard_list_release(&e->shards);
    if (e->json_fd >= 0) {
        (void)close(e->json_fd);
    }
    if (e->json_tmp.len > 0) {
        (void)unlink(buf_cstr(&e->json_tmp));
    }
    buf_release(&e->json);
    buf_release(&e->json_tmp);
    tokenizer_free(e->t);
}

static winnow_status encode(struct encoding *e, struct winnow_list paths, struct winnow_error *err)
{
    TRY(model_load_tokenizer(e->opt->tokenizer, &e->t, err));
    TRY(find_shards(e, paths, err));
    TRY(open_output(e, err));
    start_workers(e);
    TRY(encode_all(e, err));
    TRY(commit(e, err));
    e->result->text.complete = true;
    return account_tell_lost(e->shards.account, err);
}

winnow_status winnow_tokenizer_encode(const struct winnow_tokenizer_encode_options *opt,
                                      const struct winnow_list *paths, const struct winnow_env *env,
                                      struct winnow_tokenizer_encode_result *result,
                                      struct winnow_error *err)
{
    if (!opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE, "-t PATH names the tokenizer");
    }
    const struct guarded what = {.paths = *paths, .files_from = opt->text.files_from};
    TRY(guard_file(opt->output, &what, &TOKENIZER_ENCODE_TABLE, opt, err));
    *result = (struct winnow_tokenizer_encode_result){0};
    struct encoding e = {.opt = opt, .env = env, .json_fd = -1, .result = result};
    winnow_status st = encode(&e, *paths, err);
    release(&e);
    return st;
}
