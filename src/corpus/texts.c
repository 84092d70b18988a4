/* texts.c -- one document after the other, and what is said of those that are none. */
#include "corpus/texts.h"

#include "base/env.h"

/* Of --memory a byte of a long line: raw, parsed, and what is made of it; half of it
 * is for what the command gathers. */
#define TEXT_BYTES 6U

void texts_over(struct texts *t, const struct shard_list *shards, const struct document_keys *keys,
                const struct winnow_env *env, struct winnow_text_result *result)
{
    const struct block_walk_options walk = {
        .env = env,
        .line_max = (size_t)t->opt.line_max,
        .budget = {env->memory_max, env->memory_max / 2, TEXT_BYTES, NULL},
        .progress = t->shards.account ? "read" : NULL,
    };
    t->env = env;
    t->result = result;
    t->parser = block_parser_new(keys);
    block_walk_start(&t->walk, shards, &walk);
}

winnow_status texts_open(struct texts *t, const struct winnow_text_options *opt,
                         struct winnow_list paths, const struct winnow_env *env,
                         struct winnow_text_result *result, struct winnow_error *err)
{
    const struct shards_options find = {.paths = paths, .files_from = opt->files_from, .env = env};
    const struct document_keys keys = {opt->text_key, opt->id_key, opt->chat};
    *t = (struct texts){.opt = *opt};
    TRY(shards_find(&find, &t->shards, err));
    account_warn_skipped(t->shards.account, env);
    texts_over(t, &t->shards, &keys, env, result);
    return opt->on_bad == WINNOW_TEXT_STOP ? account_need_all(t->shards.account, err) : WINNOW_OK;
}

void texts_budget(struct texts *t, const struct line_budget *budget)
{
    t->walk.opt.budget = *budget;
}

void texts_release(struct texts *t)
{
    block_walk_end(&t->walk);
    block_parser_free(t->parser);
    shard_block_release(&t->block);
    shard_list_release(&t->shards);
    *t = (struct texts){0};
}

static winnow_status note_bad(struct texts *t, const struct bad_line *bad, struct winnow_error *err)
{
    struct input_account *a = t->walk.shards->account;
    account_bad(a, t->block.label, bad);
    t->result->documents_bad++;
    if (t->opt.on_bad != WINNOW_TEXT_STOP) {
        return WINNOW_OK;
    }
    if (bad->torn) {
        return account_need_all(a, err);
    }
    return error_set(err, WINNOW_E_FORMAT, "%.*s", STR_ARG(a->first_bad));
}

winnow_status texts_next(struct texts *t, struct document *d, bool *more, struct winnow_error *err)
{
    *more = false;
    if (t->opt.limit > 0 && t->result->documents == t->opt.limit) {
        return WINNOW_OK;
    }
    for (;;) {
        if (!t->block_open) {
            TRY(env_check(t->env, err));
            TRY(block_walk_next(&t->walk, &t->block, &t->block_open, err));
            block_walk_progress(&t->walk);
            if (!t->block_open) {
                return WINNOW_OK;
            }
            t->block_number++;
            block_parser_start(t->parser, &t->block);
        }
        struct parsed item;
        TRY(block_parser_next(t->parser, &item, err));
        if (item.kind == PARSED_END) {
            t->block_open = false;
        } else if (item.kind == PARSED_BAD) {
            TRY(note_bad(t, &item.bad, err));
        } else {
            t->result->documents++;
            t->result->bytes += item.document.text.len;
            t->walk.shards->account->documents++;
            *d = item.document;
            *more = true;
            return WINNOW_OK;
        }
    }
}

const char *texts_shard(const struct texts *t)
{
    return t->block.shown;
}

winnow_status texts_next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    struct document d;
    TRY(texts_next(ctx, &d, more, err));
    if (*more) {
        *text = d.text;
    }
    return WINNOW_OK;
}

winnow_status texts_read(const struct texts *t, uint64_t documents, struct winnow_error *err)
{
    struct input_account *a = t->walk.shards->account;
    a->documents = documents;
    TRY(account_need_documents(a, err));
    account_warn_bad(a, t->env);
    return WINNOW_OK;
}

winnow_status texts_end(const struct texts *t, struct winnow_error *err)
{
    t->result->complete = true;
    return account_tell_lost(t->walk.shards->account, err);
}
