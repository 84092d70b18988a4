/* over_ranks.c -- one run by several ranks.
 *
 * Rank 0 finds the input, holds the folder, joins what all wrote and says what there is to say;
 * the others take over what it found and do their part of each stage that is shared.  All
 * of them see one folder, on a file system that they share. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RANKS_LOCK ".ranks"

winnow_status ranks_may(const struct run *r, struct winnow_error *err)
{
    uint32_t count = ranks_count(r->env->ranks);
    if (count == 1) {
        return WINNOW_OK;
    }
    if (r->corpus->dry_run) {
        return error_set(err, WINNOW_E_USAGE, "--dry-run is for one process, and %u were started",
                         count);
    }
    return r->to_stdout || r->temporary
               ? error_set(err, WINNOW_E_USAGE,
                           "%u processes write into one folder that all of them see (-o FOLDER), "
                           "not to standard output",
                           count)
               : WINNOW_OK;
}

winnow_status ranks_may_read(const struct run *r, struct winnow_error *err)
{
    const struct shard_list *in = &r->stages[0].input;
    for (size_t i = 0; i < in->count && ranks_count(r->env->ranks) > 1; i++) {
        if (in->items[i].remote) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s is in storage, which one process reads as yet, and %u were "
                             "started: copy it to a file system that all of them see",
                             in->items[i].label, ranks_count(r->env->ranks));
        }
        if (in->items[i].once) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s can be read once, by one process, and %u were started: write it "
                             "to a file that all of them see",
                             strcmp(in->items[i].path, "-") == 0 ? "standard input"
                                                                 : in->items[i].label,
                             ranks_count(r->env->ranks));
        }
    }
    return WINNOW_OK;
}

void ranks_tell_alone(const struct run *r)
{
    struct buf names = {0};
    size_t n = 0;
    for (size_t i = 0; i < r->request->count; i++) {
        const struct stage *s = &r->stages[i];
        if (!s->shared && !s->complete) {
            buf_addf(&names, "%s%s", n++ > 0 ? ", " : "", s->name);
        }
    }
    if (ranks_count(r->env->ranks) > 1 && n > 0) {
        env_log(r->env, WINNOW_LOG_WARNING,
                "rank 0 does %s alone while the other ranks wait: %s not shared among ranks%s",
                buf_cstr(&names), n == 1 ? "it is" : "they are",
                r->corpus->limit > 0 ? " (with --limit no first stage is)" : "");
    }
    buf_release(&names);
}

uint32_t ranks_threads(const struct winnow_env *env)
{
    uint32_t here = pool_processors(), beside = ranks_beside(env->ranks);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    bool bound = all > 0 && here < (uint32_t)all; /* to processors of its own */
    if (env->threads > 0 || beside == 1) {
        return env->threads;
    }
    return bound ? here : here / beside > 0 ? here / beside : 1;
}

/* ---- the lock of all ranks ---- */

winnow_status ranks_lock(struct run *r, struct winnow_error *err)
{
    struct buf path = {0};
    bool several = ranks_count(r->env->ranks) > 1, leads = ranks_lead(r->env->ranks);
    const char *file = file_join(&path, r->folder, RANKS_LOCK);
    winnow_status st = WINNOW_OK;
    r->ranks_lock = open(file, O_RDWR | O_CLOEXEC | (several ? O_CREAT : 0), 0666);
    if (r->ranks_lock < 0) {
        st = errno == ENOENT && !several ? WINNOW_OK : error_errno(err, "cannot lock", file);
    } else if (leads && flock(r->ranks_lock, LOCK_EX | LOCK_NB) != 0) {
        st = file_lock_refused(file, err);
        if (errno == EWOULDBLOCK) {
            st = error_set(err, WINNOW_E_IO,
                           "%s: ranks of a launch that ended are still at work on it; wait until "
                           "they are gone, or end them",
                           r->folder);
        }
    } else if (flock(r->ranks_lock, LOCK_SH | LOCK_NB) != 0) {
        st = file_lock_refused(file, err);
    }
    buf_release(&path);
    return st;
}

void ranks_unlock(struct run *r)
{
    struct buf path = {0};
    if (r->ranks_lock >= 0 && ranks_lead(r->env->ranks)) { /* nobody is at work any more */
        (void)unlink(file_join(&path, r->folder, RANKS_LOCK));
    }
    if (r->ranks_lock >= 0) {
        (void)close(r->ranks_lock);
    }
    buf_release(&path);
}

/* ---- what rank 0 found ---- */

/* Numbers and texts one behind the other; the ranks of a run are one program. */
static void add_u64(struct buf *out, uint64_t v)
{
    buf_add(out, &v, sizeof v);
}

static void add_text(struct buf *out, const char *text)
{
    add_u64(out, text ? strlen(text) : UINT64_MAX);
    buf_add_text(out, text ? text : "");
}

static uint64_t take_u64(struct str *from)
{
    uint64_t v = 0;
    if (from->len >= sizeof v) {
        memcpy(&v, from->ptr, sizeof v);
        *from = str_sub(*from, sizeof v, from->len);
    }
    return v;
}

static const char *take_text(struct str *from, struct arena *keep)
{
    uint64_t len = take_u64(from);
    if (len == UINT64_MAX || len > from->len) {
        return NULL;
    }
    const char *text = arena_strndup(keep, from->ptr, (size_t)len);
    *from = str_sub(*from, (size_t)len, from->len);
    return text;
}

static void write_state(const struct run *r, bool finished, struct buf *out)
{
    const struct shard_list *in = &r->stages[0].input;
    add_u64(out, finished);
    add_text(out, r->request->kernels);
    buf_add(out, r->input_key, sizeof r->input_key);
    for (size_t i = 0; i < r->request->count; i++) {
        add_u64(out, r->stages[i].complete);
        buf_add(out, r->stages[i].key, sizeof r->stages[i].key);
    }
    add_u64(out, in->count);
    for (size_t i = 0; i < in->count; i++) {
        const struct shard *s = &in->items[i];
        add_text(out, s->path);
        add_text(out, s->name);
        add_text(out, s->shown);
        add_text(out, s->label);
        add_u64(out, s->bytes);
        buf_add(out, &s->stamp, sizeof s->stamp);
        add_u64(out, s->met);
    }
}

static void take_bytes(struct str *from, void *to, size_t len)
{
    if (from->len >= len) {
        memcpy(to, from->ptr, len);
        *from = str_sub(*from, len, from->len);
    }
}

static void read_shards(struct shard_list *in, struct str *from)
{
    size_t count = (size_t)take_u64(from);
    arena_init(&in->keep, (size_t)1 << 14);
    in->items = mem_zalloc((count + 1) * sizeof *in->items);
    in->account = mem_zalloc(sizeof *in->account);
    for (; in->count < count && from->len > 0; in->count++) {
        struct shard *s = &in->items[in->count];
        s->path = take_text(from, &in->keep);
        s->name = take_text(from, &in->keep);
        s->shown = take_text(from, &in->keep);
        s->label = take_text(from, &in->keep);
        s->bytes = take_u64(from);
        take_bytes(from, &s->stamp, sizeof s->stamp);
        s->met = take_u64(from) != 0;
        in->bytes += s->bytes;
    }
}

/* Sums of another kernel table end in other digits. */
static winnow_status check_kernels(const struct run *r, const char *of_rank_0,
                                   struct winnow_error *err)
{
    const char *mine = r->request->kernels ? r->request->kernels : "";
    bool uses = false;
    for (size_t i = 0; i < r->request->count; i++) {
        uses = uses || (r->stages[i].shared && r->stages[i].kind->uses_kernels);
    }
    return !uses || strcmp(mine, of_rank_0 ? of_rank_0 : "") == 0
               ? WINNOW_OK
               : error_set(err, WINNOW_E_USAGE,
                           "the processor of this rank has the kernel table %s, rank 0's has %s; "
                           "give all of them one that each has, by --kernels",
                           mine, of_rank_0 ? of_rank_0 : "none");
}

static winnow_status read_state(struct run *r, struct str from, bool *finished,
                                struct winnow_error *err)
{
    *finished = take_u64(&from) != 0;
    const char *kernels = take_text(&from, &r->keep);
    take_bytes(&from, r->input_key, sizeof r->input_key);
    for (size_t i = 0; i < r->request->count; i++) {
        r->stages[i].complete = take_u64(&from) != 0;
        take_bytes(&from, r->stages[i].key, sizeof r->stages[i].key);
    }
    r->stages[0].input_found = true;
    read_shards(&r->stages[0].input, &from);
    return check_kernels(r, kernels, err);
}

winnow_status ranks_take_over(struct run *r, bool *finished, struct winnow_error *err)
{
    struct buf state = {0};
    if (ranks_count(r->env->ranks) == 1) {
        return WINNOW_OK;
    }
    if (ranks_lead(r->env->ranks)) {
        write_state(r, *finished, &state);
    }
    winnow_status st = ranks_cast(r->env->ranks, &state, err);
    if (st == WINNOW_OK && !ranks_lead(r->env->ranks)) {
        st = read_state(r, buf_str(&state), finished, err);
    }
    buf_release(&state);
    return ranks_agree(r->env->ranks, st, err);
}
