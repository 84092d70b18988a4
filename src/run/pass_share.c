/* pass_share.c -- a pass whose documents are judged each for itself, over ranks and shard by shard.
 *
 * What becomes of a shard hangs on no other one, so each rank does its own shards of the input, in
 * order, into the shared folder, and all meet at the end.  Where to go on from is kept a shard:
 *
 *     completions/<pass>/<shard>.json   the shard is through
 *     progress-<pass>/<shard>.json      how far it is
 *
 * so any number of ranks goes on from what any other number left; one process does the same.
 * Rank 0 looks which shards are through, and all deal out the rest by size alone.  A pass that
 * adds up what it saw (decide) sees the shards that are through once more, without output. */
#include "base/file.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/packing.h"
#include "run/pass_internal.h"

#include <inttypes.h>

#define PLACE_SHIFT 40 /* lines of a shard are fewer */

static struct winnow_ranks *ranks_of(const struct pass *p)
{
    return stage_ranks(p->stage); /* none where rank 0 does the stage alone */
}

bool pass_is_by_shard(const struct pass *p)
{
    bool limited = p->stage->first && p->stage->run->corpus->limit > 0;
    return p->how->apart && p->input == &PASS_DOCUMENTS && !limited &&
           (p->resumable || ranks_count(ranks_of(p)) > 1);
}

/* "<stage>/<folder><pass>/<shard>.json" */
static const char *file_of(const struct pass *p, const char *folder, const char *shard,
                           struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s/%s%s/%s.json", p->stage->folder, folder, p->how->name, shard);
    return buf_cstr(out);
}

const char *pass_place_path(const struct pass *p, struct buf *out)
{
    return file_of(p, "progress-", p->outputs.shard, out);
}

/* ---- what is through, and who does the rest ---- */

struct plan_head {
    uint64_t done, documents, ordinals;
};

/* Of each shard one byte: whether it is through. */
static void look(const struct pass *p, struct buf *out)
{
    const struct shard_list *in = p->feed.shards;
    struct buf path = {0};
    buf_addf(&path, "%s/completions/%s", p->stage->folder, p->how->name);
    bool some = p->writes && file_exists(buf_cstr(&path));
    for (size_t i = 0; i < in->count; i++) {
        bool through = some && file_exists(file_of(p, "completions/", in->items[i].name, &path));
        buf_add_char(out, through ? 1 : 0);
    }
    buf_release(&path);
}

struct weight {
    uint64_t bytes;
    size_t shard;
};

static int heavier_first(const void *a, const void *b)
{
    const struct weight *x = a, *y = b;
    if (x->bytes != y->bytes) {
        return x->bytes > y->bytes ? -1 : 1;
    }
    return x->shard < y->shard ? -1 : x->shard > y->shard;
}

/* Largest first, there and back over the ranks: 0 1 2 2 1 0 0 1 2 ... */
static void deal(struct pass *p, const char *through)
{
    const struct shard_list *in = p->feed.shards;
    uint32_t count = ranks_count(ranks_of(p)), rank = ranks_rank(ranks_of(p));
    struct weight *w = mem_alloc((in->count + 1) * sizeof *w);
    size_t n = 0;
    for (size_t i = 0; i < in->count; i++) {
        bool work = !through[i] || p->how->decide;
        p->part[i] = work || i % count != rank ? PART_OTHER : PART_THROUGH;
        if (work) {
            w[n++] = (struct weight){in->items[i].bytes, i};
        }
    }
    sort(w, n, sizeof *w, heavier_first);
    for (size_t i = 0; i < n; i++) {
        size_t turn = i % (2 * (size_t)count);
        bool mine = (turn < count ? turn : 2 * (size_t)count - 1 - turn) == rank;
        if (mine) {
            p->part[w[i].shard] = through[w[i].shard] ? PART_AGAIN : PART_MINE;
        }
    }
    mem_free(w);
}

/* What a file of a shard's counts says of its documents. */
static winnow_status count_seen(struct pass *p, struct json_value root, struct winnow_error *err)
{
    struct counts counts = {0};
    winnow_status st = counts_read(&counts, root, err);
    p->seen += counts.documents[COUNT_IN] - counts.documents[COUNT_BAD];
    counts_release(&counts);
    return st;
}

/* A shard that an earlier process brought through, and of which nothing has to be seen again. */
static winnow_status pass_over(struct pass *p, size_t i, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    uint64_t lines = 0;
    const char *file = file_of(p, "completions/", p->feed.shards->items[i].name, &path);
    winnow_status st = run_read_json(file, parser, &root, &found, err);
    if (st == WINNOW_OK && !json_as_u64(json_get(root, "lines"), &lines)) {
        st = error_set(err, WINNOW_E_INTERNAL, "%s does not say how long its shard is", file);
    }
    st = st == WINNOW_OK ? count_seen(p, root, err) : st;
    p->shard_lines[i] = lines;
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

/* Where an earlier process was in a shard of mine. */
static winnow_status find_place(struct pass *p, size_t i, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    struct position at = {0};
    const char *file = file_of(p, "progress-", p->feed.shards->items[i].name, &path);
    winnow_status st = run_read_json(file, parser, &root, &found, err);
    if (st == WINNOW_OK && found && checkpoint_is_of(p, root)) {
        checkpoint_position(root, &at);
        p->places[i] = (struct place){at.offset, at.lines};
        st = p->how->decide ? WINNOW_OK : count_seen(p, json_get(root, "open"), err);
        p->stage->resumed += at.offset > 0;
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static winnow_status find_places(struct pass *p, struct winnow_error *err)
{
    struct buf folder = {0};
    buf_addf(&folder, "%s/progress-%s", p->stage->folder, p->how->name);
    bool some = p->writes && file_exists(buf_cstr(&folder));
    buf_release(&folder);
    bool again = false;
    for (size_t i = 0; i < p->feed.shards->count; i++) {
        if (p->part[i] == PART_THROUGH) {
            TRY(pass_over(p, i, err));
        } else if (p->part[i] == PART_MINE && some) {
            TRY(find_place(p, i, err));
        }
        again = again || p->part[i] == PART_AGAIN || p->part[i] == PART_THROUGH;
    }
    p->stage->resumed += again;
    return WINNOW_OK;
}

/* Over ranks a shard's lines are numbered from here: in the order of the corpus, and where it is
 * known how long all shards are, as one process numbers them. */
static uint64_t first_ordinal(const struct pass *p, uint64_t file)
{
    return p->stage->bases ? p->stage->bases[file] : file << PLACE_SHIFT;
}

/* Before the shard at the place is opened: on to the next that is this rank's, and in it to
 * where an earlier process was. */
static winnow_status enter(void *ctx, struct feed *f, struct winnow_error *err)
{
    const struct pass *p = ctx;
    (void)err;
    while (f->at.file < f->shards->count &&
           (p->part[f->at.file] == PART_OTHER || p->part[f->at.file] == PART_THROUGH)) {
        uint64_t bytes = f->shards->items[f->at.file].bytes;
        f->bytes_before += bytes;
        f->passed_over += bytes;
        f->at = (struct position){.file = f->at.file + 1,
                                  .ordinal = f->at.ordinal + p->shard_lines[f->at.file]};
    }
    if (f->at.file < f->shards->count && ranks_count(ranks_of(p)) > 1) {
        f->at.ordinal = first_ordinal(p, f->at.file);
    }
    if (f->at.file < f->shards->count && !p->how->decide) {
        f->at.offset = p->places[f->at.file].offset;
        f->at.lines = p->places[f->at.file].lines;
    }
    return WINNOW_OK;
}

winnow_status pass_share(struct pass *p, bool *done, struct winnow_error *err)
{
    struct plan_head head = {*done, p->stage->documents, p->stage->ordinals};
    struct buf plan = {0};
    winnow_status st = WINNOW_OK;
    if (ranks_lead(ranks_of(p))) {
        buf_add(&plan, &head, sizeof head);
        look(p, &plan);
        st = *done || !p->resumable ? WINNOW_OK : checkpoint_by_shards(p, err);
    }
    st = st == WINNOW_OK ? ranks_cast(ranks_of(p), &plan, err) : st;
    size_t count = p->feed.shards->count;
    if (st == WINNOW_OK && plan.len != sizeof head + count) {
        st = error_set(err, WINNOW_E_INTERNAL, "the ranks do not see the same %zu shards", count);
    }
    if (st == WINNOW_OK) {
        memcpy(&head, plan.ptr, sizeof head);
        *done = head.done != 0;
        p->part = mem_zalloc(count + 1);
        p->places = mem_zalloc((count + 1) * sizeof *p->places);
        deal(p, plan.ptr + sizeof head);
    }
    buf_release(&plan);
    TRY(st);
    if (*done) {
        p->stage->documents = head.documents;
        p->stage->ordinals = head.ordinals;
        return WINNOW_OK;
    }
    p->at = (struct position){0};
    p->seen = 0;
    p->feed.enter = enter;
    p->feed.enter_ctx = p;
    return find_places(p, err);
}

bool pass_share_is_replay(const struct pass *p, const struct job *job)
{
    return !job->end && (p->part[job->start.file] == PART_AGAIN ||
                         job->start.offset < p->places[job->start.file].offset);
}

winnow_status pass_share_open(struct pass *p, const struct job *job, struct json_parser *parser,
                              struct json_value *files, struct winnow_error *err)
{
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    const struct shard *shard = &p->feed.shards->items[job->start.file];
    winnow_status st = WINNOW_OK;
    if (p->writes && p->places[job->start.file].offset > 0) {
        st = run_read_json(file_of(p, "progress-", shard->name, &path), parser, &root, &found, err);
        struct json_value open = json_get(root, "open");
        if (st == WINNOW_OK && found) {
            *files = json_get(open, "files");
            account_read(&p->account, open);
            st = counts_read(&p->counts, open, err);
        }
    }
    buf_release(&path);
    return st;
}

/* ---- the end ---- */

/* Each takes over what the others have added up. */
static winnow_status hear_others(struct pass *p, struct winnow_error *err)
{
    struct winnow_ranks *ranks = ranks_of(p);
    size_t *lens = mem_zalloc(ranks_count(ranks) * sizeof *lens);
    struct buf mine = {0}, all = {0};
    p->how->tell(p->how->state, &mine);
    winnow_status st = ranks_gather(ranks, buf_str(&mine), &all, lens, err);
    const char *at = all.ptr;
    for (uint32_t i = 0; i < ranks_count(ranks) && st == WINNOW_OK; i++) {
        if (i != ranks_rank(ranks)) {
            st = p->how->hear(p->how->state, (struct str){at, lens[i]}, err);
        }
        at += lens[i];
    }
    buf_release(&mine);
    buf_release(&all);
    mem_free(lens);
    return st;
}

/* How long each shard is, by now known of all: where its first line stands in the corpus. */
static void set_bases(struct pass *p)
{
    struct stage *s = p->stage;
    size_t count = p->feed.shards->count;
    if (!s->bases) {
        s->bases = ARENA_NEW(&s->run->keep, uint64_t, count + 1);
        for (size_t i = 0; i < count; i++) {
            s->bases[i + 1] = s->bases[i] + p->shard_lines[i];
        }
    }
}

static winnow_status pass_by(void *state, void *worker, const struct document *d,
                             struct stage_result *r, struct winnow_error *err)
{
    (void)state;
    (void)worker;
    (void)d;
    (void)r;
    (void)err;
    return WINNOW_OK;
}

winnow_status stage_count_lines(struct stage *s, struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "lines", .apart = true, .document = pass_by};
    return s->shared && !s->bases ? stage_run_pass(s, &pass, err) : WINNOW_OK;
}

winnow_status pass_meet(struct pass *p, struct winnow_error *err)
{
    size_t count = p->feed.shards->count;
    if (p->by_shard) {
        TRY(ranks_sum(ranks_of(p), p->shard_lines, count, err));
        TRY(ranks_sum(ranks_of(p), &p->seen, 1, err));
        p->stage->documents = p->seen;
        p->stage->ordinals = 0;
        for (size_t i = 0; i < count; i++) {
            p->stage->ordinals += p->shard_lines[i];
        }
    }
    if (p->stage->shared) {
        set_bases(p);
    }
    return p->by_shard && p->how->tell && ranks_count(ranks_of(p)) > 1 ? hear_others(p, err)
                                                                       : WINNOW_OK;
}

void pass_share_release(struct pass *p)
{
    mem_free(p->part);
    mem_free(p->places);
    mem_free(p->shard_lines);
}
