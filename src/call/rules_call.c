/* rules_call.c -- the heuristic filters on one text in memory. */
#include "winnow/text.h"

#include "base/mem.h"
#include "call/call_internal.h"
#include "option/tables.h"
#include "rules/rules.h"
#include "rules/rules_stage.h"

#include <math.h>

_Static_assert(RULES_VALUES <= WINNOW_RULES_VALUES_MAX, "the public struct has room for all");

struct winnow_rules {
    struct winnow_rules_options opt;
    unsigned sets;
    struct arena keep; /* of what opt points to */
    struct spares gauges;
};

const char *winnow_rules_value_name(size_t i)
{
    return i < RULES_VALUES ? rules_value_info((enum rules_value)i)->name : NULL;
}

void winnow_rules_result_free(struct winnow_rules_result *r)
{
    winnow_bytes_free(&r->text);
    *r = (struct winnow_rules_result){0};
}

winnow_status winnow_rules_open(const char *options, struct winnow_rules **out,
                                struct winnow_error *err)
{
    struct winnow_rules *r = mem_zalloc(sizeof *r);
    *out = NULL;
    arena_init(&r->keep, 1024);
    spares_init(&r->gauges);
    winnow_status st = call_options(&RULES_TABLE, options, &r->opt, &r->keep, err);
    if (st == WINNOW_OK) {
        st = rules_find_sets(&r->opt, &r->sets, err);
    }
    if (st != WINNOW_OK) {
        winnow_rules_close(r);
        return st;
    }
    *out = r;
    return WINNOW_OK;
}

void winnow_rules_close(struct winnow_rules *r)
{
    if (!r) {
        return;
    }
    for (void *gauge; (gauge = spares_take(&r->gauges)) != NULL;) {
        rules_gauge_free(gauge);
    }
    (void)pthread_mutex_destroy(&r->gauges.lock);
    arena_release(&r->keep);
    mem_free(r);
}

static void judge(const struct winnow_rules *r, const struct rules_gauge *gauge, struct str text,
                  struct winnow_rules_result *out)
{
    const struct rules_limit *broken = rules_judge(r->sets, &r->opt.limits, out->values);
    out->kept = broken == NULL;
    if (broken) {
        out->rule = broken->name;
        out->value = out->values[broken->value];
        out->limit = rules_limit_of(broken, &r->opt.limits);
    } else if (r->opt.edit && (r->sets & RULES_C4) && !str_eq(rules_c4_text(gauge), text)) {
        struct buf left = {0};
        buf_add_str(&left, rules_c4_text(gauge));
        out->text = bytes_take(&left);
    }
}

winnow_status winnow_rules_text(struct winnow_rules *r, const char *text, size_t len,
                                struct winnow_rules_result *out, struct winnow_error *err)
{
    struct str s = call_text(text, len);
    *out = (struct winnow_rules_result){.value = NAN, .limit = NAN, .count = RULES_VALUES};
    for (size_t i = 0; i < RULES_VALUES; i++) {
        out->values[i] = NAN;
    }
    TRY(call_check_text(s, err));
    struct rules_gauge *gauge = spares_take(&r->gauges);
    gauge = gauge ? gauge : rules_gauge_new();
    winnow_status st = rules_measure(gauge, r->sets, &r->opt.limits, s, out->values, err);
    if (st == WINNOW_OK) {
        judge(r, gauge, s, out);
    }
    if (!spares_give(&r->gauges, gauge)) {
        rules_gauge_free(gauge);
    }
    return st;
}
