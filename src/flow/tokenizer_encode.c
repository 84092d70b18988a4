/* tokenizer_encode.c -- `tokenizer encode`: blocks to ids on all threads, joined
 * in order into one token file or JSON lines. */
#include "winnow/tokenizer.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/pool.h"
#include "corpus/texts.h"
#include "model/model_file.h"
#include "option/tokenizer_options.h"
#include "run/guard.h"
#include "token/token_file.h"
#include "token/tokenizer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define SLOT_BYTES ((uint64_t)20 << 20)

/* A block on its way: what a worker made of it, to be written in turn. */
struct encoded {
    struct shard_block block;
    struct u32_list ids;
    struct u32_list ends; /* of each document in ids (their number fits: a block is bounded) */
    struct buf names;     /* JSON lines: each id quoted, one after the other, ended by '\n' */
    struct u32_list bytes;
    struct buf bad; /* the first bad line's sentence, and how many there are */
    struct bad_line first_bad;
    uint64_t bad_count;
    winnow_status st;
    struct winnow_error err;
};

struct worker {
    struct block_parser *parser;
    struct tokenizer_scratch *scratch;
};

struct encoding {
    const struct winnow_tokenizer_encode_options *opt;
    const struct winnow_env *env;
    struct tokenizer *t;
    enum winnow_token_format format;
    uint32_t separator;
    struct texts texts;
    struct pool *pool;
    struct worker *workers;
    struct encoded *slots; /* blocks of one round */
    size_t slot_count;
    struct token_file *file;
    struct buf json, json_tmp; /* json_tmp: the file's name until it is whole */
    int json_fd;               /* -1: none */
    struct winnow_tokenizer_encode_result *result;
};

static void encode_document(const struct encoding *e, const struct document *d,
                            struct tokenizer_scratch *scratch, struct encoded *out)
{
    bool before = e->format == WINNOW_TOKENS_LLMC;
    unsigned flags = (e->opt->template ? TOKENIZER_ADD_SPECIAL : 0U) |
                     (e->opt->specials ? 0U : TOKENIZER_PLAIN_SPECIAL);
    if (e->separator != TOKENIZER_NONE && before) {
        u32_list_add(&out->ids, e->separator);
    }
    tokenizer_encode(e->t, scratch, d->text, flags, &out->ids);
    if (e->separator != TOKENIZER_NONE && !before) {
        u32_list_add(&out->ids, e->separator);
    }
    u32_list_add(&out->ends, (uint32_t)out->ids.len);
    u32_list_add(&out->bytes, (uint32_t)d->text.len);
    if (e->format == WINNOW_TOKENS_JSONL) {
        json_quote(&out->names, d->id);
        buf_add_char(&out->names, '\n');
    }
}

static void encode_block(void *ctx, size_t piece, uint32_t worker)
{
    struct encoding *e = ctx;
    struct encoded *out = &e->slots[piece];
    struct worker *w = &e->workers[worker];
    out->ids.len = out->ends.len = out->bytes.len = 0;
    buf_clear(&out->names);
    buf_clear(&out->bad);
    out->bad_count = 0;
    block_parser_start(w->parser, &out->block);
    struct parsed item = {.kind = PARSED_BAD};
    for (;;) {
        out->st = block_parser_next(w->parser, &item, &out->err);
        if (out->st != WINNOW_OK || item.kind == PARSED_END) {
            return;
        }
        if (item.kind == PARSED_DOCUMENT) {
            encode_document(e, &item.document, w->scratch, out);
        } else if (out->bad_count++ == 0) {
            buf_add_str(&out->bad, item.bad.reason);
            out->first_bad = item.bad;
        }
    }
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
    if (e->json.len >= (size_t)1 << 20) {
        TRY(file_write_fd(e->json_fd, buf_str(&e->json), e->opt->output, err));
        buf_clear(&e->json);
    }
    return WINNOW_OK;
}

/* Writes a block's documents; *done when the limit is reached. */
static winnow_status write_block(struct encoding *e, struct encoded *b, bool *done,
                                 struct winnow_error *err)
{
    struct winnow_text_result *r = &e->result->text;
    if (b->st != WINNOW_OK) {
        *err = b->err;
        return b->st;
    }
    for (uint64_t i = 0; i < b->bad_count; i++) {
        b->first_bad.reason = buf_str(&b->bad);
        TRY(texts_bad(&e->texts, &b->first_bad, b->block.shard, err));
    }
    struct str names = buf_str(&b->names), name = {0};
    size_t from = 0;
    for (size_t i = 0; i < b->ends.len && !*done; i++) {
        size_t count = b->ends.ptr[i] - from;
        if (e->format == WINNOW_TOKENS_JSONL) {
            (void)str_next_line(&names, &name);
            TRY(write_json(e, name, b->ids.ptr + from, count, err));
        } else {
            TRY(token_file_add(e->file, b->ids.ptr + from, count, err));
        }
        r->documents++;
        r->bytes += b->bytes.ptr[i];
        e->result->tokens += count;
        from = b->ends.ptr[i];
        *done = r->documents == e->opt->text.limit;
    }
    return WINNOW_OK;
}

static winnow_status encode_all(struct encoding *e, struct winnow_error *err)
{
    bool more = true, done = false;
    while (more && !done) {
        size_t filled = 0;
        while (filled < e->slot_count && more) {
            TRY(texts_next_block(&e->texts, &e->slots[filled].block, &more, err));
            filled += more;
        }
        pool_run(e->pool, filled, encode_block, e);
        for (size_t i = 0; i < filled && !done; i++) {
            TRY(write_block(e, &e->slots[i], &done, err));
        }
    }
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
                                                 [WINNOW_TOKENS_MEGATRON] = TOKEN_FILE_MEGATRON};
    e->format = format_of(e->opt);
    e->separator = TOKENIZER_NONE;
    bool to_stdout = strcmp(e->opt->output, "-") == 0;
    const char *temporary = e->env->variable ? e->env->variable(e->env->user, "TMPDIR") : NULL;
    temporary = temporary && temporary[0] ? temporary : "/tmp";
    if (e->format == WINNOW_TOKENS_JSONL && to_stdout) {
        e->json_fd = STDOUT_FILENO;
        return WINNOW_OK;
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

static void start_workers(struct encoding *e)
{
    const struct document_keys keys = {e->opt->text.text_key, e->opt->text.id_key};
    e->pool = pool_new(e->env->threads);
    uint32_t threads = pool_threads(e->pool);
    e->workers = mem_zalloc(threads * sizeof *e->workers);
    for (uint32_t i = 0; i < threads; i++) {
        e->workers[i].parser = block_parser_new(&keys);
        e->workers[i].scratch = tokenizer_scratch_new(e->t);
    }
    e->slot_count = (size_t)threads * 2;
    uint64_t limit = e->env->memory_max;
    if (limit > 0) { /* a block's ids take up to four times its bytes */
        uint64_t most = limit / 2 / SLOT_BYTES;
        e->slot_count = e->slot_count < most ? e->slot_count : most > 0 ? (size_t)most : 1;
        e->texts.budget.per_byte = 6.0 * (double)e->slot_count;
    }
    e->slots = mem_zalloc(e->slot_count * sizeof *e->slots);
}

/* Writes what is left and gives the output its name. */
static winnow_status commit(struct encoding *e, struct winnow_error *err)
{
    if (e->file) {
        return token_file_commit(e->file, err);
    }
    TRY(file_write_fd(e->json_fd, buf_str(&e->json), e->opt->output, err));
    if (e->json_tmp.len > 0) {
        TRY(file_commit(buf_cstr(&e->json_tmp), e->opt->output, err));
        buf_clear(&e->json_tmp);
    }
    return WINNOW_OK;
}

static void release(struct encoding *e)
{
    for (uint32_t i = 0; e->pool && i < pool_threads(e->pool); i++) {
        block_parser_free(e->workers[i].parser);
        tokenizer_scratch_free(e->workers[i].scratch);
    }
    for (size_t i = 0; i < e->slot_count; i++) {
        shard_block_release(&e->slots[i].block);
        u32_list_release(&e->slots[i].ids);
        u32_list_release(&e->slots[i].ends);
        u32_list_release(&e->slots[i].bytes);
        buf_release(&e->slots[i].names);
        buf_release(&e->slots[i].bad);
    }
    mem_free(e->workers);
    mem_free(e->slots);
    pool_free(e->pool);
    token_file_close(e->file);
    texts_release(&e->texts);
    if (e->json_fd >= 0 && e->json_fd != STDOUT_FILENO) {
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
    struct winnow_text_result *read = &e->result->text;
    TRY(model_load_tokenizer(e->opt->tokenizer, &e->t, err));
    TRY(texts_open(&e->texts, &e->opt->text, paths, e->env, read, err));
    TRY(open_output(e, err));
    start_workers(e);
    TRY(encode_all(e, err));
    TRY(texts_read(&e->texts, read->documents, err));
    TRY(commit(e, err));
    return texts_end(&e->texts, err);
}

winnow_status winnow_tokenizer_encode(const struct winnow_tokenizer_encode_options *opt,
                                      struct winnow_list paths, const struct winnow_env *env,
                                      struct winnow_tokenizer_encode_result *result,
                                      struct winnow_error *err)
{
    if (!opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE, "-t PATH names the tokenizer");
    }
    const struct guarded what = {.paths = paths, .files_from = opt->text.files_from};
    TRY(guard_file(opt->output, &what, &TOKENIZER_ENCODE_TABLE, opt, err));
    *result = (struct winnow_tokenizer_encode_result){0};
    struct encoding e = {.opt = opt, .env = env, .json_fd = -1, .result = result};
    winnow_status st = encode(&e, paths, err);
    release(&e);
    return st;
}
