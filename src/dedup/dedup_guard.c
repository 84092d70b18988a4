/* dedup_guard.c -- see dedup_guard.h. */
#include "dedup/dedup_guard.h"

#include "base/mem.h"
#include "base/sort.h"

#include <inttypes.h>

#define SOURCE_LEAST  20U /* documents of a source whose share says something */
#define WARNED_MAX    5U
#define LARGE_LEAST   100U
#define LARGE_SHARE   20U /* of a cluster: one document in so many */
#define CHAINED_SHARE 10U

void guard_release(struct guard *g)
{
    map_release(&g->names);
    mem_free(g->sources);
    buf_release(&g->first);
    *g = (struct guard){0};
}

static void forget_sources(struct guard *g)
{
    g->many = true;
    map_release(&g->names);
    mem_free(g->sources);
    g->sources = NULL;
}

size_t guard_source(struct guard *g, struct str name)
{
    if (g->many) {
        return 0;
    }
    bool is_new;
    uint64_t *at = map_put(&g->names, name, &is_new);
    if (is_new && g->names.count > GUARD_SOURCES_MAX) {
        forget_sources(g);
        return 0;
    }
    if (is_new) {
        *at = g->names.count - 1;
        if (*at >= g->source_cap) {
            size_t cap = g->source_cap * 2 + 16;
            g->sources = mem_realloc(g->sources, g->source_cap * sizeof *g->sources,
                                     cap * sizeof *g->sources);
            g->source_cap = cap;
        }
        g->sources[*at] = (struct guard_source){0};
    }
    return (size_t)*at;
}

void guard_count(struct guard *g, size_t source, uint64_t in, uint64_t removed)
{
    g->in += in;
    g->removed += removed;
    if (!g->many) {
        g->sources[source].in += in;
        g->sources[source].removed += removed;
    }
}

/* ---- over ranks ---- */

struct told_head {
    uint64_t in, removed, many;
};

/* The sums, then of each source its name, NUL, and what was counted. */
void guard_tell(const struct guard *g, struct buf *out)
{
    const struct told_head head = {g->in, g->removed, g->many};
    buf_add(out, &head, sizeof head);
    for (size_t i = 0; !g->many && i < g->names.count; i++) {
        buf_add_str(out, g->names.entries[i].key);
        buf_add_char(out, '\0');
        buf_add(out, &g->sources[g->names.entries[i].value], sizeof *g->sources);
    }
}

winnow_status guard_hear(struct guard *g, struct str told, struct winnow_error *err)
{
    struct told_head head;
    bool whole = told.len >= sizeof head;
    memcpy(&head, whole ? told.ptr : (const char *)&(struct told_head){0}, sizeof head);
    told = str_sub(told, whole ? sizeof head : 0, told.len);
    while (whole && told.len > 0) {
        struct guard_source of;
        size_t len = str_find(told, (struct str){"", 1});
        whole = len != SIZE_MAX && told.len - len - 1 >= sizeof of;
        if (whole) {
            memcpy(&of, told.ptr + len + 1, sizeof of);
            size_t source = guard_source(g, str_sub(told, 0, len));
            if (!g->many && g->sources) {
                g->sources[source].in += of.in;
                g->sources[source].removed += of.removed;
            }
            told = str_sub(told, len + 1 + sizeof of, told.len);
        }
    }
    if (head.many && !g->many) {
        forget_sources(g);
    }
    g->in += head.in;
    g->removed += head.removed;
    return whole ? WINNOW_OK
                 : error_set(err, WINNOW_E_INTERNAL, "dedup: another rank's counts break off");
}

/* ---- by name: threads number sources as they meet them ---- */

static int by_name(const void *a, const void *b)
{
    const struct map_entry *const *x = a, *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

/* The caller frees it. */
static const struct map_entry **in_order(const struct guard *g)
{
    const struct map_entry **order = mem_alloc((g->names.count + 1) * sizeof(void *));
    for (size_t i = 0; i < g->names.count; i++) {
        order[i] = &g->names.entries[i];
    }
    sort(order, g->names.count, sizeof(void *), by_name);
    return order;
}

/* ---- written and read ---- */

void guard_write(const struct guard *g, struct json_writer *w)
{
    json_member_u64(w, "in", g->in);
    json_member_u64(w, "removed", g->removed);
    json_member_u64(w, "chained", g->chained);
    json_member_u64(w, "passed_over", g->passed_over);
    json_member_bool(w, "many_sources", g->many);
    json_member_open(w, "largest", '{');
    json_member_u64(w, "documents", g->largest);
    json_member_str(w, "first", g->first.len > 0 ? buf_str(&g->first) : STR_LIT(""));
    json_close(w, '}');
    const struct map_entry **order = in_order(g);
    json_member_open(w, "sources", '[');
    for (size_t i = 0; i < g->names.count; i++) {
        const struct guard_source *s = &g->sources[order[i]->value];
        json_open(w, '{');
        json_member_str(w, "source", order[i]->key);
        json_member_u64(w, "in", s->in);
        json_member_u64(w, "removed", s->removed);
        json_close(w, '}');
    }
    json_close(w, ']');
    mem_free(order);
}

bool guard_read(struct guard *g, struct json_value object)
{
    struct str first = {"", 0};
    struct json_value largest = json_get(object, "largest");
    bool good = json_as_u64(json_get(object, "in"), &g->in) &&
                json_as_u64(json_get(object, "removed"), &g->removed) &&
                json_as_u64(json_get(object, "chained"), &g->chained) &&
                json_as_u64(json_get(object, "passed_over"), &g->passed_over) &&
                json_as_bool(json_get(object, "many_sources"), &g->many) &&
                json_as_u64(json_get(largest, "documents"), &g->largest) &&
                json_as_str(json_get(largest, "first"), &first);
    buf_clear(&g->first);
    buf_add_str(&g->first, first);
    struct json_iter it = json_walk(json_get(object, "sources"));
    while (good && json_next(&it)) {
        struct str name;
        struct guard_source s;
        good = json_as_str(json_get(it.value, "source"), &name) &&
               json_as_u64(json_get(it.value, "in"), &s.in) &&
               json_as_u64(json_get(it.value, "removed"), &s.removed);
        size_t at = good ? guard_source(g, name) : 0;
        if (good && g->sources) { /* none where there are many */
            g->sources[at] = s;
        }
    }
    return good;
}

/* ---- too much ---- */

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void warn_of_sources(const struct guard *g, const struct winnow_env *env)
{
    unsigned warned = 0;
    const struct map_entry **order = in_order(g);
    for (size_t i = 0; g->names.count > 1 && i < g->names.count && warned < WARNED_MAX; i++) {
        const struct guard_source *s = &g->sources[order[i]->value];
        if (s->in >= SOURCE_LEAST && s->removed * 2 > s->in) {
            warned++;
            env_log(env, WINNOW_LOG_WARNING,
                    "dedup: the source \"%.*s\" loses %" PRIu64 " of %" PRIu64
                    " %ss (%.1f %%); is that right?",
                    STR_ARG(order[i]->key), s->removed, s->in, g->what, percent(s->removed, s->in));
        }
    }
    mem_free(order);
}

void guard_warn(const struct guard *g, const struct winnow_env *env)
{
    if (g->removed * 2 > g->in) {
        env_log(env, WINNOW_LOG_WARNING,
                "dedup: %" PRIu64 " of %" PRIu64 " %ss repeat %s; is that right?", g->removed,
                g->in, g->what, g->chained > 0 || g->first.len > 0 ? "another" : "an earlier one");
    }
    warn_of_sources(g, env);
    if (g->largest >= LARGE_LEAST && g->largest * LARGE_SHARE > g->in) {
        env_log(env, WINNOW_LOG_WARNING,
                "dedup: %" PRIu64 " of %" PRIu64
                " documents are one cluster, with \"%.*s\": look at some of them (winnow explain) "
                "before you trust this",
                g->largest, g->in, STR_ARG(buf_str(&g->first)));
    }
    if (g->chained >= LARGE_LEAST && g->chained * CHAINED_SHARE > g->removed) {
        env_log(env, WINNOW_LOG_WARNING,
                "dedup: %" PRIu64 " of the %" PRIu64
                " removed documents hang together with the one that stays over others only, and "
                "are less like it than --threshold says: --direct keeps them",
                g->chained, g->removed);
    }
    if (g->passed_over > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "dedup: %" PRIu64
                " times a document shared a band with more than it was compared with: text that "
                "many share; take it out first (dedup --unit line), or give more --rows",
                g->passed_over);
    }
}

bool guard_wanted(const struct winnow_dedup_options *opt)
{
    return opt->cluster_max > 0 || opt->removed_max < 1 || opt->source_removed_max < 1;
}

/* What else helps. */
static const char *or_else(const struct winnow_dedup_options *opt)
{
    return opt->method == WINNOW_DEDUP_MINHASH ? ", or raise --threshold" : "";
}

static winnow_status check_sources(const struct guard *g, const struct winnow_dedup_options *opt,
                                   struct winnow_error *err)
{
    if (g->many) {
        return error_set(err, WINNOW_E_LIMIT,
                         "nothing was removed: the documents name more than %u sources, and "
                         "--max-source-removed looks at each; leave it away",
                         GUARD_SOURCES_MAX);
    }
    const struct map_entry **order = in_order(g);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < g->names.count; i++) {
        const struct guard_source *s = &g->sources[order[i]->value];
        if (s->in >= SOURCE_LEAST && (double)s->removed > opt->source_removed_max * (double)s->in) {
            st = error_set(err, WINNOW_E_LIMIT,
                           "nothing was removed: the source \"%.*s\" would lose %" PRIu64
                           " of %" PRIu64 " %ss (%.2f %%), and --max-source-removed is %g; raise "
                           "it if that is right%s",
                           STR_ARG(order[i]->key), s->removed, s->in, g->what,
                           percent(s->removed, s->in), opt->source_removed_max, or_else(opt));
        }
    }
    mem_free(order);
    return st;
}

winnow_status guard_check(const struct guard *g, const struct winnow_dedup_options *opt,
                          struct winnow_error *err)
{
    if (opt->cluster_max > 0 && g->largest > opt->cluster_max) {
        return error_set(err, WINNOW_E_LIMIT,
                         "nothing was removed: the largest cluster holds %" PRIu64
                         " documents, among them \"%.*s\", and --max-cluster is %" PRIu64
                         "; look at them, then raise it%s",
                         g->largest, STR_ARG(buf_str(&g->first)), opt->cluster_max, or_else(opt));
    }
    if (opt->removed_max < 1 && (double)g->removed > opt->removed_max * (double)g->in) {
        return error_set(err, WINNOW_E_LIMIT,
                         "nothing was removed: %" PRIu64 " of %" PRIu64
                         " %ss would go (%.2f %%), and --max-removed is %g; raise it if that is "
                         "right%s",
                         g->removed, g->in, g->what, percent(g->removed, g->in), opt->removed_max,
                         or_else(opt));
    }
    return opt->source_removed_max < 1 ? check_sources(g, opt, err) : WINNOW_OK;
}
