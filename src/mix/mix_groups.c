/* mix_groups.c -- groups by name, and the lists of options that name them.
 *
 * A weight says how much of the output a group is, by the others' weights; epochs say how often
 * a group is written whatever the others do.  Where weights are given, a group that no one
 * names is left out: a source that crept into a corpus does not creep into its mixture. */
#include "mix/mix_groups.h"

#include "base/buf.h"
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NAMES_SHOWN 8U

int mix_place_compare(const struct mix_place *a, const struct mix_place *b)
{
    if (a->score != b->score) {
        return a->score < b->score ? -1 : 1;
    }
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

void mix_groups_release(struct mix_groups *g)
{
    for (size_t i = 0; i < g->count; i++) {
        mem_free(g->items[i].cuts);
    }
    mem_free(g->items);
    map_release(&g->names);
    *g = (struct mix_groups){0};
}

size_t mix_groups_number(struct mix_groups *g, struct str name)
{
    const uint64_t *known = map_get(&g->names, name);
    if (known) {
        return (size_t)*known;
    }
    if (g->count == MIX_GROUPS_MAX) {
        return SIZE_MAX;
    }
    *map_put(&g->names, name, NULL) = g->count;
    GROW(g->items, g->count, g->cap, 64);
    g->items[g->count] = (struct mix_group){.epochs = (double)NAN, .cap = (double)NAN};
    g->items[g->count].name = g->names.entries[g->count].key;
    return g->count++;
}

struct mix_group *mix_groups_find(const struct mix_groups *g, struct str name)
{
    const uint64_t *known = map_get(&g->names, name);
    return known ? &g->items[*known] : NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct map_entry *const *x = a, *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

size_t *mix_groups_sorted(const struct mix_groups *g)
{
    size_t *out = mem_alloc((g->count + 1) * sizeof *out);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
    const struct map_entry **sorted = mem_alloc((g->count + 1) * sizeof *sorted);
    for (size_t i = 0; i < g->count; i++) {
        sorted[i] = &g->names.entries[i];
    }
    sort(sorted, g->count, sizeof *sorted, by_name); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; i < g->count; i++) {
        out[i] = (size_t)sorted[i]->value;
    }
    mem_free(sorted);
    return out;
}

/* ---- NAME=NUMBER ---- */

struct wish {
    struct str name;
    double value;
};

/* "2", "0.5", "10M" where amounts are meant. */
static bool parse_value(const char *text, bool amount, double *out)
{
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    bool digits = end != text && (*text == '.' || (*text >= '0' && *text <= '9'));
    if (errno != 0 || !digits || !isfinite(v)) {
        return false;
    }
    static const char SUFFIXES[] = "kmgt";
    const char *at = *end != '\0' ? strchr(SUFFIXES, *end | 0x20) : NULL;
    if (amount && at) {
        v *= pow(1000, (double)(at - SUFFIXES + 1));
        end++;
    }
    *out = v;
    return *end == '\0';
}

static winnow_status parse_wish(const char *option, const char *text, bool amount, struct wish *out,
                                struct winnow_error *err)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text || !parse_value(equals + 1, amount, &out->value)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--%s: '%s' is not NAME=NUMBER, as in --%s wiki=%s; commas stand between "
                         "several",
                         option, text, option, amount ? "10M" : "2");
    }
    out->name = (struct str){text, (size_t)(equals - text)};
    return WINNOW_OK;
}

static winnow_status check_list(const char *option, const struct winnow_list *list, bool amount,
                                struct winnow_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        struct wish wish, other;
        TRY(parse_wish(option, list->items[i], amount, &wish, err));
        for (size_t k = 0; k < i; k++) {
            TRY(parse_wish(option, list->items[k], amount, &other, err));
            if (str_eq(wish.name, other.name)) {
                return error_set(err, WINNOW_E_USAGE, "--%s names '%.*s' twice", option,
                                 STR_ARG(wish.name));
            }
        }
    }
    return WINNOW_OK;
}

static bool is_named(const struct winnow_list *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strrchr(list->items[i], '=');
        if (equals &&
            str_eq(name, (struct str){list->items[i], (size_t)(equals - list->items[i])})) {
            return true;
        }
    }
    return false;
}

winnow_status mix_wishes_check(const struct winnow_mix_options *opt, struct winnow_error *err)
{
    TRY(check_list("weights", &opt->weights, false, err));
    TRY(check_list("epochs", &opt->epochs, false, err));
    TRY(check_list("cap", &opt->caps, true, err));
    for (size_t i = 0; i < opt->epochs.count; i++) {
        struct wish wish;
        TRY(parse_wish("epochs", opt->epochs.items[i], false, &wish, err));
        if (str_is(wish.name, MIX_OTHERS)) {
            return error_set(err, WINNOW_E_USAGE,
                             "--epochs names single groups; without it, all others are written "
                             "once");
        }
        if (wish.value > 1000) {
            return error_set(err, WINNOW_E_USAGE, "--epochs %s: 1000 epochs are the most",
                             opt->epochs.items[i]);
        }
        if (is_named(&opt->weights, wish.name)) {
            return error_set(err, WINNOW_E_USAGE,
                             "'%.*s' has a weight and epochs: the one is a share of the output, "
                             "the other a number of times; say one of them",
                             STR_ARG(wish.name));
        }
    }
    return WINNOW_OK;
}

/* ---- what is wished of the groups that are there ---- */

static winnow_status no_group(const char *option, struct str name, const char *by,
                              const struct mix_groups *g, struct winnow_error *err)
{
    struct buf there = {0};
    size_t *sorted = mix_groups_sorted(g);
    for (size_t i = 0; g->items && i < g->count && i < NAMES_SHOWN; i++) {
        buf_addf(&there, "%s%.*s", i > 0 ? ", " : "", STR_ARG(g->items[sorted[i]].name));
    }
    if (g->count > NAMES_SHOWN) {
        buf_addf(&there, " and %zu more", g->count - NAMES_SHOWN);
    }
    winnow_status st = error_set(
        err, WINNOW_E_USAGE, "--%s names '%.*s', which is the %s of no document; there %s: %s",
        option, STR_ARG(name), by, g->count == 1 ? "is" : "are", buf_cstr(&there));
    mem_free(sorted);
    buf_release(&there);
    return st;
}

static void set_weight(struct mix_group *group, double value)
{
    group->weight = value;
}

static void set_epochs(struct mix_group *group, double value)
{
    group->epochs = value;
}

static void set_cap(struct mix_group *group, double value)
{
    group->cap = value;
}

/* One list of wishes and where its values go. */
struct wishes {
    const char *option;
    const struct winnow_list *list;
    bool amount;
    double scale;
    void (*set)(struct mix_group *group, double value);
};

/* others is the value of *, where it stands in the list. */
static winnow_status each_wish(const struct wishes *w, const char *by, struct mix_groups *g,
                               double *others, struct winnow_error *err)
{
    for (size_t i = 0; i < w->list->count; i++) {
        struct wish wish;
        TRY(parse_wish(w->option, w->list->items[i], w->amount, &wish, err));
        struct mix_group *group = mix_groups_find(g, wish.name);
        if (group) {
            w->set(group, wish.value * w->scale);
        } else if (str_is(wish.name, MIX_OTHERS)) {
            *others = wish.value * w->scale;
        } else if (wish.value > 0) {
            return no_group(w->option, wish.name, by, g, err);
        }
    }
    return WINNOW_OK;
}

/* Groups without a weight of their own share that of the others by their size; where no group
 * has one, all do. */
static void weigh_others(const struct winnow_mix_options *opt, double others, struct mix_groups *g)
{
    double units = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct mix_group *group = &g->items[i];
        group->left_out = isnan(group->epochs) && !is_named(&opt->weights, group->name);
        units += group->left_out ? (double)group->units : 0;
    }
    bool all = opt->weights.count == 0;
    for (size_t i = 0; i < g->count; i++) {
        struct mix_group *group = &g->items[i];
        if (group->left_out && (all || !isnan(others))) {
            group->weight = (all ? 1 : others / units) * (double)group->units;
            group->left_out = false;
        }
    }
}

winnow_status mix_wishes_apply(const struct winnow_mix_options *opt, double tokens_to_units,
                               struct mix_groups *g, struct winnow_error *err)
{
    double weight = (double)NAN, cap = (double)NAN, epochs = (double)NAN;
    const struct wishes weights = {"weights", &opt->weights, false, 1, set_weight};
    const struct wishes times = {"epochs", &opt->epochs, false, 1, set_epochs};
    const struct wishes caps = {"cap", &opt->caps, true, tokens_to_units, set_cap};
    TRY(each_wish(&weights, opt->by, g, &weight, err));
    TRY(each_wish(&times, opt->by, g, &epochs, err));
    TRY(each_wish(&caps, opt->by, g, &cap, err));
    for (size_t i = 0; i < g->count; i++) {
        struct mix_group *group = &g->items[i];
        group->cap = isnan(group->cap) && !is_named(&opt->caps, group->name) ? cap : group->cap;
    }
    weigh_others(opt, weight, g);
    return WINNOW_OK;
}
