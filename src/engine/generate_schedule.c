/* generate_schedule.c -- who takes part in the next forward pass.
 *
 * Requests have an age, the order of their submission, and everything is decided
 * by it: the oldest waiting one is admitted first, running rows are served from
 * the oldest on, and when the pages are used up the youngest running row gives
 * its pages back and waits again (recomputation, Kwon et al. 2023, section 4.5).
 * The cache holds one row of full length at least, so the oldest always goes on
 * and every request ends.
 *
 * A row takes part with all its tokens that are not computed yet, as far as the
 * pass has room: one for a row that chose a token in the last pass, pieces of a
 * prompt for a new row, several where a mask left one way to go on.
 */
#include "engine/generator_internal.h"

#include <assert.h>
#include <string.h>

static struct slot *slot_at(const struct generator *g, uint32_t age)
{
    return &g->slots[(g->first + age) % g->window];
}

static uint32_t pages_for(const struct generator *g, uint32_t tokens)
{
    uint32_t page = g->cache.shape.page_tokens;
    return (tokens + page - 1) / page;
}

void generate_drop_pages(struct generator *g, struct slot *s)
{
    while (s->page_count > 0) {
        kv_cache_drop(&g->cache, s->pages[--s->page_count]);
    }
    s->computed = 0;
    s->announced = 0;
    s->parent = 0;
}

void generate_announce(struct generator *g, struct slot *s)
{
    uint32_t page = g->cache.shape.page_tokens;
    while ((s->announced + 1) * page <= s->computed) {
        s->parent = kv_cache_announce(&g->cache, s->pages[s->announced], s->parent,
                                      s->tokens + (size_t)s->announced * page);
        s->announced++;
    }
}

/* Whole pages that the cache already holds, but not the last token's: behind
 * that one a token is to be chosen. */
static void find_pages(struct generator *g, struct slot *s)
{
    uint32_t size = g->cache.shape.page_tokens;
    while ((s->page_count + 1) * size < s->length) {
        uint32_t page = kv_cache_find(&g->cache, s->parent,
                                      s->tokens + (size_t)s->page_count * size, &s->parent);
        if (page == KV_NO_PAGE) {
            break;
        }
        s->pages[s->page_count++] = page;
    }
    s->announced = s->page_count;
    s->computed = s->page_count * size;
}

/* Pages that running rows still need for the tokens they have. */
static uint32_t pages_promised(const struct generator *g)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < g->waiting; i++) {
        const struct slot *s = slot_at(g, i);
        if (s->state == SLOT_RUNNING) {
            uint32_t need = pages_for(g, s->length);
            sum += need > s->page_count ? need - s->page_count : 0;
        }
    }
    return sum;
}

static bool admit(struct generator *g, struct slot *s)
{
    uint32_t promised = pages_promised(g);
    find_pages(g, s);
    uint32_t need = pages_for(g, s->length) - s->page_count;
    if (g->running > 0 && promised + need > g->cache.free) {
        generate_drop_pages(g, s);
        return false;
    }
    g->stats.shared_tokens += s->computed;
    if (s->computed > s->computed_most) {
        s->computed_most = s->computed;
    }
    s->state = SLOT_RUNNING;
    g->running++;
    return true;
}

static void admit_waiting(struct generator *g)
{
    for (uint32_t i = 0; i < g->waiting && g->running < g->rows; i++) {
        struct slot *s = slot_at(g, i);
        if (s->state == SLOT_QUEUED && !admit(g, s)) {
            return;
        }
    }
}

static void preempt(struct generator *g, struct slot *s)
{
    generate_drop_pages(g, s);
    s->state = SLOT_QUEUED;
    g->running--;
    g->stats.preemptions++;
}

static struct slot *youngest(const struct generator *g)
{
    for (uint32_t i = g->waiting; i > 0; i--) {
        if (slot_at(g, i - 1)->state == SLOT_RUNNING) {
            return slot_at(g, i - 1);
        }
    }
    return NULL;
}

/* Pages for so many tokens of a row, at the cost of younger ones; false where
 * the row itself had to give way. */
static bool take_pages(struct generator *g, struct slot *s, uint32_t tokens)
{
    while (s->page_count < pages_for(g, tokens)) {
        uint32_t page = kv_cache_take(&g->cache);
        if (page != KV_NO_PAGE) {
            s->pages[s->page_count++] = page;
            continue;
        }
        struct slot *victim = youngest(g);
        assert(victim); /* s itself runs */
        preempt(g, victim);
        if (victim == s) {
            return false;
        }
    }
    return true;
}

static void add_part(struct generator *g, struct slot *s, uint32_t first, uint32_t count)
{
    uint32_t page = g->cache.shape.page_tokens;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = s->computed + i;
        g->tokens[first + i] = s->tokens[at];
        g->token_page[first + i] = s->pages[at / page];
        g->e->positions[first + i] = at;
    }
    bool last = s->computed + count == s->length;
    if (last) {
        g->wanted[g->wanted_count++] = g->part_count;
    }
    g->parts[g->part_count++] = (struct step_part){s, first, s->computed, count, last};
    uint32_t again = s->computed_most > s->computed ? s->computed_most - s->computed : 0;
    g->stats.again_tokens += again < count ? again : count;
}

void generate_plan(struct generator *g)
{
    admit_waiting(g);
    g->part_count = 0;
    g->wanted_count = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < g->waiting; i++) {
        struct slot *s = slot_at(g, i);
        if (s->state != SLOT_RUNNING) {
            continue;
        }
        /* One token at least for each row behind this one. */
        uint32_t behind = g->running - g->part_count - 1;
        uint32_t room = g->step_tokens - used - behind, count = s->length - s->computed;
        count = count < room ? count : room;
        if (take_pages(g, s, s->computed + count)) {
            add_part(g, s, used, count);
            used += count;
        }
    }
    assert(g->part_count > 0 || g->running == 0);
    g->e->t = used;
    uint32_t in_use = g->cache.count - g->cache.free;
    g->stats.pages_most = in_use > g->stats.pages_most ? in_use : g->stats.pages_most;
}
