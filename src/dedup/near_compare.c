/* near_compare.c -- the middle of `dedup --method minhash`: from signatures to what becomes
 * of each document.
 *
 *   1. open       the signatures of the corpus, and those of old ones behind them
 *   2. sets       with --verify exact: the shingles of all candidates, in a pass of their own
 *   3. link       candidates that are near-copies (near_groups.h)
 *   4. choose     which of a cluster stays (near_clusters.h)
 *   5. summary    counts by source, for the guards; then the working files go
 *
 * The summary is written last: where it is, the rest is whole. */
#include "base/amount.h"
#include "base/file.h"
#include "base/mem.h"
#include "dedup/left.h"
#include "dedup/near_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SORT_MOST     ((uint64_t)1 << 30)
#define SORT_LEAST    ((uint64_t)8 << 20)
#define PROGRAM_BYTES ((uint64_t)40 << 20) /* with what the pass before left behind */

struct comparing {
    struct near_run *r;
    struct near_work work;
    struct links links;
    struct near_counts counts;
    struct near_tally tally;
    uint64_t *removed, *wanted; /* a bit a document of the corpus */
};

static size_t bit_words(const struct near_run *r)
{
    return (size_t)(r->nodes.corpora[0].count / 64 + 1);
}

/* ---- memory ---- */

/* What a sort may take, beside the links and what is mapped. */
static uint64_t sort_memory(const struct near_run *r)
{
    uint64_t limit = stage_env(r->stage)->memory_max;
    uint64_t fixed = near_memory(r->opt, r->nodes.starts[r->nodes.corpus_count]) + PROGRAM_BYTES +
                     (r->sets ? near_sets_bytes(r->sets) : 0);
    if (limit == 0) {
        return SORT_MOST;
    }
    uint64_t left = limit > fixed ? (limit - fixed) / 2 : 0;
    return left < SORT_LEAST ? SORT_LEAST : left < SORT_MOST ? left : SORT_MOST;
}

/* ---- 1. open ---- */

static winnow_status open_all(struct comparing *c, struct winnow_error *err)
{
    struct near_run *r = c->r;
    struct near_nodes *n = &r->nodes;
    TRY(signatures_open_parts(buf_cstr(&r->paths.records), buf_cstr(&r->paths.names),
                              &n->corpora[0], err));
    n->corpus_count = 1;
    TRY(near_against_open(r, err));
    n->threshold = r->opt->verify == WINNOW_VERIFY_NONE ? 0 : r->opt->threshold;
    TRY(near_nodes_count(n, err));
    c->work = (struct near_work){
        .env = stage_env(r->stage), .folder = r->folder, .memory = sort_memory(r)};
    n->memory = c->work.env->memory_max > 0 ? c->work.memory / 4 : 0;
    return WINNOW_OK;
}

/* ---- 2. sets ---- */

static winnow_status want_node(void *ctx, uint64_t node, bool first, struct winnow_error *err)
{
    (void)first;
    (void)err;
    struct comparing *c = ctx;
    if (!near_is_old(&c->r->nodes, node)) {
        c->wanted[node / 64] |= (uint64_t)1 << (node % 64);
    }
    return WINNOW_OK;
}

struct set_scratch {
    struct near_words words;
    struct buf set;
};

static void *set_scratch_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct set_scratch));
}

static void set_scratch_free(void *scratch)
{
    struct set_scratch *s = scratch;
    near_words_release(&s->words);
    buf_release(&s->set);
    mem_free(s);
}

static winnow_status put_set(void *state, void *scratch, const struct document *d,
                             struct stage_result *result, struct winnow_error *err)
{
    (void)result;
    struct near_run *r = state;
    struct set_scratch *s = scratch;
    if (!near_sets_wanted(r->sets, d->ordinal)) {
        return WINNOW_OK;
    }
    TRY(near_words_split(r->alphabet, d->text, &s->words, err));
    return near_sets_put(r->sets, d->ordinal, &s->words, r->opt->ngram, &s->set, err);
}

static winnow_status make_sets(struct comparing *c, struct winnow_error *err)
{
    struct near_run *r = c->r;
    c->wanted = mem_zalloc(bit_words(r) * sizeof *c->wanted);
    TRY(near_each_band(&r->nodes, &c->work, want_node, c, err));
    TRY(near_sets_new(&r->sets, r->folder, err));
    for (uint64_t i = 0; i < r->nodes.corpora[0].count; i++) {
        if (near_bit(c->wanted, i)) {
            near_sets_want(r->sets, (uint32_t)i, near_signature(&r->nodes, i)->ordinal);
        }
    }
    const struct stage_pass pass = {.name = "shingles",
                                    .state = r,
                                    .worker_new = set_scratch_new,
                                    .worker_free = set_scratch_free,
                                    .document = put_set,
                                    .scratch_factor = 3,
                                    .word_bytes = 16};
    TRY(stage_run_pass(r->stage, &pass, err));
    r->nodes.sets = r->sets;
    c->work.memory = sort_memory(r);
    return WINNOW_OK;
}

/* ---- 5. summary ---- */

static void count_sources(struct comparing *c)
{
    struct near_run *r = c->r;
    struct guard *g = &r->guard;
    const struct signatures *s = &r->nodes.corpora[0];
    for (uint64_t i = 0; i < s->count; i++) {
        size_t source = guard_source(g, signatures_source(s, near_signature(&r->nodes, i)));
        guard_count(g, source, 1, near_bit(c->removed, i));
    }
    g->largest = c->tally.largest;
    g->chained = c->tally.chained;
    g->passed_over = c->counts.passed_over;
    if (c->tally.clusters > 0) {
        size_t corpus = near_corpus_of(&r->nodes, c->tally.largest_first);
        buf_add_str(&g->first, signatures_id(&r->nodes.corpora[corpus],
                                             near_signature(&r->nodes, c->tally.largest_first)));
    }
}

static winnow_status write_summary(struct comparing *c, struct winnow_error *err)
{
    struct near_run *r = c->r;
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    uint64_t old = r->nodes.starts[r->nodes.corpus_count] - r->nodes.starts[1];
    json_open(&w, '{');
    json_member_u64(&w, "winnow_near", 1);
    json_member_u64(&w, "clusters", c->tally.clusters);
    json_member_u64(&w, "in_bands", c->counts.candidates);
    json_member_u64(&w, "compared", c->counts.compared);
    json_member_u64(&w, "similar", c->counts.similar);
    json_member_u64(&w, "old_documents", old);
    json_member_u64(&w, "removed_against", c->tally.removed_against);
    guard_write(&r->guard, &w);
    winnow_status st = left_write(NEAR_LEFT(r), NEAR_LEFT_COUNT, &w, err);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    st = st == WINNOW_OK ? file_write_atomic(buf_cstr(&r->paths.summary), buf_str(&text), err) : st;
    buf_release(&text);
    return st;
}

static bool stays(const void *ctx, uint64_t i)
{
    const struct comparing *c = ctx;
    return !near_bit(c->removed, i);
}

static winnow_status compare_all(struct comparing *c, struct winnow_error *err)
{
    struct near_run *r = c->r;
    TRY(open_all(c, err));
    if (r->opt->verify == WINNOW_VERIFY_EXACT) {
        TRY(make_sets(c, err));
    }
    TRY(links_init(&c->links, (size_t)r->nodes.starts[r->nodes.corpus_count], err));
    TRY(near_link(&r->nodes, &c->work, &c->links, &c->counts, err));
    c->removed = mem_zalloc(bit_words(r) * sizeof *c->removed);
    const struct near_choice choice = {r->opt, buf_cstr(&r->paths.rows),
                                       buf_cstr(&r->paths.row_names)};
    TRY(near_choose(&r->nodes, &c->links, &choice, &c->work, c->removed, &c->tally, err));
    count_sources(c);
    TRY(signatures_write(&r->nodes.corpora[0], stays, c, buf_cstr(&r->paths.kept), err));
    return write_summary(c, err);
}

winnow_status near_compare(struct near_run *r, struct winnow_error *err)
{
    struct comparing c = {.r = r};
    winnow_status st = compare_all(&c, err);
    links_release(&c.links);
    mem_free(c.removed);
    mem_free(c.wanted);
    near_sets_free(r->sets);
    r->sets = NULL;
    near_nodes_release(&r->nodes);
    guard_release(&r->guard);
    return st;
}
