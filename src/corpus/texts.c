/* texts.c -- walks the shards of a corpus block by block. */
#include "corpus/texts.h"

#include "base/env.h"

#include <inttypes.h>

/* Of --memory a byte of a long line: raw, parsed, and what is made of it; half of it
 * is for what the command gathers. */
#define TEXT_BYTES 6U

winnow_status texts_open(struct texts *t, const struct winnow_text_options *opt,
                         struct winnow_list paths, const struct winnow_env *env,
                         struct winnow_text_result *result, struct winnow_error *err)
{
    const struct shards_options find = {.paths = paths, .files_from = opt->files_from};
    const struct document_keys keys = {opt->text_key, opt->id_key};
    *t = (struct texts){.opt = opt, .env = env, .result = result};
    t->budget = (struct line_budget){env->memory_max, env->memory_max / 2, TEXT_BYTES, NULL};
    t->parser = block_parser_new(&keys);
    TRY(shards_find(&find, &t->shards, err));
    account_warn_skipped(t->shards.account, env);
    return opt->on_bad == WINNOW_TEXT_STOP ? account_need_all(t->shards.account, err) : WINNOW_OK;
}

void texts_release(struct texts *t)
{
    shard_reader_close(t->reader);
    block_parser_free(t->parser);
    shard_block_release(&t->block);
    shard_list_release(&t->shards);
    *t = (struct texts){0};
}

winnow_status texts_next_block(struct texts *t, struct shard_block *block, bool *more,
                               struct winnow_error *err)
{
    *more = false;
    while (!*more) {
        TRY(env_check(t->env, err));
        if (!t->reader) {
            if (t->shard == t->shards.count) {
                return WINNOW_OK;
            }
            if (t->shard == 0) {
                env_progress(t->env, "read", "bytes", 0, t->shards.bytes);
            }
            const struct shard *s = &t->shards.items[t->shard++];
            struct shard_reader_options options = SHARD_READER_OPTIONS_INIT;
            options.line_max = (size_t)t->opt->line_max;
            options.window_max = t->env->memory_max / 4;
            options.budget = t->budget;
            options.stamp = &s->stamp;
            options.keep_going = true;
            TRY(shard_reader_open(&t->reader, s->path, s->name, &options, err));
        }
        TRY(shard_reader_next(t->reader, block, more, err));
        uint64_t done = t->bytes_done + shard_reader_bytes_read(t->reader);
        if (*more) {
            env_progress(t->env, "read", "bytes", done, t->shards.bytes);
        } else {
            t->bytes_done = done;
            shard_reader_close(t->reader);
            t->reader = NULL;
        }
    }
    return WINNOW_OK;
}

winnow_status texts_bad(struct texts *t, const struct bad_line *bad, const char *shard,
                        struct winnow_error *err)
{
    account_bad(t->shards.account, shard, bad);
    t->result->documents_bad += !bad->torn;
    if (t->opt->on_bad == WINNOW_TEXT_STOP) {
        return error_set(err, WINNOW_E_FORMAT, "%s: line %" PRIu64 ": %.*s", shard, bad->line,
                         STR_ARG(bad->reason));
    }
    if (!bad->torn && t->result->documents_bad == 1) {
        env_log(t->env, WINNOW_LOG_WARNING, "%s: line %" PRIu64 " is left out: %.*s", shard,
                bad->line, STR_ARG(bad->reason));
    }
    return WINNOW_OK;
}

winnow_status texts_next_document(struct texts *t, struct document *d, bool *more,
                                  struct winnow_error *err)
{
    *more = false;
    if (t->opt->limit > 0 && t->result->documents == t->opt->limit) {
        return WINNOW_OK;
    }
    for (;;) {
        if (!t->block_open) {
            TRY(texts_next_block(t, &t->block, &t->block_open, err));
            if (!t->block_open) {
                return WINNOW_OK;
            }
            block_parser_start(t->parser, &t->block);
        }
        struct parsed item;
        TRY(block_parser_next(t->parser, &item, err));
        if (item.kind == PARSED_END) {
            t->block_open = false;
        } else if (item.kind == PARSED_BAD) {
            TRY(texts_bad(t, &item.bad, t->block.shard, err));
        } else {
            t->result->documents++;
            t->result->bytes += item.document.text.len;
            *d = item.document;
            *more = true;
            return WINNOW_OK;
        }
    }
}

winnow_status texts_next(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    struct document d;
    TRY(texts_next_document(ctx, &d, more, err));
    if (*more) {
        *text = d.text;
    }
    return WINNOW_OK;
}

winnow_status texts_read(const struct texts *t, uint64_t documents, struct winnow_error *err)
{
    struct input_account *a = t->shards.account;
    a->documents = documents;
    TRY(account_need_documents(a, err));
    if (t->result->documents_bad > 1) {
        env_log(t->env, WINNOW_LOG_WARNING, "%" PRIu64 " bad lines were left out in all",
                t->result->documents_bad);
    }
    return WINNOW_OK;
}

winnow_status texts_end(const struct texts *t, struct winnow_error *err)
{
    t->result->complete = true;
    return account_tell_lost(t->shards.account, err);
}
