/* tokens.c -- how many tokens each stage's documents are.
 *
 * A batch of blocks is read, its blocks are parsed and encoded by the pool, and
 * counts are added up: whole numbers, so the order does not matter. */
#include "flow/tokens.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"
#include "corpus/shards.h"
#include "token/tokenizer.h"

#include <stdio.h>

#define BLOCK_BYTES ((uint64_t)12 << 20) /* of 4 MB, parsed and encoded */

struct worker {
    struct block_parser *parser;
    struct tokenizer_scratch *scratch;
    struct u32_list ids;
};

struct counter {
    struct run *run;
    struct tokenizer *tokenizer;
    struct worker *workers;
    struct shard_block *blocks;
    size_t block_count, filled;
    uint64_t *tokens; /* of each block */
    winnow_status *status;
    struct winnow_error *errors;
};

static void count_block(void *ctx, size_t piece, uint32_t worker)
{
    struct counter *c = ctx;
    struct worker *w = &c->workers[worker];
    struct parsed item;
    c->tokens[piece] = 0;
    block_parser_start(w->parser, &c->blocks[piece]);
    for (;;) {
        c->status[piece] = block_parser_next(w->parser, &item, &c->errors[piece]);
        if (c->status[piece] != WINNOW_OK || item.kind == PARSED_END) {
            return;
        }
        if (item.kind == PARSED_DOCUMENT) {
            w->ids.len = 0;
            tokenizer_encode(c->tokenizer, w->scratch, item.document.text, TOKENIZER_PLAIN_SPECIAL,
                             &w->ids);
            c->tokens[piece] += w->ids.len;
        } else { /* a stage has written it: nothing of it can be bad */
            c->status[piece] = error_set(&c->errors[piece], WINNOW_E_INTERNAL, "%s: %.*s",
                                         c->blocks[piece].shard, STR_ARG(item.bad.reason));
            return;
        }
    }
}

static winnow_status count_batch(struct counter *c, uint64_t *tokens, struct winnow_error *err)
{
    pool_run(run_pool(c->run), c->filled, count_block, c);
    for (size_t i = 0; i < c->filled; i++) {
        if (c->status[i] != WINNOW_OK) {
            return error_set(err, c->status[i], "%s", c->errors[i].text);
        }
        *tokens += c->tokens[i];
    }
    c->filled = 0;
    return env_check(run_env(c->run), err);
}

static winnow_status count_shard(struct counter *c, const struct shard *shard, uint64_t *tokens,
                                 struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    opt.stamp = &shard->stamp;
    winnow_status st = shard_reader_open(&reader, shard->path, shard->name, &opt, err);
    bool more = true;
    while (st == WINNOW_OK && more) {
        st = shard_reader_next(reader, &c->blocks[c->filled], &more, err);
        c->filled += st == WINNOW_OK && more;
        if (st == WINNOW_OK && (!more || c->filled == c->block_count)) {
            st = count_batch(c, tokens, err);
        }
    }
    shard_reader_close(reader);
    return st;
}

static winnow_status count_stage(struct counter *c, size_t stage, uint64_t *tokens,
                                 struct winnow_error *err)
{
    struct shard_list list = {0};
    *tokens = 0;
    winnow_status st = run_stage_output(c->run, stage, &list, err);
    uint64_t done = 0;
    env_progress(run_env(c->run), "tokens", "bytes", 0, list.bytes);
    for (size_t i = 0; i < list.count && st == WINNOW_OK; i++) {
        st = count_shard(c, &list.items[i], tokens, err);
        done += list.items[i].bytes;
        env_progress(run_env(c->run), "tokens", "bytes", done, list.bytes);
    }
    shard_list_release(&list);
    return st;
}

static winnow_status write_counts(struct counter *c, const char *tokenizer,
                                  struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    winnow_status st = WINNOW_OK;
    json_open(&w, '{');
    json_key(&w, "tokenizer");
    json_text(&w, tokenizer);
    json_key(&w, "stages");
    json_open(&w, '{');
    for (size_t i = 0; i < run_stage_count(c->run) && st == WINNOW_OK; i++) {
        uint64_t tokens = 0;
        st = count_stage(c, i, &tokens, err);
        json_key(&w, file_base(run_stage_folder(c->run, i)));
        json_u64(&w, tokens);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, run_folder(c->run), "tokens.json"), buf_str(&text),
                               err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

static winnow_status count_all(struct run *r, const char *name, const char *path,
                               struct winnow_error *err)
{
    uint32_t threads = pool_threads(run_pool(r));
    struct counter c = {.run = r, .block_count = (size_t)threads * 2};
    uint64_t limit = run_env(r)->memory_max, most = limit / 4 / BLOCK_BYTES;
    if (limit > 0 && most < c.block_count) {
        c.block_count = most > 0 ? (size_t)most : 1;
    }
    TRY(tokenizer_load(path, &c.tokenizer, err));
    const struct document_keys keys = {run_corpus(r)->text_key, run_corpus(r)->id_key};
    c.workers = mem_zalloc(threads * sizeof *c.workers);
    c.blocks = mem_zalloc(c.block_count * sizeof *c.blocks);
    c.tokens = mem_zalloc(c.block_count * sizeof *c.tokens);
    c.status = mem_zalloc(c.block_count * sizeof *c.status);
    c.errors = mem_zalloc(c.block_count * sizeof *c.errors);
    for (uint32_t i = 0; i < threads; i++) {
        c.workers[i].parser = block_parser_new(&keys);
        c.workers[i].scratch = tokenizer_scratch_new(c.tokenizer);
    }
    winnow_status st = write_counts(&c, name, err);
    for (uint32_t i = 0; i < threads; i++) {
        block_parser_free(c.workers[i].parser);
        tokenizer_scratch_free(c.workers[i].scratch);
        u32_list_release(&c.workers[i].ids);
    }
    for (size_t i = 0; i < c.block_count; i++) {
        shard_block_release(&c.blocks[i]);
    }
    mem_free(c.workers);
    mem_free(c.blocks);
    mem_free(c.tokens);
    mem_free(c.status);
    mem_free(c.errors);
    tokenizer_free(c.tokenizer);
    return st;
}

static winnow_status tokens_run(struct run *r, const void *options, const char *key,
                                struct winnow_error *err)
{
    (void)options;
    (void)key;
    static const char *const NAMES[] = {"tokenizer/tokenizer.json", "prove/tokenizer.json"};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (file_exists(file_join(&path, run_folder(r), NAMES[i]))) {
            st = count_all(r, NAMES[i], buf_cstr(&path), err);
            break;
        }
    }
    buf_release(&path);
    return st;
}

struct tokens_options {
    bool unused;
};

static const struct option OPTIONS[] = {
    OPT_END,
};

static const struct tokens_options DEFAULTS = {false};

static const struct option_table TOKENS_TABLE = {
    .command = "tokens",
    .summary = "count the tokens of each stage's documents",
    .options = OPTIONS,
    .defaults = &DEFAULTS,
    .size = sizeof DEFAULTS,
};

const struct ending_kind TOKENS_ENDING = {
    .table = &TOKENS_TABLE,
    .run = tokens_run,
    .always = true,
};
