/* align.c -- Myers' divide and conquer over a list of boxes.
 *
 * A box is a part of a beside a part of b.  Its equal ends are taken off as
 * matches; then a point on a cheapest path through it is searched from both
 * corners at once, and the box is cut there in two. */
#include "teach/align.h"

#include "base/grow.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

#define WORK_MAX  ((size_t)1 << 27)
#define EDITS_MIN 64
#define EDITS_MAX 8192

struct box {
    int32_t a0, a1, b0, b1;
};

struct point {
    int32_t x, y;
};

/* Diagonals first..last (x - y) that a search has reached. */
struct front {
    int32_t *reach; /* of diagonal d: how far along a; shifted so that d may be negative */
    int32_t first, last;
};

struct aligner {
    const int32_t *a, *b;   /* without what only one side has */
    const int32_t *a_place; /* where it was */
    const int32_t *b_place;
    uint32_t *match;
    struct front forward, backward;
    int32_t edits_max;
    bool cut; /* somewhere the search was ended */
    struct box *boxes;
    size_t box_count, box_cap;
};

static void push(struct aligner *s, struct box box)
{
    if (box.a0 == box.a1 || box.b0 == box.b1) {
        return;
    }
    GROW(s->boxes, s->box_count, s->box_cap, 64);
    s->boxes[s->box_count++] = box;
}

static void set_match(struct aligner *s, int32_t x, int32_t y)
{
    s->match[s->a_place[x]] = (uint32_t)s->b_place[y];
}

/* Matches the equal ends of the box and takes them off. */
static void trim(struct aligner *s, struct box *box)
{
    while (box->a0 < box->a1 && box->b0 < box->b1 && s->a[box->a0] == s->b[box->b0]) {
        set_match(s, box->a0++, box->b0++);
    }
    while (box->a0 < box->a1 && box->b0 < box->b1 && s->a[box->a1 - 1] == s->b[box->b1 - 1]) {
        set_match(s, --box->a1, --box->b1);
    }
}

/* One edit more on every other diagonal; diagonals at the box's rim are not
 * followed past it. */
static void widen(struct front *f, int32_t least, int32_t most, int32_t unreached)
{
    if (f->first > least) {
        f->reach[--f->first - 1] = unreached;
    } else {
        f->first++;
    }
    if (f->last < most) {
        f->reach[++f->last + 1] = unreached;
    } else {
        f->last--;
    }
}

static bool step_forward(struct aligner *s, const struct box *box, bool meets, struct point *out)
{
    struct front *f = &s->forward;
    const struct front *other = &s->backward;
    widen(f, box->a0 - box->b1, box->a1 - box->b0, -1);
    for (int32_t d = f->last; d >= f->first; d -= 2) {
        int32_t below = f->reach[d - 1], above = f->reach[d + 1];
        int32_t x = below < above ? above : below + 1, y = x - d;
        while (x < box->a1 && y < box->b1 && s->a[x] == s->b[y]) {
            x++;
            y++;
        }
        f->reach[d] = x;
        if (meets && other->first <= d && d <= other->last && other->reach[d] <= x) {
            *out = (struct point){x, y};
            return true;
        }
    }
    return false;
}

static bool step_backward(struct aligner *s, const struct box *box, bool meets, struct point *out)
{
    struct front *f = &s->backward;
    const struct front *other = &s->forward;
    widen(f, box->a0 - box->b1, box->a1 - box->b0, INT32_MAX);
    for (int32_t d = f->last; d >= f->first; d -= 2) {
        int32_t below = f->reach[d - 1], above = f->reach[d + 1];
        int32_t x = below < above ? below : above - 1, y = x - d;
        while (box->a0 < x && box->b0 < y && s->a[x - 1] == s->b[y - 1]) {
            x--;
            y--;
        }
        f->reach[d] = x;
        if (meets && other->first <= d && d <= other->last && x <= other->reach[d]) {
            *out = (struct point){x, y};
            return true;
        }
    }
    return false;
}

/* The point that the forward search got to furthest. */
static struct point furthest(const struct aligner *s, const struct box *box)
{
    struct point best = {box->a0, box->b0};
    for (int32_t d = s->forward.first; d <= s->forward.last; d += 2) {
        int32_t x = s->forward.reach[d] < box->a1 ? s->forward.reach[d] : box->a1;
        int32_t y = x - d;
        if (y > box->b1) {
            y = box->b1;
            x = y + d;
        }
        if (x >= box->a0 && y >= box->b0 && x + y > best.x + best.y) {
            best = (struct point){x, y};
        }
    }
    return best;
}

/* Where to cut a box that has two sides with unlike ends. */
static struct point find_middle(struct aligner *s, const struct box *box)
{
    int32_t forward = box->a0 - box->b0, backward = box->a1 - box->b1;
    bool odd = (forward - backward) % 2 != 0;
    s->forward.first = s->forward.last = forward;
    s->backward.first = s->backward.last = backward;
    s->forward.reach[forward] = box->a0;
    s->backward.reach[backward] = box->a1;
    struct point at;
    for (int32_t edits = 1;; edits++) {
        if (step_forward(s, box, odd, &at) || step_backward(s, box, !odd, &at)) {
            return at;
        }
        if (edits >= s->edits_max) {
            s->cut = true;
            return furthest(s, box);
        }
    }
}

static void run(struct aligner *s, struct box whole)
{
    push(s, whole);
    while (s->box_count > 0) {
        struct box box = s->boxes[--s->box_count];
        trim(s, &box);
        if (box.a0 == box.a1 || box.b0 == box.b1) {
            continue;
        }
        struct point at = find_middle(s, &box);
        push(s, (struct box){at.x, box.a1, at.y, box.b1});
        push(s, (struct box){box.a0, at.x, box.b0, at.y});
    }
}

/* Keeps those of side that `other` has too; returns how many. */
static int32_t keep_shared(struct align_side side, struct align_side other, uint32_t numbers,
                           uint8_t *seen, int32_t *items, int32_t *places)
{
    if (numbers > 0) {
        memset(seen, 0, numbers);
    }
    for (size_t i = 0; i < other.count; i++) {
        seen[other.items[i]] = 1;
    }
    int32_t n = 0;
    for (size_t i = 0; i < side.count; i++) {
        if (seen[side.items[i]]) {
            items[n] = (int32_t)side.items[i];
            places[n++] = (int32_t)i;
        }
    }
    return n;
}

winnow_status align(struct align_side a, struct align_side b, uint32_t numbers, uint32_t *match,
                    bool *longest, struct winnow_error *err)
{
    *longest = true;
    if (a.count > ALIGN_MAX || b.count > ALIGN_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a text of more than %zu pieces cannot be aligned",
                         ALIGN_MAX);
    }
    for (size_t i = 0; i < a.count; i++) {
        match[i] = ALIGN_NONE;
    }
    if (a.count == 0 || b.count == 0) {
        return WINNOW_OK;
    }
    size_t both = a.count + b.count;
    size_t tables = 2 * both + 2 * (both + 3);
    int32_t *memory = mem_try_alloc(tables * sizeof *memory + numbers);
    if (!memory) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to align texts of %zu pieces", both);
    }
    int32_t *a_items = memory, *a_places = a_items + a.count, *b_items = a_places + a.count;
    int32_t *b_places = b_items + b.count, *reach = b_places + b.count;
    uint8_t *seen = (uint8_t *)(memory + tables);
    int32_t n = keep_shared(a, b, numbers, seen, a_items, a_places);
    int32_t m = keep_shared(b, a, numbers, seen, b_items, b_places);
    size_t edits = WORK_MAX / both;
    struct aligner s = {.a = a_items,
                        .b = b_items,
                        .a_place = a_places,
                        .b_place = b_places,
                        .match = match,
                        .forward = {.reach = reach + b.count + 1},
                        .backward = {.reach = reach + both + 3 + b.count + 1},
                        .edits_max = edits < EDITS_MIN   ? EDITS_MIN
                                     : edits > EDITS_MAX ? EDITS_MAX
                                                         : (int32_t)edits};
    run(&s, (struct box){0, n, 0, m});
    *longest = !s.cut;
    mem_free(s.boxes);
    mem_free(memory);
    return WINNOW_OK;
}
