/* dedup.c -- the stage `dedup`, and its plain form: equal documents.
 *
 * Hashes on any thread, who came first in order.  Where the user has set a limit (--max-...)
 * a pass before counts what would go: nothing may be removed then.  Near-copies are near.c,
 * paragraphs and lines repeats.c. */
#include "dedup/dedup.h"

#include "winnow/dedup.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/mem.h"
#include "dedup/dedup_exact.h"
#include "dedup/dedup_guard.h"
#include "dedup/dedup_ranks.h"
#include "dedup/near.h"
#include "dedup/repeats.h"
#include "option/belongs.h"
#include "option/tables.h"

#include <inttypes.h>
#include <pthread.h>

struct dedup_state {
    const struct winnow_dedup_options *opt;
    struct dedup_exact *seen;
    pthread_mutex_t lock; /* names of sources */
    struct guard guard;
    struct dedup_ranks *others; /* what other ranks have before this one; NULL alone */
};

/* Of a thread; neighbours mostly have one source, which is looked up once. */
struct scratch {
    struct buf text, source;
    uint64_t number;
    bool known;
};

static void *scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct scratch));
}

static void scratch_free(void *scratch)
{
    struct scratch *c = scratch;
    buf_release(&c->text);
    buf_release(&c->source);
    mem_free(c);
}

static uint64_t source_number(struct dedup_state *s, struct scratch *c, struct str source)
{
    if (!c->known || !str_eq(buf_str(&c->source), source)) {
        buf_clear(&c->source);
        buf_add_str(&c->source, source);
        (void)pthread_mutex_lock(&s->lock);
        c->number = guard_source(&s->guard, source);
        (void)pthread_mutex_unlock(&s->lock);
        c->known = true;
    }
    return c->number;
}

static winnow_status hash_document(void *state, void *scratch, const struct document *d,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    struct dedup_state *s = state;
    struct scratch *c = scratch;
    struct hash128 h = dedup_hash(d->text, s->opt->spaces, s->opt->fold_case, &c->text);
    r->carry[0] = h.low;
    r->carry[1] = h.high;
    r->carry[2] = source_number(s, c, d->source);
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
    guard_count(&s->guard, (size_t)r->carry[2], 1, first.ptr ? 1 : 0);
    if (!first.ptr) {
        return WINNOW_OK;
    }
    char cluster[33];
    hash128_hex(h, cluster);
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

/* ---- limits ---- */

static winnow_status exact_check(const struct stage_plan *plan, struct winnow_error *err)
{
    uint64_t needed = dedup_exact_memory(plan->documents / ranks_count(plan->env->ranks));
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

/* An option that another method reads would be passed over in silence. */
static winnow_status exact_options(const struct winnow_dedup_options *o, struct winnow_error *err)
{
    static const char *const OF_MINHASH[] = {"threshold", "bands",   "rows", "ngram",
                                             "numbers",   "verify",  "keep", "best",
                                             "direct",    "against", NULL};
    static const char *const OF_UNITS[] = {"unit-words", NULL};
    static const char *const OF_DOCUMENTS[] = {"max-cluster", NULL};
    TRY(option_belong(&DEDUP_TABLE, o, OF_MINHASH, "--method minhash", err));
    return o->unit == WINNOW_DEDUP_DOCUMENT
               ? option_belong(&DEDUP_TABLE, o, OF_UNITS, "--unit paragraph or line", err)
               : option_belong(&DEDUP_TABLE, o, OF_DOCUMENTS, "--unit document", err);
}

static winnow_status dedup_check(const void *options, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    const struct winnow_dedup_options *o = options;
    if (o->method == WINNOW_DEDUP_MINHASH) {
        return near_check(o, plan, err);
    }
    TRY(exact_options(o, err));
    return o->unit == WINNOW_DEDUP_DOCUMENT
               ? exact_check(plan, err)
               : memory_need(plan->memory_max, "dedup of paragraphs or lines",
                             REPEATS_MEMORY + STAGE_MEMORY_LEAST, "use fewer threads (-t)", err);
}

static void dedup_estimate(const void *options, const struct stage_plan *plan,
                           struct stage_estimate *out)
{
    const struct winnow_dedup_options *o = options;
    out->memory = o->method == WINNOW_DEDUP_MINHASH  ? near_memory(o, plan->documents)
                  : o->unit != WINNOW_DEDUP_DOCUMENT ? REPEATS_MEMORY
                                                     : dedup_exact_memory(plan->documents);
}

/* ---- one of each ---- */

/* A hash whose first document another rank has. */
static winnow_status know_first(void *ctx, struct hash128 h, struct str first,
                                struct winnow_error *err)
{
    struct dedup_state *s = ctx;
    struct str before;
    return dedup_exact_add(s->seen, h, first, &before, err);
}

static winnow_status start_table(struct stage *stage, struct dedup_state *s,
                                 struct winnow_error *err)
{
    uint64_t limit = stage_env(stage)->memory_max;
    /* What is left beside the fewest blocks; with no limit there is none here. */
    uint64_t most = limit > STAGE_MEMORY_LEAST ? limit - STAGE_MEMORY_LEAST : 0;
    dedup_exact_free(s->seen);
    s->seen = NULL;
    guard_release(&s->guard);
    s->guard = (struct guard){.what = "document"};
    uint32_t rank = ranks_rank(stage_ranks(stage));
    TRY(dedup_exact_new(&s->seen, stage_folder(stage), rank, most, err));
    return s->others ? dedup_ranks_each(s->others, know_first, s, err) : WINNOW_OK;
}

/* ---- over ranks ---- */

static winnow_status send_document(void *state, struct str id, uint64_t ordinal,
                                   struct stage_result *r, struct winnow_error *err)
{
    struct dedup_state *s = state;
    const struct hash128 h = {.low = r->carry[0], .high = r->carry[1]};
    return dedup_ranks_add(s->others, h, ordinal, id, err);
}

/* Nothing to be told: the exchange does. */
static void tell_nothing(const void *state, struct buf *out)
{
    (void)state;
    (void)out;
}

static winnow_status hear_nothing(void *state, struct str told, struct winnow_error *err)
{
    (void)state;
    (void)told;
    (void)err;
    return WINNOW_OK;
}

static winnow_status find_others(struct stage *stage, struct dedup_state *s,
                                 struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "hashes",
                                    .state = s,
                                    .apart = true,
                                    .worker_new = scratch_new,
                                    .worker_free = scratch_free,
                                    .document = hash_document,
                                    .decide = send_document,
                                    .tell = tell_nothing,
                                    .hear = hear_nothing,
                                    .scratch_factor = 1};
    uint64_t limit = stage_env(stage)->memory_max;
    uint64_t most = limit > STAGE_MEMORY_LEAST ? limit - STAGE_MEMORY_LEAST : limit;
    TRY(dedup_ranks_new(&s->others, stage_ranks(stage), stage_folder(stage), most, err));
    TRY(stage_run_pass(stage, &pass, err));
    return dedup_ranks_settle(s->others, err);
}

static void tell_guard(const void *state, struct buf *out)
{
    guard_tell(&((const struct dedup_state *)state)->guard, out);
}

static winnow_status hear_guard(void *state, struct str told, struct winnow_error *err)
{
    return guard_hear(&((struct dedup_state *)state)->guard, told, err);
}

static winnow_status run_pass(struct stage *stage, struct dedup_state *s, bool verdicts,
                              struct winnow_error *err)
{
    const struct stage_pass pass = {.name = verdicts ? "dedup" : "count",
                                    .verdicts = verdicts,
                                    .state = s,
                                    .worker_new = scratch_new,
                                    .worker_free = scratch_free,
                                    .document = hash_document,
                                    .decide = first_wins,
                                    .apart = s->others != NULL,
                                    .tell = tell_guard,
                                    .hear = hear_guard,
                                    .growth = table_growth,
                                    .scratch_factor = 1};
    struct str first;
    TRY(start_table(stage, s, err));
    TRY(stage_run_pass(stage, &pass, err));
    if (s->others) {
        s->guard.largest = dedup_ranks_largest(s->others, &first);
    } else {
        TRY(dedup_exact_largest(s->seen, &s->guard.largest, &first, err));
    }
    buf_clear(&s->guard.first);
    buf_add_str(&s->guard.first, first);
    return WINNOW_OK;
}

static winnow_status run_exact(struct stage *stage, struct dedup_state *s, struct winnow_error *err)
{
    TRY(stage_ranks(stage) ? find_others(stage, s, err) : WINNOW_OK);
    if (guard_wanted(s->opt)) {
        TRY(run_pass(stage, s, false, err));
        TRY(guard_check(&s->guard, s->opt, err));
    }
    TRY(run_pass(stage, s, true, err));
    guard_warn(&s->guard, stage_env(stage));
    return WINNOW_OK;
}

static winnow_status dedup_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct dedup_state s = {.opt = options};
    if (s.opt->method == WINNOW_DEDUP_MINHASH) {
        return near_run(stage, s.opt, err);
    }
    if (s.opt->unit != WINNOW_DEDUP_DOCUMENT) {
        return repeats_run(stage, s.opt, err);
    }
    (void)pthread_mutex_init(&s.lock, NULL);
    winnow_status st = run_exact(stage, &s, err);
    dedup_exact_free(s.seen);
    dedup_ranks_free(s.others);
    guard_release(&s.guard);
    (void)pthread_mutex_destroy(&s.lock);
    return st;
}

static bool passes_again(const void *options)
{
    const struct winnow_dedup_options *o = options;
    return o->method != WINNOW_DEDUP_EXACT || o->unit != WINNOW_DEDUP_DOCUMENT || guard_wanted(o);
}

static bool over_ranks(const void *options)
{
    const struct winnow_dedup_options *o = options;
    return o->method == WINNOW_DEDUP_EXACT && o->unit == WINNOW_DEDUP_DOCUMENT;
}

const struct stage_kind DEDUP_STAGE = {
    .table = &DEDUP_TABLE,
    .check = dedup_check,
    .estimate = dedup_estimate,
    .passes_again = passes_again,
    .run = dedup_run,
    .over_ranks = over_ranks,
};
