/* holdout.c -- the stage `holdout`: one hash a document.
 *
 * What is measured with should be what people wrote.  Where extract has marked the main part
 * of pages, only that goes to aside/: whole pages would reward a model for having seen their
 * menus.
 */
#include "prune/holdout.h"

#include "winnow/prune.h"

#include "base/env.h"
#include "base/mem.h"
#include "corpus/page_structure.h"
#include "corpus/split.h"
#include "option/tables.h"

struct holdout_state {
    double share;
    bool main;
};

static void *worker_new(void *state)
{
    (void)state;
    struct arena *keep = mem_alloc(sizeof *keep);
    arena_init(keep, (size_t)1 << 16);
    return keep;
}

static void worker_free(void *worker)
{
    arena_release(worker);
    mem_free(worker);
}

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct holdout_state *s = state;
    if (!split_is_heldout(split_key(d->text), s->share)) {
        return WINNOW_OK;
    }
    if (s->main) {
        struct page_structure page;
        arena_reset(worker);
        if (structure_of_document(d, worker, &page) != STRUCTURE_READ ||
            !structure_cut_to_main(&page, d->text, &r->text)) {
            r->rule = "without_main";
            return WINNOW_OK;
        }
    }
    r->verdict = STAGE_ASIDE;
    r->rule = "heldout";
    return WINNOW_OK;
}

static winnow_status run_holdout(struct stage *s, const void *options, struct winnow_error *err)
{
    const struct winnow_holdout_options *opt = options;
    struct holdout_state state = {opt->share, opt->main};
    const struct stage_pass pass = {.name = "holdout",
                                    .verdicts = true,
                                    .apart = true,
                                    .state = &state,
                                    .edits = opt->main,
                                    .scratch_factor = opt->main ? 8 : 0,
                                    .worker_new = worker_new,
                                    .worker_free = worker_free,
                                    .document = judge};
    return stage_run_pass(s, &pass, err);
}

/* A document is judged by itself. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind HOLDOUT_STAGE = {
    .table = &HOLDOUT_TABLE, .run = run_holdout, .over_ranks = over_ranks};
