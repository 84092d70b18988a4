/* refine_share.c -- one store of answers out of one a rank.
 *
 * A rank asks for the documents of its shards in order, so its part is in order, too, and the
 * whole is a merge by ordinals.  A part is called after its rank and their number: the same
 * number of ranks goes on with it, another one asks anew. */
#include "refine/refine_share.h"

#include "base/file.h"
#include "base/mem.h"
#include "ranks/ranks.h"

#include <inttypes.h>

#define PART_OF "programs-" /* 2-of-4.jsonl */

static const char *part_path(const struct stage *stage, uint32_t rank, struct buf *out)
{
    struct buf name = {0};
    buf_addf(&name, PART_OF "%u-of-%u.jsonl", rank, ranks_count(stage_ranks(stage)));
    const char *path = stage_path(stage, buf_cstr(&name), out);
    buf_release(&name);
    return path;
}

struct clearing {
    const struct stage *stage;
    struct buf keep; /* "-of-4.jsonl", or empty */
    winnow_status st;
    struct winnow_error *err;
};

static void clear_one(void *ctx, const char *name)
{
    struct clearing *c = ctx;
    struct buf path = {0};
    bool kept = c->keep.len > 0 && str_find(str_of(name), buf_str(&c->keep)) != SIZE_MAX;
    if (c->st == WINNOW_OK && str_starts(str_of(name), STR_LIT(PART_OF)) && !kept) {
        c->st = file_remove_tree(stage_path(c->stage, name, &path), c->err);
    }
    buf_release(&path);
}

/* keep: those of this number of ranks. */
static winnow_status clear(struct stage *stage, bool keep, struct winnow_error *err)
{
    struct clearing c = {.stage = stage, .err = err};
    struct buf path = {0};
    bool found = false;
    if (keep) {
        buf_addf(&c.keep, "-of-%u.jsonl", ranks_count(stage_ranks(stage)));
    }
    winnow_status st =
        file_list(file_join(&path, stage_folder(stage), "state"), clear_one, &c, &found, err);
    buf_release(&path);
    buf_release(&c.keep);
    return st == WINNOW_OK ? c.st : st;
}

winnow_status refine_share_clear(struct stage *stage, struct winnow_error *err)
{
    return stage_leads(stage) ? clear(stage, false, err) : WINNOW_OK;
}

/* Whether all is there; what one process has of it is begun anew, by shards. */
static winnow_status look(struct stage *stage, bool *complete, struct winnow_error *err)
{
    struct answer_store *store = NULL;
    struct buf path = {0};
    winnow_status st = answer_store_open(stage_path(stage, REFINE_STORE, &path), &store, err);
    *complete = st == WINNOW_OK && answer_store_complete(store);
    if (store) {
        answer_store_close(store);
    }
    if (st == WINNOW_OK && !*complete) {
        st = clear(stage, true, err);
        st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&path), err) : st;
        buf_add_text(&path, ".mark");
        st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&path), err) : st;
    }
    buf_release(&path);
    return st;
}

/* Each ordinal is in one part at most. */
static winnow_status merge_parts(struct answer_store *all, struct answer_store *const *parts,
                                 uint32_t count, struct winnow_error *err)
{
    struct buf line = {0};
    uint64_t end = 0;
    winnow_status st = WINNOW_OK;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = answer_store_ordinals(parts[i]);
        end = n > end ? n : end;
    }
    for (uint64_t at = 0; at < end && st == WINNOW_OK; at++) {
        buf_clear(&line);
        for (uint32_t i = 0; i < count && line.len == 0 && st == WINNOW_OK; i++) {
            if (at < answer_store_ordinals(parts[i])) {
                st = answer_store_read(parts[i], at, &line, err);
            }
        }
        if (st == WINNOW_OK && line.len > 0) {
            st = answer_store_add(all, at, buf_str(&line), err);
        }
    }
    buf_release(&line);
    return st == WINNOW_OK ? answer_store_mark(all, true, err) : st;
}

static winnow_status join(struct stage *stage, struct winnow_error *err)
{
    uint32_t count = ranks_count(stage_ranks(stage));
    struct answer_store **parts = mem_zalloc(count * sizeof *parts), *all = NULL;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (uint32_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = answer_store_open(part_path(stage, i, &path), &parts[i], err);
    }
    st =
        st == WINNOW_OK ? answer_store_open(stage_path(stage, REFINE_STORE, &path), &all, err) : st;
    st = st == WINNOW_OK ? merge_parts(all, parts, count, err) : st;
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i]) {
            answer_store_close(parts[i]);
        }
    }
    if (all) {
        answer_store_close(all);
    }
    for (uint32_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = file_remove_tree(part_path(stage, i, &path), err);
        buf_add_text(&path, ".mark");
        st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&path), err) : st;
    }
    buf_release(&path);
    mem_free(parts);
    return st;
}

static winnow_status ask_part(struct stage *stage,
                              winnow_status (*ask)(void *ctx, struct answer_store *store,
                                                   struct winnow_error *err),
                              void *ctx, struct winnow_error *err)
{
    struct answer_store *part = NULL;
    struct buf path = {0};
    uint32_t rank = ranks_rank(stage_ranks(stage));
    winnow_status st = answer_store_open(part_path(stage, rank, &path), &part, err);
    st = st == WINNOW_OK ? ask(ctx, part, err) : st;
    if (part) {
        answer_store_close(part);
    }
    buf_release(&path);
    return st;
}

winnow_status refine_share(struct stage *stage,
                           winnow_status (*ask)(void *ctx, struct answer_store *store,
                                                struct winnow_error *err),
                           void *ctx, struct winnow_error *err)
{
    struct winnow_ranks *ranks = stage_ranks(stage);
    bool complete = false;
    winnow_status st = ranks_lead(ranks) ? look(stage, &complete, err) : WINNOW_OK;
    uint64_t there = complete;
    TRY(ranks_agree(ranks, st, err));
    TRY(ranks_sum(ranks, &there, 1, err));
    TRY(stage_count_lines(stage, err)); /* ordinals, here and behind it, are the whole corpus's */
    if (there > 0) {
        return WINNOW_OK;
    }
    st = ask_part(stage, ask, ctx, err);
    TRY(ranks_agree(ranks, st, err));
    st = ranks_lead(ranks) ? join(stage, err) : WINNOW_OK;
    return ranks_agree(ranks, st, err);
}
