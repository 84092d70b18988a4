/* near_sets.c -- see near_sets.h. */
#include "dedup/near_sets.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

struct row {
    uint64_t ordinal;
    uint32_t node, count;
    uint64_t at; /* in the file; UINT64_MAX: not put */
};

struct near_sets {
    int fd;
    struct row *rows; /* nodes and ordinals ascend together */
    size_t count, cap;
    _Atomic uint64_t end;
    struct buf a, b;
    uint64_t a_node; /* whose set a holds; UINT64_MAX: nobody's */
};

winnow_status near_sets_new(struct near_sets **out, const char *folder, struct winnow_error *err)
{
    struct near_sets *s = mem_zalloc(sizeof *s);
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    *out = s;
    s->a_node = UINT64_MAX;
    const char *name = file_join(&path, folder, "sets.tmp");
    s->fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s->fd < 0) {
        st = error_errno(err, "cannot create", name);
    } else if (unlink(name) != 0) {
        st = error_errno(err, "cannot remove", name);
    }
    buf_release(&path);
    return st;
}

void near_sets_free(struct near_sets *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    mem_free(s->rows);
    buf_release(&s->a);
    buf_release(&s->b);
    mem_free(s);
}

uint64_t near_sets_bytes(const struct near_sets *s)
{
    return s->cap * sizeof *s->rows + s->a.cap + s->b.cap;
}

void near_sets_want(struct near_sets *s, uint32_t node, uint64_t ordinal)
{
    GROW(s->rows, s->count, s->cap, 1024);
    s->rows[s->count++] = (struct row){.ordinal = ordinal, .node = node, .at = UINT64_MAX};
}

static struct row *find(const struct near_sets *s, uint64_t ordinal, bool is_node)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t at = is_node ? s->rows[middle].node : s->rows[middle].ordinal;
        if (at == ordinal) {
            return &s->rows[middle];
        }
        if (at < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool near_sets_wanted(const struct near_sets *s, uint64_t ordinal)
{
    return find(s, ordinal, false) != NULL;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

size_t near_set_of(const struct near_words *words, uint32_t ngram, struct buf *scratch)
{
    size_t count = near_words_shingles(words, ngram), kept = 0;
    buf_clear(scratch);
    uint64_t *set = (uint64_t *)(void *)buf_reserve(scratch, (count + 1) * sizeof *set);
    for (size_t i = 0; i < count; i++) {
        set[i] = hash64(near_words_shingle(words, ngram, i), 0);
    }
    sort(set, count, sizeof *set, by_value);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || set[kept - 1] != set[i]) {
            set[kept++] = set[i];
        }
    }
    scratch->len = kept * sizeof *set;
    return kept;
}

winnow_status near_sets_put(struct near_sets *s, uint64_t ordinal, const struct near_words *words,
                            uint32_t ngram, struct buf *scratch, struct winnow_error *err)
{
    struct row *row = find(s, ordinal, false);
    row->count = (uint32_t)near_set_of(words, ngram, scratch);
    uint64_t at = atomic_fetch_add(&s->end, scratch->len);
    row->at = at;
    for (struct str left = buf_str(scratch); left.len > 0;) {
        ssize_t n = pwrite(s->fd, left.ptr, left.len, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return error_errno(err, "cannot write", "the file of shingles");
        }
        at += (uint64_t)n;
        left = str_sub(left, (size_t)n, left.len);
    }
    return WINNOW_OK;
}

static winnow_status read_set(struct near_sets *s, uint64_t node, struct buf *out,
                              struct winnow_error *err)
{
    const struct row *row = find(s, node, true);
    if (!row || row->at == UINT64_MAX) {
        return error_set(err, WINNOW_E_INTERNAL, "document %" PRIu64 " has no set of shingles",
                         node);
    }
    size_t want = row->count * sizeof(uint64_t), have = 0;
    buf_clear(out);
    char *to = buf_reserve(out, want + 1);
    while (have < want) {
        ssize_t n = pread(s->fd, to + have, want - have, (off_t)(row->at + have));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return error_errno(err, "cannot read", "the file of shingles");
        }
        have += (size_t)n;
    }
    out->len = want;
    return WINNOW_OK;
}

double near_jaccard(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count)
{
    size_t i = 0, j = 0, both = 0;
    while (i < a_count && j < b_count) {
        both += a[i] == b[j];
        uint64_t x = a[i], y = b[j];
        i += x <= y;
        j += y <= x;
    }
    size_t either = a_count + b_count - both;
    return either == 0 ? 0 : (double)both / (double)either;
}

winnow_status near_sets_jaccard(struct near_sets *s, uint64_t a, uint64_t b, double *out,
                                struct winnow_error *err)
{
    if (s->a_node != a) {
        s->a_node = UINT64_MAX;
        TRY(read_set(s, a, &s->a, err));
        s->a_node = a;
    }
    TRY(read_set(s, b, &s->b, err));
    *out = near_jaccard((const uint64_t *)(const void *)s->a.ptr, s->a.len / sizeof(uint64_t),
                        (const uint64_t *)(const void *)s->b.ptr, s->b.len / sizeof(uint64_t));
    return WINNOW_OK;
}
