/* near_clusters.c -- see near_clusters.h. */
#include "dedup/near_clusters.h"

#include "winnow/dedup.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/record_sort.h"
#include "base/sort.h"

#include <inttypes.h>

#define OLD_COMPARED 64U    /* of the old documents of a cluster, to name the nearest */
#define STAYS_MAX    4096U  /* compared with, with --direct */
#define FORGET_EVERY 65536U /* look-ups */
#define ROW_WORDS    4U     /* ordinal, node that stays, cluster, value */

struct member {
    uint32_t node;
    double rank; /* greater is better */
};

struct choosing {
    struct near_nodes *nodes;
    const struct near_choice *how;
    uint64_t *removed;
    struct near_tally *tally;
    struct record_sort *rows;
    struct member *members; /* new ones of the cluster, those that stay first */
    size_t count, cap;
    uint32_t *old; /* old ones */
    size_t old_count, old_cap;
    uint32_t *stays;
    size_t stays_count, stays_cap;
    uint64_t cluster;
};

static uint64_t value_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static winnow_status add_row(struct choosing *c, uint32_t node, uint32_t stays, double value,
                             struct winnow_error *err)
{
    const uint64_t row[ROW_WORDS] = {node, stays, c->cluster, value_bits(value)};
    return record_sort_add(c->rows, row, 1, err);
}

static winnow_status add_removed(struct choosing *c, uint32_t node, uint32_t stays,
                                 struct winnow_error *err)
{
    double similarity;
    TRY(near_similarity(c->nodes, node, stays, &similarity, err));
    c->tally->removed++;
    c->tally->removed_against += near_is_old(c->nodes, stays);
    c->tally->chained += similarity < c->nodes->threshold;
    c->removed[node / 64] |= (uint64_t)1 << (node % 64);
    return add_row(c, node, stays, similarity, err);
}

static double rank_of(struct choosing *c, uint32_t node)
{
    const struct signature *s = near_signature(c->nodes, node);
    switch ((enum winnow_dedup_keep)c->how->opt->keep) {
    case WINNOW_KEEP_LONGEST:
        return (double)s->bytes;
    case WINNOW_KEEP_BEST:
        return s->value;
    case WINNOW_KEEP_FIRST:
        break;
    }
    return 0;
}

static int better_first(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->rank < y->rank || x->rank > y->rank) {
        return x->rank > y->rank ? -1 : 1;
    }
    return x->node < y->node ? -1 : x->node > y->node;
}

/* The old document that is nearest; the first of equals. */
static winnow_status nearest_old(struct choosing *c, uint32_t node, uint32_t *out,
                                 struct winnow_error *err)
{
    double best = -1;
    for (size_t i = 0; i < c->old_count && i < OLD_COMPARED; i++) {
        double similarity;
        TRY(near_similarity(c->nodes, node, c->old[i], &similarity, err));
        if (similarity > best) {
            best = similarity;
            *out = c->old[i];
        }
    }
    return WINNOW_OK;
}

static winnow_status choose_whole(struct choosing *c, struct winnow_error *err)
{
    size_t from = c->old_count > 0 ? 0 : 1;
    for (size_t i = from; i < c->count; i++) {
        uint32_t stays = c->members[0].node;
        if (c->old_count > 0) {
            TRY(nearest_old(c, c->members[i].node, &stays, err));
        }
        TRY(add_removed(c, c->members[i].node, stays, err));
    }
    return c->old_count > 0
               ? WINNOW_OK
               : add_row(c, c->members[0].node, c->members[0].node, (double)c->count, err);
}

static void add_staying(struct choosing *c, uint32_t node)
{
    GROW(c->stays, c->stays_count, c->stays_cap, 16);
    c->stays[c->stays_count++] = node;
}

static winnow_status choose_direct(struct choosing *c, struct winnow_error *err)
{
    size_t all = c->count + c->old_count;
    c->stays_count = 0;
    for (size_t i = 0; i < c->old_count; i++) {
        add_staying(c, c->old[i]);
    }
    for (size_t i = 0; i < c->count; i++) {
        uint32_t node = c->members[i].node;
        bool near = false;
        size_t k = 0;
        for (; k < c->stays_count && k < STAYS_MAX && !near; k++) {
            TRY(near_similar(c->nodes, node, c->stays[k], &near, err));
        }
        if (near) {
            TRY(add_removed(c, node, c->stays[k - 1], err));
            continue;
        }
        add_staying(c, node);
        TRY(add_row(c, node, node, (double)all, err));
    }
    return WINNOW_OK;
}

static winnow_status choose_cluster(struct choosing *c, uint32_t root, struct winnow_error *err)
{
    c->cluster = near_signature(c->nodes, root)->words;
    c->tally->clusters++;
    if (c->count + c->old_count > c->tally->largest) {
        c->tally->largest = c->count + c->old_count;
        c->tally->largest_cluster = c->cluster;
        c->tally->largest_first = root;
    }
    sort(c->members, c->count, sizeof *c->members, better_first);
    return c->how->opt->direct ? choose_direct(c, err) : choose_whole(c, err);
}

static void take_node(struct choosing *c, uint32_t node)
{
    if (near_is_old(c->nodes, node)) {
        GROW(c->old, c->old_count, c->old_cap, 16);
        c->old[c->old_count++] = node;
    } else {
        GROW(c->members, c->count, c->cap, 16);
        c->members[c->count++] = (struct member){node, rank_of(c, node)};
    }
}

/* Members of a cluster behind each other: {root, node}, but for the root itself. */
static winnow_status choose_all(struct choosing *c, struct record_sort *nodes,
                                struct winnow_error *err)
{
    const uint64_t *r;
    uint64_t root = UINT64_MAX;
    for (;;) {
        TRY(record_sort_next(nodes, &r, err));
        if (root != UINT64_MAX && (!r || r[0] != root)) {
            TRY(choose_cluster(c, (uint32_t)root, err));
        }
        if (!r) {
            return WINNOW_OK;
        }
        if (r[0] != root) {
            root = r[0];
            c->count = c->old_count = 0;
            take_node(c, (uint32_t)root);
        }
        take_node(c, (uint32_t)r[1]);
    }
}

static winnow_status sort_nodes(struct links *links, struct record_sort *nodes,
                                struct winnow_error *err)
{
    for (size_t i = 0; i < links->count; i++) {
        uint32_t root = links_root(links, (uint32_t)i);
        if (root != i) {
            const uint64_t record[2] = {root, i};
            TRY(record_sort_add(nodes, record, 1, err));
        }
    }
    return record_sort_finish(nodes, err);
}

/* ---- rows to files ---- */

static winnow_status write_row(struct choosing *c, const uint64_t *r, struct near_file *rows,
                               struct near_file *names, struct winnow_error *err)
{
    uint32_t stays = (uint32_t)r[1];
    struct near_row row = {.ordinal = near_signature(c->nodes, r[0])->ordinal,
                           .cluster = r[2],
                           .name_at = names->end,
                           .against = r[0] == r[1] ? NEAR_STAYS : 0};
    memcpy(&row.value, &r[3], sizeof row.value);
    if (r[0] != r[1]) {
        size_t corpus = near_corpus_of(c->nodes, stays);
        struct str id = signatures_id(&c->nodes->corpora[corpus], near_signature(c->nodes, stays));
        row.against = (uint32_t)corpus;
        row.name_len = (uint32_t)id.len;
        TRY(near_file_add(names, id, err));
        if (id.len >= NEAR_LONG_NAME) {
            file_map_forget(id);
        }
    }
    return near_file_add(rows, (struct str){(const char *)&row, sizeof row}, err);
}

static winnow_status write_rows(struct choosing *c, struct near_file *rows, struct near_file *names,
                                struct winnow_error *err)
{
    const uint64_t *r;
    TRY(near_file_open(rows, c->how->rows_path, 0, err));
    TRY(near_file_open(names, c->how->names_path, 0, err));
    TRY(record_sort_finish(c->rows, err));
    for (;;) {
        TRY(record_sort_next(c->rows, &r, err));
        if (!r) {
            break;
        }
        TRY(write_row(c, r, rows, names, err));
    }
    TRY(near_file_sync(names, err));
    return near_file_sync(rows, err);
}

static winnow_status run_steps(struct choosing *c, struct links *links, struct record_sort *nodes,
                               struct winnow_error *err)
{
    struct near_file rows = NEAR_FILE_NONE, names = NEAR_FILE_NONE;
    TRY(sort_nodes(links, nodes, err));
    TRY(choose_all(c, nodes, err));
    winnow_status st = write_rows(c, &rows, &names, err);
    near_file_close(&rows);
    near_file_close(&names);
    return st;
}

winnow_status near_choose(struct near_nodes *nodes, struct links *links,
                          const struct near_choice *choice, const struct near_work *work,
                          uint64_t *removed, struct near_tally *tally, struct winnow_error *err)
{
    struct choosing c = {.nodes = nodes, .how = choice, .removed = removed, .tally = tally};
    struct record_sort *by_root = NULL;
    *tally = (struct near_tally){0};
    winnow_status st = record_sort_new(&by_root, 2, work->memory / 2, work->folder, err);
    if (st == WINNOW_OK) {
        st = record_sort_new(&c.rows, ROW_WORDS, work->memory / 2, work->folder, err);
    }
    if (st == WINNOW_OK) {
        st = run_steps(&c, links, by_root, err);
    }
    record_sort_free(by_root);
    record_sort_free(c.rows);
    mem_free(c.members);
    mem_free(c.old);
    mem_free(c.stays);
    return st;
}

/* ---- looking up ---- */

winnow_status near_rows_open(const char *rows, const char *names, struct near_rows *out,
                             struct winnow_error *err)
{
    *out = (struct near_rows){.count = 0};
    TRY(file_map_open(rows, &out->rows, err));
    TRY(file_map_open(names, &out->names, err));
    out->count = out->rows.bytes.len / sizeof(struct near_row);
    return WINNOW_OK;
}

void near_rows_close(struct near_rows *r)
{
    file_map_close(&r->rows);
    file_map_close(&r->names);
    *r = (struct near_rows){.count = 0};
}

/* Documents come nearly in order, so what was looked at before is not needed any more. */
static void forget(struct near_rows *r)
{
    if (atomic_fetch_add(&r->looked, 1) % FORGET_EVERY == FORGET_EVERY - 1) {
        file_map_forget(r->rows.bytes);
        file_map_forget(r->names.bytes);
    }
}

const struct near_row *near_rows_find(struct near_rows *r, uint64_t ordinal)
{
    forget(r);
    const struct near_row *rows = (const struct near_row *)(const void *)r->rows.bytes.ptr;
    uint64_t low = 0, high = r->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (rows[middle].ordinal == ordinal) {
            return &rows[middle];
        }
        if (rows[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

struct str near_rows_name(const struct near_rows *r, const struct near_row *row)
{
    if (row->name_len == 0 || row->name_at + row->name_len > r->names.bytes.len) {
        return STR_LIT("");
    }
    return str_sub(r->names.bytes, row->name_at, row->name_at + row->name_len);
}
