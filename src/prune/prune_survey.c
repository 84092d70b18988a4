/* prune_survey.c -- what is kept of each document between scoring and cutting.
 *
 * 32 bytes a document, by ordinal: rows come from many threads in any order, so
 * sources are numbered as they are met and renumbered by name at the end.  The rest
 * writes the distribution: edges, quantiles, histogram, sources before and after,
 * and a few documents at the places where a reader wants to look. */
#include "prune/prune_survey.h"

#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "quality/source_scores.h"
#include "run/counts.h"

#include <math.h>

#define HISTOGRAM_BINS 100U

static void release_names(struct survey_names *n)
{
    map_release(&n->met);
    mem_free(n->by_name);
}

static uint32_t number_of(struct survey_names *n, struct str name)
{
    bool is_new;
    uint64_t *number =
        map_put(&n->met, utf8_cut(name, COUNT_SOURCE_BYTES), &is_new); /* held until the end */
    if (is_new) {
        *number = n->met.count - 1;
    }
    return (uint32_t)*number;
}

void survey_release(struct survey *s)
{
    mem_free(s->rows);
    release_names(&s->sources);
    release_names(&s->groups);
    *s = (struct survey){0};
}

void survey_add(struct survey *s, const struct document *d, const struct selector_document *at)
{
    if (d->ordinal >= s->cap) {
        size_t cap = s->cap ? s->cap : 4096;
        while (cap <= d->ordinal) {
            cap *= 2;
        }
        s->rows = mem_realloc(s->rows, s->cap * sizeof *s->rows, cap * sizeof *s->rows);
        memset(s->rows + s->cap, 0, (cap - s->cap) * sizeof *s->rows);
        s->cap = cap;
    }
    s->rows[d->ordinal] =
        (struct survey_row){.draw = at->draw,
                            .upper = at->upper,
                            .id_hash = hash64(d->id, 0),
                            .bytes = d->text.len < UINT32_MAX ? (uint32_t)d->text.len : UINT32_MAX,
                            .source = number_of(&s->sources, d->source),
                            .role = SURVEY_POOL};
    s->count = d->ordinal + 1 > s->count ? d->ordinal + 1 : s->count;
    s->documents++;
}

struct named {
    struct str name;
    uint32_t index;
};

static int named_compare(const void *pa, const void *pb)
{
    return str_cmp(((const struct named *)pa)->name, ((const struct named *)pb)->name);
}

/* rank[i]: the place by name of the i-th that was met. */
static uint32_t *sort_names(struct survey_names *of)
{
    size_t n = of->met.count;
    struct named *names = mem_alloc((n + 1) * sizeof *names);
    uint32_t *rank = mem_alloc((n + 1) * sizeof *rank);
    of->by_name = mem_alloc((n + 1) * sizeof *of->by_name);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = (struct named){of->met.entries[i].key, i};
    }
    sort(names, n, sizeof *names, named_compare);
    for (uint32_t i = 0; i < n; i++) {
        rank[names[i].index] = i;
        of->by_name[i] = names[i].index;
    }
    mem_free(names);
    return rank;
}

void survey_group(struct survey *s, uint64_t ordinal, struct str name)
{
    s->rows[ordinal].group = number_of(&s->groups, name);
}

void survey_finish(struct survey *s)
{
    uint32_t *sources = sort_names(&s->sources), *groups = sort_names(&s->groups);
    for (size_t i = 0; i < s->count; i++) {
        struct survey_row *row = &s->rows[i];
        if (row->role != SURVEY_ABSENT) {
            row->source = sources[row->source];
            row->group = s->groups.met.count > 0 ? groups[row->group] : 0;
        }
    }
    mem_free(sources);
    mem_free(groups);
}

struct str survey_source(const struct survey *s, uint32_t source)
{
    return s->sources.met.entries[s->sources.by_name[source]].key;
}

struct str survey_group_name(const struct survey *s, uint32_t group)
{
    return s->groups.met.entries[s->groups.by_name[group]].key;
}

/* ---- examples ---- */

void prune_examples_release(struct prune_examples *e)
{
    for (size_t i = 0; i < e->count; i++) {
        mem_free(e->items[i].id);
        mem_free(e->items[i].text);
    }
    *e = (struct prune_examples){0};
}

struct ranked {
    double score;
    uint64_t key, ordinal;
};

static int ranked_compare(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->score < b->score || a->score > b->score) {
        return a->score < b->score ? -1 : 1;
    }
    return (a->key > b->key) - (a->key < b->key);
}

static void take(struct prune_examples *e, const struct ranked *r, size_t n, size_t from, size_t to,
                 const char *where)
{
    for (size_t i = from; i < to && i < n && e->count < PRUNE_EXAMPLES_MAX; i++) {
        bool known = false;
        for (size_t k = 0; k < e->count; k++) {
            known = known || e->items[k].ordinal == r[i].ordinal;
        }
        if (!known) {
            e->items[e->count++] = (struct prune_example){.where = where, .ordinal = r[i].ordinal};
        }
    }
}

winnow_status prune_examples_choose(struct prune_examples *e, const struct selector_item *items,
                                    size_t count, const struct band_edges *edges,
                                    struct winnow_error *err)
{
    struct ranked *r = mem_try_alloc((count + 1) * sizeof *r);
    if (!r) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to choose examples among %zu documents",
                         count);
    }
    size_t n = 0, first = 0, end = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(items[i].score) && items[i].group == 0) {
            r[n++] = (struct ranked){items[i].score, items[i].key, i};
        }
    }
    sort(r, n, sizeof *r, ranked_compare);
    while (first < n && !items[r[first].ordinal].kept) {
        first++;
    }
    for (end = n; end > first && !items[r[end - 1].ordinal].kept;) {
        end--;
    }
    size_t middle = first + (end - first) / 2;
    (void)edges;
    take(e, r, n, first > 3 ? first - 3 : 0, first, "below");
    take(e, r, n, first, first + 3 < end ? first + 3 : end, "inside-low");
    take(e, r, n, end > first + 3 ? end - 3 : first, end, "inside-high");
    take(e, r, n, end, end + 3, "above");
    take(e, r, n, middle, middle + 2, "middle");
    take(e, r, n, 0, 2, "lowest");
    take(e, r, n, n > 2 ? n - 2 : 0, n, "highest");
    mem_free(r);
    return WINNOW_OK;
}

static void write_examples(const struct survey *s, const struct selector_item *items,
                           const struct prune_examples *e, struct json_writer *w)
{
    json_member_open(w, "examples", '[');
    for (size_t i = 0; i < e->count; i++) {
        const struct prune_example *x = &e->items[i];
        json_open(w, '{');
        json_member_text(w, "where", x->where);
        json_member_text(w, "id", x->id ? x->id : "");
        json_member_str(w, "source", survey_source(s, s->rows[x->ordinal].source));
        json_member_double(w, "score", items[x->ordinal].score);
        json_member_bool(w, "kept", items[x->ordinal].kept);
        json_member_text(w, "text", x->text ? x->text : "");
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* ---- numbers ---- */

static void write_edges(const struct survey *s, const struct band_edges *edges, size_t groups,
                        struct json_writer *w)
{
    json_member_open(w, "edges", '[');
    for (uint32_t g = 0; g < groups; g++) {
        json_open(w, '{');
        json_key(w, "source");
        if (groups == 1) {
            json_null(w);
        } else {
            json_str(w, survey_group_name(s, g));
        }
        json_member_double(w, "low", edges[g].low);
        json_member_double(w, "high", edges[g].high);
        json_member_u64(w, "pool", edges[g].pool);
        json_member_u64(w, "kept", edges[g].kept);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_quantiles(const double *sorted, size_t n, struct json_writer *w)
{
    static const double SHARES[] = {0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1};
    json_member_open(w, "quantiles", '[');
    for (size_t i = 0; n > 0 && i < sizeof SHARES / sizeof *SHARES; i++) {
        json_open(w, '{');
        json_member_double(w, "share", SHARES[i]);
        json_member_double(w, "score", sorted[(size_t)(SHARES[i] * (double)(n - 1))]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_histogram(const struct selector_item *items, size_t count, const double *sorted,
                            size_t n, struct json_writer *w)
{
    uint64_t pool[HISTOGRAM_BINS] = {0}, kept[HISTOGRAM_BINS] = {0};
    double low = n > 0 ? sorted[0] : 0, high = n > 0 ? sorted[n - 1] : 0;
    double width = (high - low) / HISTOGRAM_BINS;
    width = isfinite(width) ? width : 0; /* scores of other programs may lie as far apart */
    for (size_t i = 0; i < count; i++) {
        if (!isnan(items[i].score)) {
            size_t bin = width > 0 ? (size_t)((items[i].score - low) / width) : 0;
            bin = bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1;
            pool[bin]++;
            kept[bin] += items[i].kept;
        }
    }
    json_member_open(w, "histogram", '{');
    json_member_double(w, "low", low);
    json_member_double(w, "high", high);
    json_member_double(w, "width", width);
    for (int k = 0; k < 2; k++) {
        json_member_open(w, k == 0 ? "pool" : "kept", '[');
        for (size_t i = 0; i < HISTOGRAM_BINS; i++) {
            json_u64(w, k == 0 ? pool[i] : kept[i]);
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void write_composition(const struct survey *s, const struct selector_item *items,
                              struct json_writer *w)
{
    size_t n = s->sources.met.count;
    uint64_t *c = mem_zalloc((4 * n + 1) * sizeof *c); /* documents, kept, bytes, kept bytes */
    for (size_t i = 0; i < s->count; i++) {
        if (s->rows[i].role == SURVEY_POOL) {
            uint64_t *row = c + 4 * (size_t)s->rows[i].source;
            row[0]++;
            row[1] += items[i].kept;
            row[2] += s->rows[i].bytes;
            row[3] += items[i].kept ? s->rows[i].bytes : 0;
        }
    }
    static const char *const KEYS[] = {"documents_before", "documents_after", "bytes_before",
                                       "bytes_after"};
    json_member_open(w, "composition", '[');
    for (uint32_t i = 0; i < n; i++) {
        json_open(w, '{');
        json_member_str(w, "source", survey_source(s, i));
        for (size_t k = 0; k < 4; k++) {
            json_member_u64(w, KEYS[k], c[4 * (size_t)i + k]);
        }
        json_close(w, '}');
    }
    json_close(w, ']');
    mem_free(c);
}

/* How far apart sources and groups are in the score: what a single band over all chooses by. */
static void write_consistency(const struct survey *s, const struct selector_item *items,
                              struct json_writer *w)
{
    struct source_scores sources = {.count = 0}, groups = {.count = 0};
    for (size_t i = 0; i < s->count; i++) {
        const struct survey_row *row = &s->rows[i];
        if (row->role == SURVEY_POOL) {
            uint32_t at = source_scores_number(&sources, survey_source(s, row->source));
            source_scores_add(&sources, at, items[i].score, items[i].kept);
        }
        if (row->role == SURVEY_POOL && s->groups.met.count > 0) {
            uint32_t at = source_scores_number(&groups, survey_group_name(s, row->group));
            source_scores_add(&groups, at, items[i].score, items[i].kept);
        }
    }
    source_scores_sort(&sources);
    source_scores_sort(&groups);
    struct source_spread spread = source_scores_spread(&sources);
    json_member_open(w, "consistency", '{');
    json_member_double(w, "mean", spread.mean);
    json_member_double(w, "sd", spread.sd);
    json_member_double(w, "between_sources", spread.between);
    json_member_double(w, "between_groups", source_scores_spread(&groups).between);
    json_key(w, "sources");
    source_scores_json(&sources, w);
    json_key(w, "groups");
    source_scores_json(&groups, w);
    json_close(w, '}');
    source_scores_release(&sources);
    source_scores_release(&groups);
}

winnow_status prune_write_distribution(const struct survey *s, const struct selector_item *items,
                                       const struct band_edges *edges, size_t groups,
                                       const struct prune_examples *examples, struct json_writer *w,
                                       struct winnow_error *err)
{
    double *sorted = mem_try_alloc((s->count + 1) * sizeof *sorted);
    if (!sorted) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to sort %zu scores", s->count);
    }
    size_t n = band_sorted_scores(items, s->count, sorted);
    write_edges(s, edges, groups, w);
    write_quantiles(sorted, n, w);
    write_histogram(items, s->count, sorted, n, w);
    write_composition(s, items, w);
    write_consistency(s, items, w);
    write_examples(s, items, examples, w);
    mem_free(sorted);
    return WINNOW_OK;
}
