/* dedup.c -- the stage `dedup`: hashes on any thread, who came first in order. */
#include "dedup/dedup.h"

#include "winnow/dedup.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/mem.h"
#include "dedup/dedup_exact.h"
#include "option/tables.h"

#include <inttypes.h>

struct dedup_state {
    const struct winnow_dedup_options *opt;
    struct dedup_exact *seen;
    uint64_t documents, duplicates;
};

static void *scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct buf));
}

static void scratch_free(void *scratch)
{
    buf_release(scratch);
    mem_free(scratch);
}

static winnow_status hash_document(void *state, void *scratch, const struct document *d,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct dedup_state *s = state;
    struct hash128 h = dedup_hash(d->text, s->opt->spaces, s->opt->fold_case, scratch);
    r->carry[0] = h.low;
    r->carry[1] = h.high;
    return WINNOW_OK;
}

static winnow_status first_wins(void *state, struct str id, uint64_t ordinal,
                                struct stage_result *r, struct winnow_error *err)
{
    (void)ordinal;
    struct dedup_state *s = state;
    struct hash128 h = {.low = r->carry[0], .high = r->carry[1]};
    struct str first;
    TRY(dedup_exact_add(s->seen, h, id, &first, err));
    s->documents++;
    if (!first.ptr) {
        return WINNOW_OK;
    }
    char cluster[33];
    hash128_hex(h, cluster);
    s->duplicates++;
    r->verdict = STAGE_REMOVE;
    r->rule = "duplicate";
    buf_add_text(&r->detail, "\"kept\": ");
    json_quote(&r->detail, first);
    buf_addf(&r->detail, ", \"cluster\": \"%s\"", cluster);
    return WINNOW_OK;
}

static uint64_t table_growth(void *state)
{
    return dedup_exact_bytes(((struct dedup_state *)state)->seen);
}

static winnow_status dedup_check(const void *options, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    (void)options;
    uint64_t needed = dedup_exact_memory(plan->documents);
    if (plan->memory_max > 0 && needed + STAGE_MEMORY_LEAST > plan->memory_max) {
        return error_set(err, WINNOW_E_LIMIT,
                         "about %" PRIu64 " document%s need%s up to %" PRIu64
                         "M of hashes, and the documents on their way 64M: give --memory "
                         "%" PRIu64 "M; --memory is %s",
                         plan->documents, plan->documents == 1 ? "" : "s",
                         plan->documents == 1 ? "s" : "", (needed >> 20) + 1,
                         ((needed + STAGE_MEMORY_LEAST) >> 20) + 1,
                         amount_memory(plan->memory_max).text);
    }
    return WINNOW_OK;
}

static void dedup_estimate(const void *options, const struct stage_plan *plan,
                           struct stage_estimate *out)
{
    (void)options;
    out->memory = dedup_exact_memory(plan->documents);
}

static winnow_status dedup_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct dedup_state s = {.opt = options};
    const struct winnow_env *env = stage_env(stage);
    /* What is left beside the fewest blocks; with no limit there is none here. */
    uint64_t most = env->memory_max > STAGE_MEMORY_LEAST ? env->memory_max - STAGE_MEMORY_LEAST : 0;
    winnow_status st = dedup_exact_new(&s.seen, stage_folder(stage), most, err);
    if (st == WINNOW_OK) {
        const struct stage_pass pass = {.name = "dedup",
                                        .verdicts = true,
                                        .state = &s,
                                        .worker_new = scratch_new,
                                        .worker_free = scratch_free,
                                        .document = hash_document,
                                        .decide = first_wins,
                                        .growth = table_growth,
                                        .scratch_factor = 1};
        st = stage_run_pass(stage, &pass, err);
    }
    if (st == WINNOW_OK && s.documents > 0 && s.duplicates * 2 > s.documents) {
        env_log(env, WINNOW_LOG_WARNING,
                "dedup: %" PRIu64 " of %" PRIu64 " documents repeat an earlier one; is that right?",
                s.duplicates, s.documents);
    }
    dedup_exact_free(s.seen);
    return st;
}

const struct stage_kind DEDUP_STAGE = {
    .table = &DEDUP_TABLE,
    .check = dedup_check,
    .estimate = dedup_estimate,
    .run = dedup_run,
};
