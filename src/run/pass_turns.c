/* pass_turns.c -- how many blocks of a pass are at work together, of --memory.
 *
 * Blocks that wait are held to one bound, those at work to another (gate_internal.h).  Where not
 * all of a batch may be at work at once they are so in turns, in order; the next batch
 * is filled beside one of them where there is room for both.
 */
#include "base/env.h"
#include "run/pass_internal.h"

#include <inttypes.h>

#define BLOCK_BYTES  ((size_t)4 << 20)  /* of a block, where the pass does not say */
#define WINDOW_LEAST ((size_t)16 << 20) /* of zstd, allowed in any case: a frame of ours */

static unsigned count_streams(const struct pass *p, unsigned *attributes)
{
    unsigned n = 0;
    *attributes = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        n += p->outputs.wanted[i];
        *attributes += p->outputs.wanted[i] && i >= STREAM_ATTRIBUTES;
    }
    return n;
}

/* Asked by the reader of the next batch, before it holds a longer line. */
static bool may_hold(void *ctx, size_t bytes)
{
    const struct pass *p = ctx;
    if (!p->working && p->next_filled == 0) {
        return true; /* nothing else is on its way */
    }
    struct line_budget line = gate_line_budget(&p->gate);
    return p->held + bytes <= p->gate.held_max &&
           (uint64_t)((double)bytes * line.per_byte) + p->gate.held_max <= p->gate.room;
}

winnow_status pass_plan_memory(struct pass *p, struct winnow_error *err)
{
    struct run *run = p->stage->run;
    unsigned attributes = 0, streams = count_streams(p, &attributes);
    uint64_t window = run->env->memory_max > 0 ? feed_window(&p->feed) : 0;
    const struct gate_needs needs = {
        .limit = run->env->memory_max,
        .window = window > 0 && window < WINDOW_LEAST ? WINDOW_LEAST : window,
        .threads = pool_threads(run->pool),
        .streams = streams,
        .block_max = p->how->block_bytes > 0 ? p->how->block_bytes : BLOCK_BYTES,
        .scratch = p->how->scratch_factor,
        .word_bytes = p->how->word_bytes,
        .measures = run->request->memory != NULL,
        .edits = p->how->edits,
        .attributes = attributes,
        .line_bytes = p->how->line_bytes,
        .worker_bytes = p->how->worker_bytes,
    };
    TRY(gate_init(&p->gate, &needs, p->stage->kind->table->command, err));
    p->feed.may_hold = may_hold;
    p->feed.may_hold_ctx = p;
    p->feed.budget = gate_line_budget(&p->gate);
    if (needs.limit > 0) {
        p->feed.window_max = needs.window > WINDOW_LEAST ? 2 * needs.window : WINDOW_LEAST;
        uint64_t fits = line_budget_fits(&p->feed.budget);
        env_log(run->env, WINNOW_LOG_DEBUG,
                "memory: of %" PRIu64 " MB, %" PRIu64
                " for blocks on their way; lines up to %" PRIu64 " MB fit",
                needs.limit >> 20, p->gate.room >> 20, fits >> 20);
    }
    return WINNOW_OK;
}

uint64_t stage_pass_least(const struct stage *s, const struct stage_pass *how, uint64_t resident,
                          uint64_t line)
{
    unsigned streams = how->verdicts ? STREAM_ATTRIBUTES : 0;
    for (unsigned i = 0; how->attributes && how->attributes[i]; i++) {
        streams++;
    }
    const struct gate_needs needs = {.threads = pool_threads(s->run->pool),
                                     .streams = streams,
                                     .block_max =
                                         how->block_bytes > 0 ? how->block_bytes : BLOCK_BYTES,
                                     .scratch = how->scratch_factor,
                                     .word_bytes = how->word_bytes,
                                     .edits = how->edits,
                                     .line_bytes = how->line_bytes,
                                     .worker_bytes = how->worker_bytes};
    return gate_least_of(&needs, resident, line);
}

void pass_tell_memory(const struct pass *p)
{
    struct run_memory *m = p->stage->run->request->memory;
    if (!m) {
        return;
    }
    uint64_t least = gate_least(&p->gate), fixed = gate_fixed(&p->gate);
    fixed += p->how->growth ? p->how->growth(p->how->state) : 0;
    double per_byte = p->cost_of > 0 ? (double)p->cost / (double)p->cost_of : 0;
    m->least = least > m->least ? least : m->least;
    m->fixed = fixed > m->fixed ? fixed : m->fixed;
    m->per_byte = per_byte > m->per_byte ? per_byte : m->per_byte;
    m->block = p->gate.needs.block_max > m->block ? p->gate.needs.block_max : m->block;
}

/* Whether another block of the usual size may wait. */
bool pass_has_room(const struct pass *p)
{
    uint64_t more = p->held + p->gate.needs.block_max;
    return p->next_filled == 0 || (more <= p->gate.held_max && more + p->dearest <= p->gate.room);
}

/* How many blocks from p->from on may be at work together within so many bytes. */
static size_t count_fitting(const struct pass *p, uint64_t room)
{
    uint64_t all = 0;
    for (size_t i = p->from; i < p->now_filled; i++) {
        all += p->now[i].block.lines.len;
    }
    size_t n = 0;
    while (p->from + n < p->now_filled) {
        const struct job *job = &p->now[p->from + n];
        uint64_t cost = gate_cost(&p->gate, job), bytes = job->block.lines.len;
        all += cost > bytes ? cost - bytes : 0;
        if (all > room) {
            break;
        }
        n++;
    }
    return n;
}

static winnow_status refuse_block(const struct pass *p, struct winnow_error *err)
{
    const struct job *job = &p->now[p->from];
    uint64_t least = gate_limit_for(&p->gate, gate_cost(&p->gate, job));
    return p->input->refuse_large(job, (least >> 20) + 3, p->gate.needs.limit >> 20, err);
}

uint64_t pass_limit(const struct pass *p, const struct job *job)
{
    const struct stage *s = p->stage;
    return s->first && job->start.file < s->input.count - s->made ? s->run->corpus->limit : 0;
}

/* What a stage sees ends at --limit exactly: blocks that cannot reach it go together,
 * the one that might goes alone and is told how many documents are left. */
static size_t count_within_limit(struct pass *p, size_t n)
{
    uint64_t limit = p->stage->first ? p->stage->run->corpus->limit : 0;
    uint64_t left = limit > p->seen ? limit - p->seen : 0, lines = 0;
    for (size_t i = 0; i < n; i++) {
        struct job *job = &p->now[p->from + i];
        if (pass_limit(p, job) == 0) {
            break;
        }
        lines += job->block.line_end - job->block.line;
        if (lines > left && p->input->has_lines) {
            job->most = i == 0 ? left : UINT64_MAX;
            return i > 0 ? i : 1;
        }
    }
    return n;
}

/* The next turn: as many blocks as may be at work, with the filling of the next
 * batch beside them if that leaves any. */
winnow_status pass_choose(struct pass *p, struct winnow_error *err)
{
    bool tight = p->gate.needs.limit > 0 && p->gate.room < p->input->room_beside;
    bool wanted = !tight && p->next_filled == 0 && p->fill_status == WINNOW_OK &&
                  !(p->now_filled > 0 && p->now[p->now_filled - 1].end);
    size_t n = wanted ? count_fitting(p, p->gate.room - p->gate.held_max) : 0;
    p->fills = wanted && (n > 0 || p->now_filled == p->from);
    if (n == 0) {
        n = count_fitting(p, p->gate.room - p->held);
    }
    if (n == 0 && p->from < p->now_filled) {
        if (p->gate.needs.limit > 0 && gate_cost(&p->gate, &p->now[p->from]) > p->gate.room) {
            return refuse_block(p, err);
        }
        n = 1;
    }
    p->to = p->from + count_within_limit(p, n);
    return WINNOW_OK;
}
