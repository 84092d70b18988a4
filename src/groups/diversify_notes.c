/* diversify_notes.c -- what people read of clusters: their words, how much of each stays, how even
 * the corpus is over them; and ids for the ledger. */
#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "groups/diversify_internal.h"
#include "run/vanished.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAWN_MAX 50U /* documents of a cluster that its name comes from */
#define IDS_FLUSH ((size_t)1 << 16)

static const char *method_name(const struct diversify *d)
{
    static const char *const NAMES[] = {"semdedup", "none", "d4", "density", "balanced"};
    return NAMES[d->opt->method];
}

/* ---- ids ---- */

uint32_t diversify_root(const struct diversify *d, uint32_t place)
{
    while (d->fate[place] == ROW_NEAR_COPY && d->alike.nearest[place] != ALIKE_NONE) {
        place = d->alike.nearest[place]; /* each stands before the other in its cluster */
    }
    return place;
}

/* state/ids.bin: u64 where the id of each place begins, one more for the end; then ids. */
struct id_file {
    struct diversify *d;
    uint64_t *starts;      /* of a place and of the end */
    unsigned char *wanted; /* by place */
    struct buf bytes;
    uint64_t at;
    int fd;
    const char *path;
};

static winnow_status flush_ids(struct id_file *f, struct winnow_error *err)
{
    TRY(file_write_fd(f->fd, buf_str(&f->bytes), f->path, err));
    buf_clear(&f->bytes);
    return WINNOW_OK;
}

static winnow_status take_id(void *state, struct str id, uint64_t ordinal, struct stage_result *r,
                             struct winnow_error *err)
{
    (void)r;
    struct id_file *f = state;
    uint32_t place = f->d->place_of[f->d->rows.row_of[ordinal]];
    if (place == NO_PLACE) {
        return WINNOW_OK;
    }
    f->starts[place] = f->at;
    if (f->wanted[place]) {
        buf_add_str(&f->bytes, id);
        f->at += id.len;
    }
    f->starts[place + 1] = f->at;
    return f->bytes.len < IDS_FLUSH ? WINNOW_OK : flush_ids(f, err);
}

static winnow_status say_nothing(void *state, void *worker, const struct document *document,
                                 struct stage_result *r, struct winnow_error *err)
{
    (void)state;
    (void)worker;
    (void)document;
    (void)r;
    (void)err;
    return WINNOW_OK;
}

static winnow_status write_ids(struct id_file *f, struct winnow_error *err)
{
    const struct stage_pass pass = {
        .name = "ids", .state = f, .document = say_nothing, .decide = take_id};
    uint64_t places = f->d->places;
    f->at = (places + 1) * sizeof *f->starts;
    f->starts[0] = f->at;
    if (lseek(f->fd, (off_t)f->at, SEEK_SET) < 0) {
        return error_set(err, WINNOW_E_IO, "cannot write %s", f->path);
    }
    TRY(stage_run_pass(f->d->stage, &pass, err));
    TRY(flush_ids(f, err));
    if (lseek(f->fd, 0, SEEK_SET) < 0) {
        return error_set(err, WINNOW_E_IO, "cannot write %s", f->path);
    }
    const struct str starts = {(const char *)f->starts, (places + 1) * sizeof *f->starts};
    return file_write_fd(f->fd, starts, f->path, err);
}

static winnow_status make_ids(struct diversify *d, const char *path, struct winnow_error *err)
{
    struct buf name = {0};
    struct id_file f = {.d = d, .fd = -1};
    f.starts = mem_zalloc((d->places + 2) * sizeof *f.starts);
    f.wanted = mem_zalloc(d->places + 1);
    for (uint32_t i = 0; i < d->places; i++) {
        if (d->fate[i] == ROW_NEAR_COPY) {
            f.wanted[diversify_root(d, i)] = 1;
        }
    }
    winnow_status st = file_open_temporary(path, stage_folder(d->stage), &name, &f.fd, err);
    f.path = buf_cstr(&name);
    if (st == WINNOW_OK) {
        st = write_ids(&f, err);
        if (close(f.fd) != 0 && st == WINNOW_OK) {
            st = error_set(err, WINNOW_E_IO, "cannot write %s", path);
        }
    }
    st = st == WINNOW_OK ? file_commit(f.path, path, err) : st;
    mem_free(f.starts);
    mem_free(f.wanted);
    buf_release(&f.bytes);
    buf_release(&name);
    return st;
}

static winnow_status find_ids(struct diversify *d, struct winnow_error *err)
{
    bool near = false;
    for (size_t i = 0; i < d->places && !near; i++) {
        near = d->fate[i] == ROW_NEAR_COPY;
    }
    if (!near) {
        return WINNOW_OK;
    }
    struct buf buf = {0};
    const char *path = stage_path(d->stage, "ids.bin", &buf);
    winnow_status st = file_exists(path) ? WINNOW_OK : make_ids(d, path, err);
    st = st == WINNOW_OK ? file_map_open(path, &d->ids, err) : st;
    buf_release(&buf);
    return st;
}

struct str diversify_id(const struct diversify *d, uint32_t place)
{
    uint64_t at[2] = {0, 0};
    if (d->ids.bytes.len >= (d->places + 1) * sizeof *at) {
        memcpy(at, d->ids.bytes.ptr + place * sizeof *at, sizeof at);
    }
    bool good = at[0] <= at[1] && at[1] <= d->ids.bytes.len;
    return good ? str_sub(d->ids.bytes, (size_t)at[0], (size_t)at[1]) : STR_LIT("");
}

/* ---- names ---- */

struct drawn_row {
    uint64_t draw;
    uint32_t cluster, place;
};

static int by_draw(const void *pa, const void *pb)
{
    const struct drawn_row *a = pa, *b = pb;
    if (a->cluster != b->cluster) {
        return a->cluster < b->cluster ? -1 : 1;
    }
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    return (a->place > b->place) - (a->place < b->place);
}

struct drawn_set {
    const struct diversify *d;
    unsigned char *drawn; /* by place */
};

static size_t cluster_of(const void *ctx, uint64_t ordinal)
{
    const struct drawn_set *s = ctx;
    uint32_t place = s->d->place_of[s->d->rows.row_of[ordinal]];
    return place == NO_PLACE || !s->drawn[place] ? SIZE_MAX : s->d->cluster[place];
}

static winnow_status find_names(struct diversify *d, const char **names, struct winnow_error *err)
{
    struct drawn_set set = {d, mem_zalloc(d->places + 1)};
    struct drawn_row *all = mem_alloc((d->places + 1) * sizeof *all);
    for (size_t i = 0; i < d->places; i++) {
        all[i] = (struct drawn_row){d->draws[i], d->cluster[i], (uint32_t)i};
    }
    sort(all, d->places, sizeof *all, by_draw);
    for (size_t i = 0, first = 0; i < d->places; i++) {
        first = all[i].cluster == all[first].cluster ? first : i;
        set.drawn[all[i].place] = i - first < DRAWN_MAX;
    }
    mem_free(all);
    const struct group_drawn drawn = {cluster_of, &set, d->k};
    winnow_status st = group_names_find(d->stage, &drawn, names, &d->keep, err);
    mem_free(set.drawn);
    return st;
}

/* ---- diversify.json ---- */

struct sums {
    size_t *in, *kept; /* by cluster */
    double *cosine;
    size_t fates[ROW_NOT_DRAWN + 1];
};

static void sum_up(const struct diversify *d, struct sums *s)
{
    s->in = mem_zalloc((d->k + 1) * sizeof *s->in);
    s->kept = mem_zalloc((d->k + 1) * sizeof *s->kept);
    s->cosine = mem_zalloc((d->k + 1) * sizeof *s->cosine);
    for (size_t i = 0; i < d->places; i++) {
        s->in[d->cluster[i]]++;
        s->kept[d->cluster[i]] += d->fate[i] == ROW_KEPT;
        s->cosine[d->cluster[i]] += (double)d->cosine[i];
        s->fates[d->fate[i]]++;
    }
}

static void write_coverage(const char *name, const size_t *sizes, size_t k, struct json_writer *w)
{
    size_t some = 0;
    for (size_t c = 0; c < k; c++) {
        some += sizes[c] > 0;
    }
    double bits = entropy_of(sizes, k);
    json_member_open(w, name, '{');
    json_member_u64(w, "clusters", some);
    json_member_double(w, "entropy_bits", bits);
    json_member_double(w, "even_clusters", exp2(bits));
    json_member_double(w, "share_of_most", k > 1 ? bits / log2((double)k) : (double)NAN);
    json_close(w, '}');
}

static void write_head(const struct diversify *d, const struct sums *s, struct json_writer *w)
{
    json_member_text(w, "method", method_name(d));
    json_member_text(w, "vectors",
                     d->pool.head->kind == STORE_TEXT     ? "n-grams"
                     : d->pool.head->kind == STORE_HIDDEN ? "hidden states"
                                                          : "gradients");
    json_member_u64(w, "documents", d->rows.documents);
    json_member_u64(w, "without_vector", d->rows.documents - d->places);
    json_member_u64(w, "near_copies", s->fates[ROW_NEAR_COPY]);
    json_member_u64(w, "prototypes", s->fates[ROW_PROTOTYPE]);
    json_member_u64(w, "not_drawn", s->fates[ROW_NOT_DRAWN]);
    json_member_u64(w, "kept_with_vector", s->fates[ROW_KEPT]);
    json_member_double(w, "alike_above", d->limit);
    json_member_double(w, "prototype_above", d->prototype);
    json_member_u64(w, "clusters", d->k);
    json_member_u64(w, "iterations", d->means.iterations);
    json_member_u64(w, "sampled", d->means.sampled);
    json_member_double(w, "mean_cosine", d->means.cosine);
    json_member_u64(w, "compared_in_windows", d->alike.windowed);
    write_coverage("coverage_before", s->in, d->k, w);
    write_coverage("coverage_after", s->kept, d->k, w);
}

static void write_groups(const struct diversify *d, const struct sums *s, const char **names,
                         struct json_writer *w)
{
    json_member_open(w, "groups", '[');
    for (size_t c = 0; c < d->k; c++) {
        json_open(w, '{');
        json_member_u64(w, "cluster", c);
        json_member_open(w, "words", '[');
        for (size_t i = 0; i < GROUP_NAMES && names[c * GROUP_NAMES + i][0] != '\0'; i++) {
            json_text(w, names[c * GROUP_NAMES + i]);
        }
        json_close(w, ']');
        json_member_u64(w, "in", s->in[c]);
        json_member_u64(w, "kept", s->kept[c]);
        json_member_double(w, "cosine",
                           s->in[c] > 0 ? s->cosine[c] / (double)s->in[c] : (double)NAN);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static winnow_status write_file(struct diversify *d, const struct sums *s, const char *path,
                                struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    const char **names = mem_zalloc((d->k + 1) * GROUP_NAMES * sizeof(const char *));
    winnow_status st = find_names(d, names, err);
    if (st == WINNOW_OK) {
        json_open(&w, '{');
        json_member_u64(&w, "winnow_diversify", 1);
        write_head(d, s, &w);
        write_groups(d, s, names, &w);
        json_close(&w, '}');
        buf_add_char(&text, '\n');
        st = file_write_atomic(path, buf_str(&text), err);
    }
    buf_release(&text);
    mem_free((void *)names);
    return st;
}

static void note(const struct diversify *d, const struct sums *s)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    write_head(d, s, &w);
    json_close(&w, '}');
    stage_note(d->stage, "diversify", buf_str(&text));
    buf_release(&text);
    env_log(stage_env(d->stage), WINNOW_LOG_INFO,
            "diversify: %zu clusters of %zu documents, coverage %.2f of %.2f bits before and %.2f "
            "after; %zu near-copies",
            d->k, d->places, entropy_of(s->in, d->k), log2((double)d->k), entropy_of(s->kept, d->k),
            s->fates[ROW_NEAR_COPY]);
}

/* A topic that vanishes is said, however it came about; state/diversify.json has its words. */
static void warn_vanished(const struct diversify *d, const struct sums *s)
{
    struct vanished v = {.what = "cluster"};
    struct buf name = {0};
    for (size_t c = 0; c < d->k; c++) {
        buf_clear(&name);
        buf_addf(&name, "cluster %zu", c);
        vanished_look(&v, buf_str(&name), s->in[c], s->kept[c]);
    }
    vanished_warn(&v, stage_env(d->stage), "diversify");
    buf_release(&name);
}

winnow_status diversify_describe(struct diversify *d, struct winnow_error *err)
{
    struct buf buf = {0};
    struct sums s = {.in = NULL};
    const char *path = stage_path(d->stage, "diversify.json", &buf);
    sum_up(d, &s);
    winnow_status st = find_ids(d, err);
    if (st == WINNOW_OK && !file_exists(path)) {
        st = write_file(d, &s, path, err);
    }
    if (st == WINNOW_OK) {
        stage_owns(d->stage, "state/diversify.json");
        note(d, &s);
        warn_vanished(d, &s);
    }
    mem_free(s.in);
    mem_free(s.kept);
    mem_free(s.cosine);
    buf_release(&buf);
    return st;
}
