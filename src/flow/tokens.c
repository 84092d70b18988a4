/* tokens.c -- how many tokens each stage's documents are. */
#include "flow/tokens.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/scan.h"
#include "token/tokenizer.h"

#include <stdio.h>

struct worker {
    struct tokenizer_scratch *scratch;
    struct u32_list ids;
};

struct counter {
    struct run *run;
    struct tokenizer *tokenizer;
    struct worker *workers;
    uint64_t tokens; /* of the stage */
};

/* What one block gave. */
struct piece {
    struct worker *worker;
    uint64_t tokens;
};

static void *new_piece(void *ctx, uint32_t worker)
{
    const struct counter *c = ctx;
    struct piece *p = mem_zalloc(sizeof *p);
    p->worker = &c->workers[worker];
    return p;
}

static void free_piece(void *ctx, void *piece)
{
    (void)ctx;
    mem_free(piece);
}

static winnow_status count_document(void *ctx, void *piece, const struct document *d,
                                    const char *shard, struct winnow_error *err)
{
    (void)shard;
    (void)err;
    const struct counter *c = ctx;
    struct piece *p = piece;
    p->worker->ids.len = 0;
    tokenizer_encode(c->tokenizer, p->worker->scratch, d->text, TOKENIZER_PLAIN_SPECIAL,
                     &p->worker->ids);
    p->tokens += p->worker->ids.len;
    return WINNOW_OK;
}

static winnow_status join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    (void)stop;
    (void)err;
    struct counter *c = ctx;
    c->tokens += ((struct piece *)piece)->tokens;
    free_piece(c, piece);
    return WINNOW_OK;
}

/* A stage has written the documents: nothing of them can be bad or lost. */
static winnow_status count_stage(struct counter *c, size_t stage, struct winnow_error *err)
{
    const struct winnow_corpus_options *corpus = run_corpus(c->run);
    const struct document_keys keys = {corpus->text_key, corpus->id_key, corpus->chat};
    const struct scan_options scan = {.keys = &keys, .stop_at_bad = true, .progress = "tokens"};
    const struct scan_ops ops = {c, new_piece, count_document, join, free_piece, NULL};
    struct scan_counts counts;
    struct shard_list list = {0};
    c->tokens = 0;
    winnow_status st = run_stage_output(c->run, stage, &list, err);
    if (st == WINNOW_OK) {
        st = scan_documents(&list, &scan, run_pool(c->run), run_env(c->run), &ops, &counts, err);
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
    json_member_text(&w, "tokenizer", tokenizer);
    json_member_open(&w, "stages", '{');
    for (size_t i = 0; i < run_stage_count(c->run) && st == WINNOW_OK; i++) {
        st = count_stage(c, i, err);
        json_member_u64(&w, file_base(run_stage_folder(c->run, i)), c->tokens);
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
    struct counter c = {.run = r};
    TRY(tokenizer_load(path, &c.tokenizer, err));
    c.workers = mem_zalloc(threads * sizeof *c.workers);
    for (uint32_t i = 0; i < threads; i++) {
        c.workers[i].scratch = tokenizer_scratch_new(c.tokenizer);
    }
    winnow_status st = write_counts(&c, name, err);
    for (uint32_t i = 0; i < threads; i++) {
        tokenizer_scratch_free(c.workers[i].scratch);
        u32_list_release(&c.workers[i].ids);
    }
    mem_free(c.workers);
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
