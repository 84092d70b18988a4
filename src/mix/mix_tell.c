/* mix_tell.c -- what there is to say of a plan: shares before and after, and what one may not
 * have meant. */
#include "winnow/mix.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/mem.h"
#include "mix/mix_internal.h"

#include <inttypes.h>

#define EPOCHS_USEFUL 4.0 /* from where on repeats are known to add little */
#define NAMED         3U  /* groups of a warning */
#define SHOWN         12U /* groups with a line of their own */

static double tokens_in(const struct mix *m, double units)
{
    return units / (m->opt->tokenizer ? 1 : MIX_TOKEN_BYTES);
}

/* "wiki (5.2), code (4.6) and 3 more" of the groups that are so. */
static size_t name_groups(const struct mix *m, bool (*is)(const struct mix_group *g),
                          void (*add)(const struct mix_group *g, struct buf *out), struct buf *out)
{
    size_t n = 0, *sorted = mix_groups_sorted(&m->groups);
    for (size_t i = 0; i < m->groups.count; i++) {
        const struct mix_group *g = &m->groups.items[sorted[i]];
        if (is(g) && n++ < NAMED) {
            buf_addf(out, "%s%.*s (", out->len > 0 ? ", " : "", STR_ARG(g->name));
            add(g, out);
            buf_add_char(out, ')');
        }
    }
    if (n > NAMED) {
        buf_addf(out, " and %zu more", n - NAMED);
    }
    mem_free(sorted);
    return n;
}

static double epochs_of(const struct mix_group *g)
{
    return g->units > 0 ? (double)g->units_after / (double)g->units : 0;
}

static bool is_worn(const struct mix_group *g)
{
    return epochs_of(g) > EPOCHS_USEFUL * (1 + 1e-6);
}

static void add_epochs(const struct mix_group *g, struct buf *out)
{
    buf_addf(out, "%.3g", epochs_of(g));
}

static bool is_left_out(const struct mix_group *g)
{
    return g->left_out && g->documents > 0;
}

static void add_documents(const struct mix_group *g, struct buf *out)
{
    buf_addf(out, "%" PRIu64 " document%s", g->documents, g->documents == 1 ? "" : "s");
}

static void warn_groups(const struct mix *m)
{
    const struct winnow_env *env = stage_env(m->stage);
    struct buf names = {0};
    if (name_groups(m, is_left_out, add_documents, &names) > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "mix: --weights does not name %s: left out; *=W gives all others a weight",
                buf_cstr(&names));
    }
    buf_clear(&names);
    if (name_groups(m, is_worn, add_epochs, &names) > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "mix: more than %.0f epochs of %s: up to about %.0f, repeats were found to be "
                "nearly as good as new text, and to add little beyond",
                EPOCHS_USEFUL, buf_cstr(&names), EPOCHS_USEFUL);
    }
    buf_release(&names);
}

static void warn_budget(const struct mix *m)
{
    const struct winnow_env *env = stage_env(m->stage);
    const struct mix_budget *b = &m->budget;
    if (b->over_fixed) {
        env_log(env, WINNOW_LOG_WARNING,
                "mix: --epochs alone come to %s tokens, more than the %s of --tokens: nothing is "
                "left for other groups",
                amount_count(tokens_in(m, b->reached)).text,
                amount_count(tokens_in(m, b->budget)).text);
    } else if (b->reached < b->budget * (1 - 1e-6)) {
        env_log(env, WINNOW_LOG_WARNING,
                "mix: %s of %s tokens are reached: every group is at its limit (--cap, "
                "--epochs-max %g%s)",
                amount_count(tokens_in(m, b->reached)).text,
                amount_count(tokens_in(m, b->budget)).text, m->opt->epochs_max,
                m->opt->upsample ? ", --upsample-max" : "");
    }
}

static void tell_shares(const struct mix *m, double before, double after)
{
    size_t *sorted = mix_groups_sorted(&m->groups);
    for (size_t i = 0; i < m->groups.count && m->groups.count <= SHOWN; i++) {
        const struct mix_group *g = &m->groups.items[sorted[i]];
        env_log(stage_env(m->stage), WINNOW_LOG_INFO,
                "mix: %.*s %.2f %% of what comes in, %.2f %% of what goes out, %.3g epochs",
                STR_ARG(g->name), before > 0 ? 100 * (double)g->units / before : 0,
                after > 0 ? 100 * (double)g->units_after / after : 0, epochs_of(g));
    }
    mem_free(sorted);
}

void mix_tell(const struct mix *m)
{
    const struct winnow_env *env = stage_env(m->stage);
    double before = 0, after = 0;
    for (size_t i = 0; i < m->groups.count; i++) {
        before += (double)m->groups.items[i].units;
        after += (double)m->groups.items[i].units_after;
    }
    env_log(env, WINNOW_LOG_INFO, "mix: %zu group%s, %s tokens in, %s out%s", m->groups.count,
            m->groups.count == 1 ? "" : "s", amount_count(tokens_in(m, before)).text,
            amount_count(tokens_in(m, after)).text,
            m->opt->tokenizer ? "" : " (4 bytes of text taken for one; --tokenizer counts)");
    tell_shares(m, before, after);
    warn_groups(m);
    warn_budget(m);
    if (m->opt->upsample && m->unscored > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "mix: %" PRIu64 " document%s no number at \"%s\" and come%s below all others",
                m->unscored, m->unscored == 1 ? " has" : "s have", m->opt->upsample,
                m->unscored == 1 ? "s" : "");
    }
}
