/* mix_clusters.c -- reads ids with their clusters, 16 bytes of memory each.
 *
 * Of a ledger of dedup the removed documents name their cluster and the one that stays, which is
 * of the same; documents alone in theirs are not in it and need not be. */
#include "mix/mix_clusters.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json_span.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/json_lines.h"
#include "corpus/shards.h"
#include "mix/mix_value.h"

#include <stdio.h>

struct reading {
    struct mix_clusters *out;
    const struct winnow_env *env;
    struct buf scratch;
};

void mix_clusters_release(struct mix_clusters *c)
{
    mem_free(c->items);
    *c = (struct mix_clusters){0};
}

static winnow_status add(struct reading *r, struct str id, uint64_t cluster,
                         struct winnow_error *err)
{
    struct mix_clusters *c = r->out;
    if (c->count == c->cap) {
        size_t cap = c->cap > 0 ? 2 * c->cap : 1024;
        TRY(memory_need(r->env->memory_max, "mix with clusters of as many documents",
                        (c->cap + cap) * sizeof *c->items + ((uint64_t)64 << 20),
                        "leave --clusters away: equal texts stay together without it", err));
        if (!mem_try_grow((void **)&c->items, c->cap * sizeof *c->items, cap * sizeof *c->items)) {
            return error_set(err, WINNOW_E_NOMEM, "no memory for the clusters of %zu documents",
                             cap);
        }
        c->cap = cap;
    }
    c->items[c->count++] = (struct mix_cluster){hash64(id, 0), cluster};
    return WINNOW_OK;
}

static winnow_status take_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct reading *r = ctx;
    struct str id, kept, name;
    if (!json_span_id(line->root, str_trim(line->text), "id", &id)) {
        return error_set(err, WINNOW_E_FORMAT, "no id");
    }
    if (!mix_name(mix_attribute(line->root, "cluster"), &r->scratch, &name)) {
        return WINNOW_OK; /* alone */
    }
    uint64_t cluster = hash64(name, 0);
    TRY(add(r, id, cluster, err));
    return json_as_str(json_get(line->root, "kept"), &kept) ? add(r, kept, cluster, err)
                                                            : WINNOW_OK;
}

static winnow_status read_files(struct reading *r, const char *path, struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = {&path, 1}, .kind = SHARDS_DOCUMENTS};
    const struct json_lines lines = {.line = take_line, .ctx = r};
    winnow_status st = shards_find(&find, &shards, err);
    for (size_t i = 0; st == WINNOW_OK && i < shards.count; i++) {
        st = json_lines_read(shards.items[i].path, &lines, err);
        st = st == WINNOW_OK ? env_check(r->env, err) : st;
    }
    shard_list_release(&shards);
    return st;
}

struct stages {
    struct reading *r;
    const char *folder;
    struct buf path;
    winnow_status status;
    struct winnow_error *err;
};

static void read_stage(void *ctx, const char *name)
{
    struct stages *s = ctx;
    if (s->status != WINNOW_OK || !strstr(name, "-dedup")) {
        return;
    }
    buf_clear(&s->path);
    buf_addf(&s->path, "%s/%s/ledger", s->folder, name);
    s->status = read_files(s->r, buf_cstr(&s->path), s->err);
}

static winnow_status read_path(struct reading *r, const char *path, struct winnow_error *err)
{
    struct buf below = {0};
    struct stages stages = {.r = r, .err = err};
    bool found = false;
    winnow_status st = WINNOW_OK;
    if (file_is_dir(file_join(&below, path, "ledger"))) {
        st = read_files(r, buf_cstr(&below), err);
    } else if (file_is_dir(file_join(&below, path, "stages"))) {
        stages.folder = buf_cstr(&below);
        st = file_list(stages.folder, read_stage, &stages, &found, err);
        st = st == WINNOW_OK ? stages.status : st;
        if (st == WINNOW_OK && stages.path.len == 0) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s is a run without a dedup: no ledger of it says what is a copy of "
                           "what",
                           path);
        }
    } else {
        st = read_files(r, path, err);
    }
    buf_release(&stages.path);
    buf_release(&below);
    return st;
}

static int by_id(const void *a, const void *b)
{
    const struct mix_cluster *x = a, *y = b;
    if (x->id != y->id) {
        return x->id < y->id ? -1 : 1;
    }
    return x->cluster < y->cluster ? -1 : x->cluster > y->cluster;
}

winnow_status mix_clusters_read(const char *path, const struct winnow_env *env,
                                struct mix_clusters *out, struct winnow_error *err)
{
    struct reading r = {.out = out, .env = env};
    winnow_status st = read_path(&r, path, err);
    buf_release(&r.scratch);
    TRY(st);
    if (out->count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: no row of it has a \"cluster\": name a run of dedup that found "
                         "copies, or files whose rows have \"id\" and \"cluster\"",
                         path);
    }
    sort(out->items, out->count, sizeof *out->items, by_id);
    return WINNOW_OK;
}

bool mix_clusters_find(const struct mix_clusters *c, struct str id, uint64_t *cluster)
{
    uint64_t hash = hash64(id, 0);
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->items[middle].id < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == c->count || c->items[low].id != hash) {
        return false;
    }
    *cluster = c->items[low].cluster;
    return true;
}
