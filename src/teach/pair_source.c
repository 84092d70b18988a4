/* pair_source.c -- the lines of labelled pages, one after the other.
 *
 * Taught and measured is all of the input or nothing: an unreadable shard stops it,
 * as a teaching set that shrank says nothing of itself afterwards. */
#include "teach/pair_source.h"

#include "base/json_span.h"

#include <inttypes.h>
#include <math.h>

/* Of --memory a byte of a long line: raw, parsed, page and clean text, what is made
 * of them; half of it is for what the command gathers. */
#define PAIR_FACTOR 14U

winnow_status pair_source_open(struct pair_source *s, const struct winnow_list *paths,
                               uint64_t limit, const struct winnow_env *env,
                               struct winnow_error *err)
{
    const struct shards_options find = {.paths = *paths, .kind = SHARDS_DOCUMENTS, .env = env};
    *s = (struct pair_source){.env = env, .limit = limit};
    const struct block_walk_options walk = {.env = env,
                                            .budget = {env->memory_max, env->memory_max / 2,
                                                       PAIR_FACTOR,
                                                       "leave such pages out of the input"},
                                            .progress = "read"};
    TRY(shards_find(&find, &s->shards, err));
    account_warn_skipped(s->shards.account, env);
    block_walk_start(&s->walk, &s->shards, &walk);
    return account_need_all(s->shards.account, err); /* who teaches means all of it */
}

void pair_source_release(struct pair_source *s)
{
    block_walk_end(&s->walk);
    shard_block_release(&s->block);
    shard_list_release(&s->shards);
    *s = (struct pair_source){0};
}

static winnow_status next_block(struct pair_source *s, bool *more, struct winnow_error *err)
{
    TRY(env_check(s->env, err));
    TRY(block_walk_next(&s->walk, &s->block, more, err));
    block_walk_progress(&s->walk);
    if (!*more) {
        s->shards.account->documents = s->given;
        return account_need_documents(s->shards.account, err);
    }
    if (s->block.bad.reason.len > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s, line %" PRIu64 ": %.*s", s->block.label,
                         s->block.bad.line, STR_ARG(s->block.bad.reason));
    }
    s->rest = s->block.lines;
    s->number = s->block.line - 1;
    return WINNOW_OK;
}

double pair_source_done(const struct pair_source *s, uint64_t bytes)
{
    double of_input = s->shards.bytes > 0 ? (double)bytes / (double)s->shards.bytes : 1;
    double of_limit = s->limit > 0 ? (double)s->given / (double)s->limit : 0;
    return fmin(fmax(of_input, of_limit), 1);
}

winnow_status pair_source_next(struct pair_source *s, struct pair_line *line, bool *more,
                               struct winnow_error *err)
{
    *more = false;
    if (s->limit > 0 && s->given == s->limit) {
        return WINNOW_OK;
    }
    for (;;) {
        struct str text;
        if (!str_next_line(&s->rest, &text)) {
            bool block;
            TRY(next_block(s, &block, err));
            if (!block) {
                return WINNOW_OK;
            }
            continue;
        }
        s->number++;
        if (text.len > line_budget_fits(&s->walk.opt.budget)) { /* in a block that fits by itself */
            return line_budget_refuse(&s->walk.opt.budget, s->block.shard, s->number, text.len,
                                      err);
        }
        if (str_trim(text).len > 0) {
            *line = (struct pair_line){text, s->block.label, s->number};
            *more = true;
            s->given++;
            return WINNOW_OK;
        }
    }
}

winnow_status pair_line_read(const struct pair_line *line, struct json_parser *parser,
                             const char *group, struct arena *keep, struct pair *out,
                             struct winnow_error *err)
{
    struct json_value root;
    winnow_status st = json_parse(parser, line->text, &root, err);
    if (st == WINNOW_OK) {
        st = pair_read(root, group, keep, out, err);
    }
    struct str id;
    if (st == WINNOW_OK && out->id.len == 0 && json_span_id(root, line->text, "id", &id)) {
        out->id = (struct str){arena_strndup(keep, id.ptr, id.len), id.len}; /* a number */
    }
    return st == WINNOW_OK ? st
                           : error_wrap(err, st, "%s, line %" PRIu64, line->shard, line->number);
}
