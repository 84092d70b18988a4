/* rules_stage.c -- the stage `rules`: measure, note, judge, and with --edit cut.
 *
 * All filters look at the document as it comes in: what C4 cuts is cut after all
 * have judged, and its sentences are counted in what a cut would leave whether it
 * is made or not.  Without --edit a text leaves as it came; that C4 would cut
 * it is noted.  (In a datatrove pipeline a filter sees what the one before left;
 * two rules stages behind each other do the same.) */
#include "rules/rules_stage.h"

#include "winnow/rules.h"

#include "base/utf8.h"
#include "option/tables.h"
#include "rules/rules.h"

struct rules_state {
    const struct winnow_rules_options *opt;
    unsigned sets;
};

winnow_status rules_find_sets(const struct winnow_rules_options *opt, unsigned *sets,
                              struct winnow_error *err)
{
    *sets = opt->sets.count > 0 ? 0 : RULES_GOPHER | RULES_REPETITION | RULES_C4 | RULES_FINEWEB;
    for (size_t i = 0; i < opt->sets.count; i++) {
        unsigned set = rules_set_of(str_of(opt->sets.items[i]));
        if (set == 0) {
            return error_set(err, WINNOW_E_USAGE,
                             "no filters are called '%s'; there are gopher, gopher-repetition, c4, "
                             "fineweb and complete",
                             opt->sets.items[i]);
        }
        *sets |= set;
    }
    return WINNOW_OK;
}

static void *gauge_new(void *state)
{
    (void)state;
    return rules_gauge_new();
}

static void gauge_free(void *gauge)
{
    rules_gauge_free(gauge);
}

static void judge(const struct rules_state *s, const struct document *d,
                  const struct rules_gauge *gauge, const double values[RULES_VALUES],
                  struct stage_result *r)
{
    const struct winnow_rules_limits *limits = &s->opt->limits;
    const struct rules_limit *broken = rules_judge(s->sets, limits, values);
    if (broken) {
        r->verdict = STAGE_REMOVE;
        r->rule = broken->name;
        r->score = values[broken->value];
        r->threshold = rules_limit_of(broken, limits);
        return;
    }
    if ((s->sets & RULES_C4) && !str_eq(rules_c4_text(gauge), d->text)) {
        r->rule = "c4.lines";
        if (s->opt->edit) {
            r->verdict = STAGE_EDIT;
            buf_add_str(&r->text, rules_c4_text(gauge));
        }
    }
}

static winnow_status measure(void *state, void *worker, const struct document *d,
                             struct stage_result *r, struct winnow_error *err)
{
    const struct rules_state *s = state;
    double values[RULES_VALUES];
    TRY(rules_measure(worker, s->sets, &s->opt->limits, d->text, values, err));
    if (s->opt->annotate) {
        rules_add_attributes(s->sets, values, utf8_count(d->text), &r->attributes[0]);
    }
    judge(s, d, worker, values, r);
    if (!s->opt->filter) { /* noted only: the ledger and stats.json have the rule */
        r->verdict = STAGE_KEEP;
    }
    return WINNOW_OK;
}

static winnow_status rules_check(const void *options, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    (void)plan;
    const struct winnow_rules_options *opt = options;
    unsigned sets;
    TRY(rules_find_sets(opt, &sets, err));
    if (!opt->filter && !opt->annotate) {
        return error_set(err, WINNOW_E_USAGE,
                         "rules with neither --filter nor --annotate would do nothing");
    }
    if (opt->edit && !(opt->filter && (sets & RULES_C4))) {
        return error_set(err, WINNOW_E_USAGE,
                         "--edit cuts lines out of the documents that --filter keeps, by the set "
                         "c4: give all three");
    }
    return WINNOW_OK;
}

static winnow_status rules_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    static const char *const ATTRIBUTES[] = {"rules", NULL};
    struct rules_state s = {.opt = options};
    TRY(rules_find_sets(s.opt, &s.sets, err));
    const struct stage_pass pass = {.name = "rules",
                                    .verdicts = true,
                                    .apart = true,
                                    .attributes = s.opt->annotate ? ATTRIBUTES : NULL,
                                    .state = &s,
                                    .worker_new = gauge_new,
                                    .worker_free = gauge_free,
                                    .document = measure,
                                    .scratch_factor = 3, /* of C4's lines */
                                    .word_bytes = 64,    /* a word, and a table of n-grams */
                                    .edits = s.opt->edit};
    return stage_run_pass(stage, &pass, err);
}

/* A document is judged by itself. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind RULES_STAGE = {
    .table = &RULES_TABLE,
    .check = rules_check,
    .run = rules_run,
    .over_ranks = over_ranks,
};
