/* holdout.c -- the stage `holdout`: one hash a document. */
#include "prune/holdout.h"

#include "winnow/prune.h"

#include "corpus/split.h"
#include "option/tables.h"

struct holdout_state {
    double share;
};

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    const struct holdout_state *s = state;
    if (split_is_heldout(split_key(d->text), s->share)) {
        r->verdict = STAGE_ASIDE;
        r->rule = "heldout";
    }
    return WINNOW_OK;
}

static winnow_status run_holdout(struct stage *s, const void *options, struct winnow_error *err)
{
    const struct winnow_holdout_options *opt = options;
    struct holdout_state state = {opt->share};
    const struct stage_pass pass = {
        .name = "holdout", .verdicts = true, .state = &state, .document = judge};
    return stage_run_pass(s, &pass, err);
}

const struct stage_kind HOLDOUT_STAGE = {.table = &HOLDOUT_TABLE, .run = run_holdout};
