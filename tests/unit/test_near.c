#include "base/mem.h"
#include "base/record_sort.h"
#include "base/rng.h"
#include "check.h"
#include "dedup/minhash.h"
#include "dedup/near_groups.h"
#include "dedup/units.h"
#include "scratch.h"

#include <stdlib.h>

/* ---- sorting ---- */

static int by_words(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    for (int i = 0; i < 3; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

static void sort_like_qsort(size_t count, uint64_t memory, uint64_t range)
{
    struct scratch dir;
    struct rng r;
    struct record_sort *s = NULL;
    struct winnow_error err;
    uint64_t *want = mem_alloc((count + 1) * 3 * sizeof *want);
    const uint64_t *got;
    scratch_open(&dir);
    rng_init(&r, count, "sort");
    for (size_t i = 0; i < count * 3; i++) {
        want[i] = rng_below(&r, range);
    }
    assert_ok(record_sort_new(&s, 3, memory, dir.dir, &err), err);
    for (size_t i = 0; i < count;) {
        size_t n = 1 + (size_t)rng_below(&r, 5000);
        n = n < count - i ? n : count - i;
        assert_ok(record_sort_add(s, want + i * 3, n, &err), err);
        i += n;
        assert_true(record_sort_bytes(s) <= memory + (1 << 17));
    }
    assert_ok(record_sort_finish(s, &err), err);
    qsort(want, count, 3 * sizeof *want, by_words);
    for (size_t i = 0; i < count; i++) {
        assert_ok(record_sort_next(s, &got, &err), err);
        assert_non_null(got);
        assert_memory_equal(got, want + i * 3, 3 * sizeof *want);
    }
    assert_ok(record_sort_next(s, &got, &err), err);
    assert_null(got);
    record_sort_free(s);
    scratch_close(&dir);
    mem_free(want);
}

static void records_come_in_order_whatever_the_memory(void **state)
{
    (void)state;
    sort_like_qsort(0, 1 << 20, 100);
    sort_like_qsort(1, 1 << 20, 100);
    sort_like_qsort(21845, 1 << 20, UINT64_MAX); /* all there is room for */
    sort_like_qsort(21846, 1 << 20, UINT64_MAX); /* one more */
    sort_like_qsort(200000, 1 << 20, 50);        /* many equal ones */
    sort_like_qsort(200000, 64 << 20, UINT64_MAX);
}

static void runs_of_runs_are_merged(void **state)
{
    (void)state;
    sort_like_qsort(65 * 21845 + 7, 1 << 20, UINT64_MAX);
}

/* ---- clusters against all pairs ---- */

enum { TEXTS = 400, NUMBERS = 112, ROWS = 8 };

struct corpus {
    struct signatures s;
    struct buf bytes;
};

static struct signature *at(struct corpus *c, size_t i)
{
    return (struct signature *)(void *)(c->bytes.ptr + i * c->s.stride);
}

/* Families of sets: members are copies of one with some elements others. */
static void draw_corpus(struct corpus *c, uint64_t seed)
{
    struct rng r;
    struct minhash m;
    uint32_t x[200], base[200], least[NUMBERS];
    rng_init(&r, seed, "corpus");
    minhash_init(&m, NUMBERS, 5, seed);
    c->s.shape = (struct signatures_shape){NUMBERS / ROWS, ROWS, 5, 0, seed};
    c->s.stride = signatures_stride(&c->s.shape);
    c->s.count = TEXTS;
    memset(buf_reserve(&c->bytes, TEXTS * c->s.stride), 0, TEXTS * c->s.stride);
    for (size_t i = 0; i < TEXTS; i++) {
        if (i == 0 || rng_below(&r, 6) == 0) {
            for (size_t k = 0; k < 200; k++) {
                base[k] = (uint32_t)rng_u64(&r);
            }
        }
        double other = rng_uniform(&r) * 0.2;
        for (size_t k = 0; k < 200; k++) {
            x[k] = rng_uniform(&r) < other ? (uint32_t)rng_u64(&r) : base[k];
        }
        minhash_least(&m, x, 200, least);
        struct signature *s = at(c, i);
        memcpy(s->numbers, least, sizeof least);
        s->ordinal = i;
        s->words = rng_below(&r, 50) == 0 ? 0 : i + 1; /* some have no words at all */
    }
    c->s.records = (struct str){c->bytes.ptr, TEXTS * c->s.stride};
    minhash_release(&m);
}

static bool near_by_definition(const struct signature *a, const struct signature *b,
                               double threshold)
{
    bool band = false;
    for (size_t i = 0; i < NUMBERS; i += ROWS) {
        band = band || memcmp(a->numbers + i, b->numbers + i, ROWS * sizeof *a->numbers) == 0;
    }
    return a->words > 0 && b->words > 0 && band &&
           minhash_agree(a->numbers, b->numbers, NUMBERS) >= threshold * NUMBERS - 1e-9;
}

/* The least member of everybody's cluster, by all pairs until nothing changes. */
static void slow_clusters(struct corpus *c, double threshold, uint32_t *least)
{
    for (uint32_t i = 0; i < TEXTS; i++) {
        least[i] = i;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < TEXTS; i++) {
            for (uint32_t k = 0; k < i; k++) {
                if (least[i] != least[k] && near_by_definition(at(c, i), at(c, k), threshold)) {
                    uint32_t low = least[i] < least[k] ? least[i] : least[k];
                    least[i] = least[k] = low;
                    changed = true;
                }
            }
        }
    }
}

static void clusters_are_those_of_all_pairs(void **state)
{
    (void)state;
    static const double THRESHOLDS[] = {0, 0.7, 0.8, 0.95};
    struct scratch dir;
    struct winnow_error err;
    scratch_open(&dir);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct corpus c = {0};
        uint32_t want[TEXTS], joined = 0;
        draw_corpus(&c, seed);
        double threshold = THRESHOLDS[seed % 4];
        slow_clusters(&c, threshold, want);
        struct near_nodes nodes = {.corpora = {c.s}, .corpus_count = 1, .threshold = threshold};
        struct winnow_env env = {0};
        struct near_work work = {.env = &env, .folder = dir.dir, .memory = 1 << 20};
        struct near_counts counts = {0};
        struct links links;
        assert_ok(near_nodes_count(&nodes, &err), err);
        assert_ok(links_init(&links, TEXTS, &err), err);
        assert_ok(near_link(&nodes, &work, &links, &counts, &err), err);
        for (uint32_t i = 0; i < TEXTS; i++) {
            assert_int_equal(links_root(&links, i), want[i]);
            joined += want[i] != i;
        }
        assert_true(joined > 5 && joined < TEXTS - 20);
        assert_int_equal(counts.passed_over, 0);
        assert_true(counts.similar == joined);
        links_release(&links);
        buf_release(&c.bytes);
    }
    scratch_close(&dir);
}

/* ---- the file ---- */

static winnow_status write_one(struct signatures_writer *w, uint64_t ordinal, const char *id,
                               struct winnow_error *err)
{
    struct signature *s = mem_zalloc(signatures_stride(&w->shape));
    s->ordinal = ordinal;
    s->words = ordinal * 7 + 1;
    s->numbers[0] = (uint32_t)ordinal;
    winnow_status st = signatures_add(w, s, str_of(id), STR_LIT("web"), err);
    mem_free(s);
    return st;
}

static bool is_odd(const void *ctx, uint64_t i)
{
    (void)ctx;
    return i % 2 == 1;
}

static void a_killed_writer_goes_on_behind_the_last_whole_record(void **state)
{
    (void)state;
    struct scratch dir;
    struct winnow_error err;
    struct signatures_writer w;
    const struct signatures_shape shape = {2, 3, 5, 0, 9};
    struct buf records = {0}, names = {0}, kept = {0};
    struct signatures s;
    scratch_open(&dir);
    (void)file_join(&records, dir.dir, "records");
    (void)file_join(&names, dir.dir, "names");
    (void)file_join(&kept, dir.dir, "kept");
    assert_ok(signatures_start(&w, &shape, buf_cstr(&records), buf_cstr(&names), &err), err);
    for (uint64_t i = 0; i < 5; i++) {
        assert_ok(write_one(&w, 2 * i, "old", &err), err);
    }
    assert_ok(near_file_flush(&w.records, &err), err);
    assert_ok(near_file_flush(&w.names, &err), err);
    signatures_close(&w);
    assert_int_equal(truncate(buf_cstr(&names), 6 * 4 - 1), 0); /* within the name of the fourth */
    assert_ok(signatures_start(&w, &shape, buf_cstr(&records), buf_cstr(&names), &err), err);
    assert_false(w.complete);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.next_ordinal, 5);
    assert_ok(write_one(&w, 5, "new", &err), err);
    assert_ok(signatures_finish(&w, &err), err);
    signatures_close(&w);
    assert_ok(signatures_start(&w, &shape, buf_cstr(&records), buf_cstr(&names), &err), err);
    assert_true(w.complete);
    signatures_close(&w);

    assert_ok(signatures_open_parts(buf_cstr(&records), buf_cstr(&names), &s, &err), err);
    assert_int_equal(s.count, 4);
    assert_str(signatures_id(&s, signatures_at(&s, 3)), "new");
    assert_str(signatures_source(&s, signatures_at(&s, 3)), "web");
    assert_ok(signatures_write(&s, is_odd, NULL, buf_cstr(&kept), &err), err);
    signatures_release(&s);
    assert_ok(signatures_open(buf_cstr(&kept), &s, &err), err);
    assert_int_equal(s.count, 2);
    assert_int_equal(signatures_at(&s, 0)->ordinal, 2);
    assert_str(signatures_id(&s, signatures_at(&s, 1)), "new");
    signatures_release(&s);

    const struct signatures_shape other = {2, 3, 4, 0, 9}; /* nothing of it can be used */
    assert_ok(signatures_start(&w, &other, buf_cstr(&records), buf_cstr(&names), &err), err);
    assert_int_equal(w.count, 0);
    signatures_close(&w);
    buf_release(&records);
    buf_release(&names);
    buf_release(&kept);
    scratch_close(&dir);
}

static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    struct scratch dir;
    struct winnow_error err;
    struct signatures_writer w;
    const struct signatures_shape shape = {2, 2, 5, 0, 9};
    struct buf records = {0}, names = {0}, kept = {0}, bytes = {0};
    struct signatures s;
    scratch_open(&dir);
    (void)file_join(&records, dir.dir, "records");
    (void)file_join(&names, dir.dir, "names");
    (void)file_join(&kept, dir.dir, "kept");
    assert_ok(signatures_start(&w, &shape, buf_cstr(&records), buf_cstr(&names), &err), err);
    assert_ok(write_one(&w, 0, "a", &err), err);
    assert_ok(write_one(&w, 1, "b", &err), err);
    assert_ok(signatures_finish(&w, &err), err);
    signatures_close(&w);
    assert_ok(signatures_open_parts(buf_cstr(&records), buf_cstr(&names), &s, &err), err);
    assert_ok(signatures_write(&s, is_odd, NULL, buf_cstr(&kept), &err), err);
    signatures_release(&s);
    assert_ok(file_read(buf_cstr(&kept), 1 << 20, &bytes, &err), err);
    assert_ok(signatures_parse(buf_str(&bytes), &s, &err), err);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.ptr[i] ^= 1;
        assert_int_equal(signatures_parse(buf_str(&bytes), &s, &err), WINNOW_E_FORMAT);
        bytes.ptr[i] ^= 1;
        struct str cut = {bytes.ptr, i};
        assert_int_equal(signatures_parse(cut, &s, &err), WINNOW_E_FORMAT);
    }
    buf_release(&records);
    buf_release(&names);
    buf_release(&kept);
    buf_release(&bytes);
    scratch_close(&dir);
}

/* ---- paragraphs and lines ---- */

static void assert_without(const char *text, bool paragraphs, uint64_t index, const char *want)
{
    struct buf out = {0};
    units_without(str_of(text), paragraphs, &index, 1, &out);
    struct str got = out.len > 0 ? buf_str(&out) : STR_LIT("");
    assert_str(got, want);
    buf_release(&out);
}

static void units_go_with_what_separates_them(void **state)
{
    (void)state;
    assert_without("a\nb\nc", false, 1, "a\nc");
    assert_without("a\nb\nc", false, 2, "a\nb");
    assert_without("a\nb\nc\n", false, 2, "a\nb\n");
    assert_without("a\n\nb", false, 0, "\nb");
    assert_without("a", false, 0, "");
    assert_without("a\nb\n\nc\n\nd", true, 0, "c\n\nd");
    assert_without("a\nb\n\nc\n \nd", true, 1, "a\nb\n\nd");
    assert_without("a\nb\n\nc", true, 1, "a\nb");
    assert_without("\n\na\n\nb", true, 1,
                   "\n\nb"); /* what is blank before the first is the first */
}

static void the_pieces_of_a_text_are_the_text(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 8, "pieces");
    for (int round = 0; round < 3000; round++) {
        char text[40];
        size_t len = (size_t)rng_below(&r, sizeof text);
        for (size_t i = 0; i < len; i++) {
            text[i] = "ab \n\n\r"[rng_below(&r, 6)];
        }
        for (int paragraphs = 0; paragraphs < 2; paragraphs++) {
            struct str rest = {text, len};
            struct unit u;
            size_t at_byte = 0;
            while (units_next(&rest, paragraphs, &u)) {
                assert_ptr_equal(u.piece.ptr, text + at_byte);
                assert_ptr_equal(u.text.ptr, text + at_byte);
                assert_true(u.piece.len > 0 && u.text.len <= u.piece.len);
                at_byte += u.piece.len;
            }
            assert_int_equal(at_byte, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_whatever_the_memory),
        cmocka_unit_test(runs_of_runs_are_merged),
        cmocka_unit_test(clusters_are_those_of_all_pairs),
        cmocka_unit_test(a_killed_writer_goes_on_behind_the_last_whole_record),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(units_go_with_what_separates_them),
        cmocka_unit_test(the_pieces_of_a_text_are_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
