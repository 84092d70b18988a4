/* near_groups.c -- see near_groups.h.
 *
 * Within a band the documents seen so far lie in parts, one for each component.  A new one
 * is compared with the members of every part that it does not hang together with yet, until
 * one is similar.  Near-copies soon are one part, so that is one comparison each; what keeps
 * apart costs more, and a crowded band is bounded: PARTS_MAX parts, MEMBERS_MAX members of
 * each, TESTS_MAX comparisons a document.  Who was passed over is counted. */
#include "dedup/near_groups.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/record_sort.h"

#define PARTS_MAX   256U
#define MEMBERS_MAX 256U
#define TESTS_MAX   4096U
#define CHECK_EVERY 65536U

/* ---- keys ---- */

static winnow_status add_keys(struct near_nodes *nodes, uint64_t node, struct record_sort *sort,
                              struct winnow_error *err)
{
    const struct signature *s = near_signature(nodes, node);
    const struct signatures_shape *shape = &nodes->corpora[0].shape;
    uint64_t records[2 * 64];
    size_t filled = 0;
    if (s->words == 0) {
        return WINNOW_OK;
    }
    for (uint32_t band = 0; band < shape->bands; band++) {
        const struct str rows = {(const char *)(s->numbers + (size_t)band * shape->rows),
                                 shape->rows * sizeof *s->numbers};
        records[filled++] = hash64(rows, band + 1);
        records[filled++] = node;
        if (filled == sizeof records / sizeof *records) {
            TRY(record_sort_add(sort, records, filled / 2, err));
            filled = 0;
        }
    }
    return record_sort_add(sort, records, filled / 2, err);
}

static winnow_status sort_keys(struct near_nodes *nodes, const struct near_work *work,
                               struct record_sort *sort, struct winnow_error *err)
{
    uint64_t count = nodes->starts[nodes->corpus_count];
    for (uint64_t node = 0; node < count; node++) {
        if (node % CHECK_EVERY == 0) {
            TRY(env_check(work->env, err));
            env_progress(work->env, "dedup bands", "documents", node, count);
        }
        TRY(add_keys(nodes, node, sort, err));
    }
    return record_sort_finish(sort, err);
}

struct each {
    winnow_status (*call)(void *ctx, uint64_t node, bool first, struct winnow_error *err);
    void *ctx;
};

static winnow_status walk_keys(const struct near_work *work, struct record_sort *sort,
                               const struct each *each, struct winnow_error *err)
{
    const uint64_t *r;
    uint64_t key = 0, node = 0, walked = 0;
    bool any = false, in_band = false;
    for (;;) {
        TRY(record_sort_next(sort, &r, err));
        if (!r) {
            return WINNOW_OK;
        }
        if (walked++ % CHECK_EVERY == 0) {
            TRY(env_check(work->env, err));
        }
        if (any && r[0] == key) {
            if (!in_band) {
                TRY(each->call(each->ctx, node, true, err));
                in_band = true;
            }
            TRY(each->call(each->ctx, r[1], false, err));
        } else {
            in_band = false;
        }
        any = true;
        key = r[0];
        node = r[1];
    }
}

winnow_status near_each_band(struct near_nodes *nodes, const struct near_work *work,
                             winnow_status (*call)(void *ctx, uint64_t node, bool first,
                                                   struct winnow_error *err),
                             void *ctx, struct winnow_error *err)
{
    struct record_sort *sort = NULL;
    const struct each each = {call, ctx};
    winnow_status st = record_sort_new(&sort, 2, work->memory, work->folder, err);
    if (st == WINNOW_OK) {
        st = sort_keys(nodes, work, sort, err);
    }
    if (st == WINNOW_OK) {
        st = walk_keys(work, sort, &each, err);
    }
    record_sort_free(sort);
    return st;
}

/* ---- parts of a band ---- */

struct part {
    uint32_t count;
    uint32_t members[MEMBERS_MAX];
};

struct linking {
    struct near_nodes *nodes;
    struct links *links;
    struct near_counts *counts;
    struct part *parts;
    size_t count, cap;
};

static void add_member(struct part *p, uint32_t node)
{
    if (p->count < MEMBERS_MAX) {
        p->members[p->count++] = node;
    }
}

/* Whether the node is similar to a member; old documents are not compared with each other. */
static winnow_status meets(struct linking *l, const struct part *p, uint32_t node, uint32_t *tests,
                           bool *out, struct winnow_error *err)
{
    bool old = near_is_old(l->nodes, node);
    *out = false;
    for (uint32_t i = 0; i < p->count && !*out && *tests < TESTS_MAX; i++) {
        if (!old || !near_is_old(l->nodes, p->members[i])) {
            TRY(near_similar(l->nodes, node, p->members[i], out, err));
            (*tests)++;
        }
    }
    return WINNOW_OK;
}

/* The part behind the last one takes the place of a part that is another's now. */
static void merge_parts(struct linking *l, size_t into, size_t from)
{
    for (uint32_t i = 0; i < l->parts[from].count; i++) {
        add_member(&l->parts[into], l->parts[from].members[i]);
    }
    l->parts[from] = l->parts[--l->count];
}

static void start_part(struct linking *l, uint32_t node)
{
    if (l->count == PARTS_MAX) {
        return;
    }
    GROW(l->parts, l->count, l->cap, 4);
    struct part *p = &l->parts[l->count++];
    p->count = 0;
    add_member(p, node);
}

static winnow_status take_member(void *ctx, uint64_t number, bool first, struct winnow_error *err)
{
    struct linking *l = ctx;
    uint32_t node = (uint32_t)number, tests = 0;
    size_t home = SIZE_MAX;
    l->count = first ? 0 : l->count;
    l->counts->candidates++;
    bool crowded = l->count == PARTS_MAX;
    for (size_t i = 0; i < l->count;) {
        struct part *p = &l->parts[i];
        bool joined = links_root(l->links, p->members[0]) == links_root(l->links, node);
        if (!joined) {
            TRY(meets(l, p, node, &tests, &joined, err));
            l->counts->similar += joined;
            crowded = crowded || (!joined && p->count == MEMBERS_MAX);
        }
        if (joined) {
            (void)links_join(l->links, p->members[0], node);
        }
        if (joined && home == SIZE_MAX) {
            home = i;
        } else if (joined) {
            merge_parts(l, home, i);
            continue;
        }
        i++;
    }
    l->counts->compared += tests;
    l->counts->passed_over += crowded || tests >= TESTS_MAX;
    if (home == SIZE_MAX) {
        start_part(l, node);
    } else {
        add_member(&l->parts[home], node);
    }
    return WINNOW_OK;
}

winnow_status near_link(struct near_nodes *nodes, const struct near_work *work, struct links *links,
                        struct near_counts *counts, struct winnow_error *err)
{
    struct linking l = {.nodes = nodes, .links = links, .counts = counts};
    winnow_status st = near_each_band(nodes, work, take_member, &l, err);
    mem_free(l.parts);
    return st;
}
