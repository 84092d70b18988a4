/* diff.c -- longest common subsequence of lines, after common ends are taken off.
 *
 * The table has a cell for each pair of lines that are left; past CELLS_MAX
 * nothing in between is matched.  Lines are compared by hash first. */
#include "run/diff.h"

#include "base/hash.h"
#include "base/mem.h"

#define CELLS_MAX ((size_t)4 << 20)
#define AROUND    2U

struct lines {
    struct str *items;
    uint64_t *hashes;
    size_t count;
};

static void split(struct str text, struct lines *out)
{
    struct str rest = text, line;
    size_t count = 0;
    while (str_next_line(&rest, &line)) {
        count++;
    }
    *out = (struct lines){mem_alloc((count + 1) * sizeof *out->items),
                          mem_alloc((count + 1) * sizeof *out->hashes), count};
    rest = text;
    for (size_t i = 0; str_next_line(&rest, &line); i++) {
        out->items[i] = line;
        out->hashes[i] = hash64(line, 0);
    }
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
    return a->hashes[i] == b->hashes[j] && str_eq(a->items[i], b->items[j]);
}

/* Marks, for each line, whether it is in both: one for a, one for b. */
static void match(const struct lines *a, const struct lines *b, bool *in_a, bool *in_b)
{
    size_t head = 0, tail = 0;
    while (head < a->count && head < b->count && same(a, head, b, head)) {
        in_a[head] = in_b[head] = true;
        head++;
    }
    while (tail < a->count - head && tail < b->count - head &&
           same(a, a->count - 1 - tail, b, b->count - 1 - tail)) {
        in_a[a->count - 1 - tail] = in_b[b->count - 1 - tail] = true;
        tail++;
    }
    size_t n = a->count - head - tail, m = b->count - head - tail;
    uint32_t *t = n < CELLS_MAX && m < CELLS_MAX && (n + 1) * (m + 1) <= CELLS_MAX
                      ? mem_zalloc((n + 1) * (m + 1) * sizeof *t)
                      : NULL;
    if (!t) {
        return;
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            uint32_t below = t[(i + 1) * (m + 1) + j], right = t[i * (m + 1) + j + 1];
            t[i * (m + 1) + j] = same(a, head + i, b, head + j) ? t[(i + 1) * (m + 1) + j + 1] + 1
                                                                : (below > right ? below : right);
        }
    }
    for (size_t i = 0, j = 0; i < n && j < m;) {
        if (same(a, head + i, b, head + j)) {
            in_a[head + i++] = in_b[head + j++] = true;
        } else if (t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
    mem_free(t);
}

static void add(struct buf *out, const char *sign, struct str line)
{
    buf_add_text(out, sign);
    buf_add_str(out, line);
    buf_add_char(out, '\n');
}

/* Common lines from..to-1 of a: those near a change, dots for the others. */
static void add_common(const struct lines *a, size_t from, size_t to, struct buf *out)
{
    size_t first = from == 0 ? 0 : AROUND, last = to == a->count ? 0 : AROUND;
    if (to - from <= first + last + 1) {
        first = to - from;
        last = 0;
    }
    for (size_t i = from; i < from + first; i++) {
        add(out, "  ", a->items[i]);
    }
    if (from + first < to - last) {
        buf_add_text(out, "  ...\n");
    }
    for (size_t i = to - last; i < to; i++) {
        add(out, "  ", a->items[i]);
    }
}

void diff_lines(struct str from_text, struct str to_text, struct buf *out)
{
    struct lines a, b;
    split(from_text, &a);
    split(to_text, &b);
    bool *in_a = mem_zalloc(a.count + 1), *in_b = mem_zalloc(b.count + 1);
    match(&a, &b, in_a, in_b);
    for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
        size_t from = i;
        while (i < a.count && j < b.count && in_a[i] && in_b[j]) {
            i++;
            j++;
        }
        if (i > from) {
            add_common(&a, from, i, out);
        }
        while (i < a.count && !in_a[i]) {
            add(out, "- ", a.items[i++]);
        }
        while (j < b.count && !in_b[j]) {
            add(out, "+ ", b.items[j++]);
        }
    }
    mem_free(in_a);
    mem_free(in_b);
    mem_free(a.items);
    mem_free(a.hashes);
    mem_free(b.items);
    mem_free(b.hashes);
}
