/* diversify_find.c -- from documents to clusters and fates, each step a file in state/:
 *
 *   vectors/       the store, where none is given
 *   kmeans.bin     centroids of a k-means under way
 *   clusters.bin   of each place its cluster and the cosine to it
 *   alike.bin      of each place the nearest before it (semdedup, d4)
 *   kmeans-2.bin, clusters-2.bin  d4's second clustering
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "groups/density.h"
#include "groups/diversify_internal.h"
#include "option/budget.h"
#include "vectors/features.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define KIND "winnowCL"

struct group_rows diversify_rows(const struct diversify *d)
{
    return (struct group_rows){.data = d->pool.data,
                               .dim = d->pool.head->dim,
                               .which = d->which,
                               .count = d->places,
                               .forget = d->pool.forget};
}

/* ---- memory ---- */

static size_t clusters_of(const struct winnow_diversify_options *o, size_t n)
{
    size_t k = o->clusters > 0 ? (size_t)o->clusters : (size_t)llround(sqrt((double)n));
    return k > 0 ? k : 1;
}

static struct kmeans_options kmeans_how(const struct winnow_diversify_options *o, size_t k)
{
    return (struct kmeans_options){
        .k = k, .iterations = o->iterations, .sample = o->sample, .random_start = o->random_start};
}

uint64_t diversify_bytes(const struct winnow_diversify_options *o, uint64_t documents, uint64_t dim,
                         uint32_t threads)
{
    const struct kmeans_options how = kmeans_how(o, clusters_of(o, documents));
    uint64_t columns = 8 + 4 + 4 + 4 + 4 + 4 + 8 + 1; /* ids, rows, places ... fates */
    uint64_t choosing = 32, alike = ALIKE_ROW_BYTES, names = 24 + 1;
    uint64_t most = choosing > alike ? choosing : alike;
    return documents * (columns + (most > names ? most : names) + sizeof(float)) +
           kmeans_bytes(documents, dim, &how, threads) + density_bytes(dim, threads) +
           GROUP_NAMES_MEMORY;
}

static winnow_status need_room(const struct diversify *d, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(d->stage);
    uint64_t more =
        diversify_bytes(d->opt, d->rows.documents, d->pool.head->dim, pool_threads(d->home.pool));
    return memory_need(env->memory_max, "diversify of as many documents", mem_resident() + more,
                       "lower --sample, --clusters or --dim, or use fewer threads (-t)", err);
}

/* ---- vectors ---- */

static struct winnow_features_options features_how(const struct diversify *d)
{
    struct winnow_features_options f = WINNOW_FEATURES_OPTIONS_INIT;
    f.vectors = d->opt->model ? WINNOW_HIDDEN_STATES : WINNOW_NGRAMS;
    f.models = (struct winnow_list){&d->opt->model, d->opt->model ? 1 : 0};
    f.context = d->opt->context;
    f.dim = d->opt->model ? 0 : d->opt->dim;
    f.words = d->opt->words;
    f.characters = d->opt->characters;
    f.limit = d->rows.documents;
    return f;
}

static winnow_status make_store(const struct diversify *d, const char *work,
                                struct winnow_error *err)
{
    const struct winnow_features_options how = features_how(d);
    struct document_keys keys;
    struct winnow_features_result made;
    struct features_job job = {.opt = &how,
                               .shards = stage_input(d->stage),
                               .output = d->features,
                               .work = work,
                               .of = "the documents"};
    stage_keys(d->stage, &keys, &job.line_max);
    job.keys = &keys;
    TRY(file_make_dirs(work, err));
    winnow_status st = features_make(&job, stage_env(d->stage), &made, err);
    return st == WINNOW_OK ? st : error_wrap(err, st, "vectors of the documents");
}

static winnow_status make_vectors(struct diversify *d, struct winnow_error *err)
{
    struct buf store = {0}, work = {0};
    d->features = stage_path(d->stage, "vectors", &d->own);
    (void)file_join(&store, d->features, STORE_FILE);
    (void)file_join(&work, d->features, "checkpoint");
    winnow_status st = WINNOW_OK;
    if (!file_exists(buf_cstr(&store))) {
        st = make_store(d, buf_cstr(&work), err);
    }
    if (st == WINNOW_OK) {
        st = file_remove_tree(buf_cstr(&work), err); /* or a killed call's */
    }
    buf_release(&store);
    buf_release(&work);
    return st;
}

static winnow_status find_vectors(struct diversify *d, struct winnow_error *err)
{
    d->features = d->opt->features;
    if (!d->features) {
        TRY(make_vectors(d, err));
    }
    TRY(store_open(d->features, &d->pool, err));
    d->pool.forget = stage_env(d->stage)->memory_max > 0;
    if (d->pool.head->parts != 1) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s holds %u vectors a document, one a checkpoint: diversify compares "
                         "one; name one model",
                         d->features, d->pool.head->parts);
    }
    return corpus_rows_align(&d->rows, &d->pool, d->features, err);
}

/* ---- places ---- */

/* A store that others wrote may hold what is no number: one such row would spoil a centroid. */
static bool is_finite(const uint16_t *row, size_t dim)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < dim; i++) {
        wrong |= (row[i] & 0x7F80U) == 0x7F80U;
    }
    return wrong == 0;
}

static winnow_status find_places(struct diversify *d, struct winnow_error *err)
{
    size_t rows = d->pool.head->rows, dim = d->pool.head->dim;
    if (rows >= NO_PLACE) {
        return error_set(err, WINNOW_E_LIMIT, "%zu documents are more than diversify can number",
                         rows);
    }
    d->which = mem_try_alloc((rows + 1) * sizeof *d->which);
    d->place_of = mem_try_alloc((rows + 1) * sizeof *d->place_of);
    if (!d->which || !d->place_of) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu documents", rows);
    }
    for (size_t i = 0; i < rows; i++) {
        bool has = d->pool.norms[i] > 0 && is_finite(d->pool.data + i * dim, dim);
        d->place_of[i] = has ? (uint32_t)d->places : NO_PLACE;
        d->which[d->places] = (uint32_t)i;
        d->places += has;
    }
    if (d->places < rows) {
        env_log(stage_env(d->stage), WINNOW_LOG_WARNING,
                "%zu of %zu documents have no vector: nothing can be said of what they are about",
                rows - d->places, rows);
    }
    if (d->places == 0) {
        return error_set(err, WINNOW_E_FORMAT, "none of the %zu documents has a vector", rows);
    }
    d->k = clusters_of(d->opt, d->places);
    return d->k <= d->places ? WINNOW_OK
                             : error_set(err, WINNOW_E_FORMAT,
                                         "--clusters %zu is more than the %zu documents that have "
                                         "a vector: lower it, or leave it away (0: their square "
                                         "root)",
                                         d->k, d->places);
}

static winnow_status make_columns(struct diversify *d, struct winnow_error *err)
{
    size_t n = d->places + 1;
    d->cluster = mem_try_alloc(n * sizeof *d->cluster);
    d->cosine = mem_try_alloc(n * sizeof *d->cosine);
    d->draws = mem_try_alloc(n * sizeof *d->draws);
    d->fate = mem_try_alloc(n);
    if (!d->cluster || !d->cosine || !d->draws || !d->fate) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the clusters of %zu documents", n - 1);
    }
    uint64_t seed = rng_mix(stage_env(d->stage)->seed ^ UINT64_C(0x646976657273)); /* "divers" */
    for (size_t i = 0; i < d->places; i++) {
        d->draws[i] = rng_mix(d->pool.rows[d->which[i]].id ^ seed);
        d->fate[i] = ROW_KEPT;
    }
    return WINNOW_OK;
}

/* ---- clusters ---- */

struct clusters_head {
    uint64_t places, k, iterations, sampled;
    double cosine;
};

/* Columns by the number of a row, and which of the two clusterings they are: "" or "-2". */
struct clustering {
    const char *which;
    size_t k;
    struct kmeans *means;
    uint32_t *cluster;
    float *cosine;
};

static winnow_status save_clusters(const struct clustering *c, size_t n, const char *path,
                                   struct winnow_error *err)
{
    const struct kmeans *m = c->means;
    const struct clusters_head head = {n, m->k, m->iterations, m->sampled, m->cosine};
    const struct str parts[] = {state_part(&head, sizeof head),
                                state_part(c->cluster, n * sizeof *c->cluster),
                                state_part(c->cosine, n * sizeof *c->cosine)};
    return state_file_write(path, KIND, parts, 3, err);
}

static bool load_clusters(const struct clustering *c, size_t n, const char *path)
{
    struct state_file f;
    struct winnow_error ignored; /* what cannot be read is made anew */
    struct clusters_head head;
    if (!file_exists(path) || state_file_open(path, KIND, &f, &ignored) != WINNOW_OK) {
        return false;
    }
    bool good = state_file_take(&f, &head, sizeof head) && head.places == n && head.k == c->k &&
                state_file_take(&f, c->cluster, n * sizeof *c->cluster) &&
                state_file_take(&f, c->cosine, n * sizeof *c->cosine) && f.left.len == 0;
    for (size_t i = 0; good && i < n; i++) {
        good = c->cluster[i] < c->k;
    }
    state_file_close(&f);
    if (good) {
        *c->means = (struct kmeans){.k = c->k,
                                    .iterations = (uint32_t)head.iterations,
                                    .cosine = head.cosine,
                                    .sampled = head.sampled};
    }
    return good;
}

static winnow_status cluster_anew(struct diversify *d, const struct group_rows *rows,
                                  const struct clustering *c, const char *state,
                                  struct winnow_error *err)
{
    struct kmeans_options how = kmeans_how(d->opt, c->k);
    how.seed = stage_env(d->stage)->seed;
    how.stream = c->which[0] == '\0' ? "diversify" : "diversify again";
    how.path = state;
    TRY(kmeans_train(&d->home, rows, &how, c->means, err));
    return kmeans_assign(&d->home, rows, c->means, c->cluster, c->cosine, err);
}

static winnow_status cluster_rows(struct diversify *d, const struct group_rows *rows,
                                  const struct clustering *c, struct winnow_error *err)
{
    struct buf name = {0}, state = {0}, done = {0};
    buf_addf(&name, "kmeans%s.bin", c->which);
    (void)stage_path(d->stage, buf_cstr(&name), &state);
    buf_clear(&name);
    buf_addf(&name, "clusters%s.bin", c->which);
    const char *file = stage_path(d->stage, buf_cstr(&name), &done);
    winnow_status st = WINNOW_OK;
    if (!load_clusters(c, rows->count, file)) {
        st = cluster_anew(d, rows, c, buf_cstr(&state), err);
        st = st == WINNOW_OK ? save_clusters(c, rows->count, file, err) : st;
    }
    if (st == WINNOW_OK) { /* when it was saved last is chance */
        st = file_remove_tree(buf_cstr(&state), err);
    }
    buf_release(&name);
    buf_release(&state);
    buf_release(&done);
    return st;
}

static winnow_status find_alike(struct diversify *d, struct winnow_error *err)
{
    struct buf path = {0};
    const struct group_rows rows = diversify_rows(d);
    const struct alike_options how = {.k = d->k,
                                      .easy = d->opt->keep == WINNOW_DIVERSIFY_EASY,
                                      .path = stage_path(d->stage, "alike.bin", &path)};
    winnow_status st = alike_find(&d->home, &rows, d->cluster, d->cosine, &how, &d->alike, err);
    buf_release(&path);
    if (st == WINNOW_OK && d->alike.windowed > 0) {
        env_log(stage_env(d->stage), WINNOW_LOG_WARNING,
                "%" PRIu64 " documents lie in clusters of more than %u: each was compared with as "
                "many of about its distance from the centroid; more --clusters compare all",
                d->alike.windowed, ALIKE_WINDOW);
    }
    return st;
}

static winnow_status find_density(struct diversify *d, struct winnow_error *err)
{
    const struct group_rows rows = diversify_rows(d);
    d->density = mem_try_alloc((d->places + 1) * sizeof *d->density);
    if (!d->density) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu densities", d->places);
    }
    return density_find(&d->home, &rows, stage_env(d->stage)->seed, d->density, err);
}

winnow_status diversify_find(struct diversify *d, struct winnow_error *err)
{
    int method = d->opt->method;
    TRY(find_vectors(d, err));
    TRY(need_room(d, err));
    TRY(find_places(d, err));
    TRY(make_columns(d, err));
    const struct group_rows rows = diversify_rows(d);
    const struct clustering how = {"", d->k, &d->means, d->cluster, d->cosine};
    TRY(cluster_rows(d, &rows, &how, err));
    if (method == WINNOW_DIVERSIFY_SEMDEDUP || method == WINNOW_DIVERSIFY_D4) {
        TRY(find_alike(d, err));
    }
    return method == WINNOW_DIVERSIFY_DENSITY ? find_density(d, err) : WINNOW_OK;
}

/* ---- fates ---- */

static void choose_balanced(struct diversify *d)
{
    size_t *sizes = mem_zalloc((d->k + 1) * sizeof *sizes);
    size_t *quota = mem_zalloc((d->k + 1) * sizeof *quota);
    for (size_t i = 0; i < d->places; i++) {
        sizes[d->cluster[i]]++;
    }
    share_out(sizes, d->k, d->budget, d->opt->even, quota);
    choose_quota(d->cluster, d->draws, d->places, quota, d->k, d->fate);
    mem_free(sizes);
    mem_free(quota);
}

/* d4: what semdedup left in clusters of their own, without those nearest to the centroids. */
static winnow_status drop_prototypes(struct diversify *d, struct winnow_error *err)
{
    size_t n = 0;
    uint32_t *rows_left = mem_alloc((d->places + 1) * sizeof *rows_left);
    uint32_t *cluster = mem_alloc((d->places + 1) * sizeof *cluster);
    float *cosine = mem_alloc((d->places + 1) * sizeof *cosine);
    for (size_t i = 0; i < d->places; i++) {
        if (d->fate[i] == ROW_KEPT) {
            rows_left[n++] = d->which[i];
        }
    }
    struct group_rows rows = diversify_rows(d);
    rows.which = rows_left;
    rows.count = n;
    d->second_k = d->k < n ? d->k : n;
    struct kmeans second = {.k = 0};
    const struct clustering how = {"-2", d->second_k, &second, cluster, cosine};
    winnow_status st = cluster_rows(d, &rows, &how, err);
    if (st == WINNOW_OK) { /* by place, from the back: none is written over before it is read */
        for (size_t i = d->places; i > 0; i--) {
            cosine[i - 1] = d->fate[i - 1] == ROW_KEPT ? cosine[--n] : 0;
        }
        d->prototype = choose_least(cosine, d->draws, d->places, d->budget, ROW_PROTOTYPE, d->fate);
    }
    kmeans_release(&second);
    mem_free(rows_left);
    mem_free(cluster);
    mem_free(cosine);
    return st;
}

static winnow_status choose_d4(struct diversify *d, struct winnow_error *err)
{
    size_t left = (size_t)llround(d->opt->dedup * (double)d->places);
    if (d->budget > left) {
        return error_set(err, WINNOW_E_USAGE,
                         "--budget asks for %zu documents, and --dedup %g leaves %zu of the first "
                         "step: raise --dedup, or lower --budget",
                         d->budget, d->opt->dedup, left);
    }
    d->limit = choose_least(d->alike.cosine, d->draws, d->places, left, ROW_NEAR_COPY, d->fate);
    return drop_prototypes(d, err);
}

winnow_status diversify_choose(struct diversify *d, struct winnow_error *err)
{
    const struct winnow_diversify_options *o = d->opt;
    d->limit = d->prototype = (double)NAN;
    d->has_budget =
        o->budget || (o->method != WINNOW_DIVERSIFY_NONE && o->method != WINNOW_DIVERSIFY_SEMDEDUP);
    if (d->has_budget) {
        TRY(budget_read(o->budget ? o->budget : "50%", d->rows.documents, &d->budget, err));
        d->budget = d->budget < d->places ? d->budget : d->places;
    }
    switch (o->method) {
    case WINNOW_DIVERSIFY_SEMDEDUP:
        if (d->has_budget) {
            d->limit = choose_least(d->alike.cosine, d->draws, d->places, d->budget, ROW_NEAR_COPY,
                                    d->fate);
        } else {
            d->limit = 1 - o->eps;
            choose_below(d->alike.cosine, d->places, d->limit, d->fate);
        }
        return WINNOW_OK;
    case WINNOW_DIVERSIFY_D4:
        return choose_d4(d, err);
    case WINNOW_DIVERSIFY_DENSITY:
        choose_sparse(d->density, d->draws, d->places, d->budget, d->fate);
        return WINNOW_OK;
    case WINNOW_DIVERSIFY_BALANCED:
        choose_balanced(d);
        return WINNOW_OK;
    default:
        return WINNOW_OK;
    }
}
