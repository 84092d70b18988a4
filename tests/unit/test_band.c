#include "base/rng.h"
#include "check.h"
#include "corpus/split.h"
#include "prune/band.h"
#include "prune/least_draws.h"

#include <stdio.h>
#include <stdlib.h>

static int by_score(const void *pa, const void *pb)
{
    const struct selector_item *a = pa, *b = pb;
    return (a->score > b->score) - (a->score < b->score);
}

static void fill(struct selector_item *items, size_t n, uint64_t seed, uint64_t values)
{
    struct rng r;
    rng_init(&r, seed, "band");
    for (size_t i = 0; i < n; i++) {
        items[i] =
            (struct selector_item){.score = (double)rng_below(&r, values), .key = rng_u64(&r)};
    }
}

static void band_keeps_the_ranks_that_sorting_says(void **state)
{
    (void)state;
    static struct selector_item items[1000], sorted[1000];
    for (size_t n = 0; n <= 1000; n = n < 12 ? n + 1 : n * 3) {
        for (int c = WINNOW_MEDIUM; c <= WINNOW_HIGH; c++) {
            for (int tenths = 0; tenths <= 10; tenths++) {
                fill(items, n, n * 31 + (uint64_t)tenths, 1000000);
                struct winnow_error err;
                struct band_edges e;
                assert_ok(band_cut(items, n, (enum winnow_criterion)c, tenths / 10.0, &e, 1, &err),
                          err);
                memcpy(sorted, items, sizeof items);
                qsort(sorted, n, sizeof *sorted, by_score);
                size_t first, end, kept = 0;
                band_ranks((enum winnow_criterion)c, tenths / 10.0, n, &first, &end);
                for (size_t i = 0; i < n; i++) {
                    kept += sorted[i].kept;
                    assert_int_equal(sorted[i].kept, i >= first && i < end);
                }
                assert_int_equal(kept, e.kept);
                assert_int_equal(n, e.pool);
                assert_true(kept == 0 || e.low <= e.high);
            }
        }
    }
}

static void band_of_the_paper_is_centred_on_the_median(void **state)
{
    (void)state;
    size_t first, end;
    band_ranks(WINNOW_MEDIUM, 0.5, 100, &first, &end);
    assert_int_equal(first, 25);
    assert_int_equal(end, 75);
    band_ranks(WINNOW_LOW, 0.25, 100, &first, &end);
    assert_int_equal(first, 0);
    assert_int_equal(end, 25);
    band_ranks(WINNOW_HIGH, 0.25, 100, &first, &end);
    assert_int_equal(first, 75);
    assert_int_equal(end, 100);
    band_ranks(WINNOW_HIGH, 0.0001, 10, &first, &end);
    assert_int_equal(end - first, 1);
    band_ranks(WINNOW_HIGH, 0, 10, &first, &end);
    assert_int_equal(end - first, 0);
}

static void band_breaks_ties_by_key_whatever_the_order(void **state)
{
    (void)state;
    enum { N = 500 };
    static struct selector_item a[N], b[N];
    fill(a, N, 7, 4); /* four values only: nearly all are ties */
    for (size_t i = 0; i < N; i++) {
        b[i] = a[N - 1 - i];
    }
    struct winnow_error err;
    struct band_edges e;
    assert_ok(band_cut(a, N, WINNOW_MEDIUM, 0.3, &e, 1, &err), err);
    assert_ok(band_cut(b, N, WINNOW_MEDIUM, 0.3, &e, 1, &err), err);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(a[i].kept, b[N - 1 - i].kept);
    }
    assert_int_equal(e.kept, 150);
}

static void band_leaves_out_what_has_no_score_and_cuts_each_group(void **state)
{
    (void)state;
    enum { N = 300 };
    static struct selector_item items[N];
    fill(items, N, 3, 1000);
    for (size_t i = 0; i < N; i++) {
        items[i].group = i % 3 == 0;
        if (i % 10 == 0) {
            items[i].score = NAN;
        }
    }
    struct winnow_error err;
    struct band_edges e[3];
    assert_ok(band_cut(items, N, WINNOW_LOW, 0.5, e, 3, &err), err);
    size_t pool[2] = {0}, kept[2] = {0};
    for (size_t i = 0; i < N; i++) {
        assert_false(items[i].kept && i % 10 == 0);
        pool[items[i].group] += i % 10 != 0;
        kept[items[i].group] += items[i].kept;
        if (items[i].kept) {
            assert_true(items[i].score <= e[items[i].group].high);
        }
    }
    for (int g = 0; g < 2; g++) {
        assert_int_equal(e[g].pool, pool[g]);
        assert_int_equal(e[g].kept, kept[g]);
        assert_int_equal(kept[g], llround(0.5 * (double)pool[g]));
    }
    assert_int_equal(e[2].pool, 0);
    assert_true(isnan(e[2].low));
    double scores[N];
    assert_int_equal(band_sorted_scores(items, N, scores), pool[0] + pool[1]);
}

/* Against sorting all of them, forwards and backwards. */
static void least_draws_are_those_that_sorting_says(void **state)
{
    (void)state;
    enum { N = 500, MOST = 40 };
    uint64_t draws[N];
    struct rng r;
    rng_init(&r, 3, "draws");
    for (size_t i = 0; i < N; i++) {
        draws[i] = rng_below(&r, 200); /* with ties, which the ordinal breaks */
    }
    for (int backwards = 0; backwards < 2; backwards++) {
        struct least_draws by_number = {.bytes_max = MOST, .as_one = true, .text_max = 3};
        struct least_draws by_bytes = {.bytes_max = 100, .counted_max = 4};
        for (size_t k = 0; k < N; k++) {
            size_t i = backwards ? N - 1 - k : k;
            least_draws_offer(&by_number, draws[i], i, STR_LIT("a\xC3\xA4\xC3\xA4"));
            least_draws_offer(&by_bytes, draws[i], i, (struct str){"abcdefgh", i % 8});
        }
        least_draws_sort(&by_number);
        least_draws_sort(&by_bytes);
        assert_int_equal(by_number.count, MOST);
        uint64_t bytes = 0;
        size_t at = 0;
        for (uint64_t draw = 0; draw < 200; draw++) {
            for (size_t i = 0; i < N; i++) {
                if (draws[i] != draw) {
                    continue;
                }
                if (at < MOST) {
                    assert_int_equal(by_number.items[at].ordinal, i);
                    assert_int_equal(by_number.items[at].len, 3); /* cut between characters */
                }
                if (bytes < 100) {
                    assert_true(at < by_bytes.count);
                    assert_int_equal(by_bytes.items[at].ordinal, i);
                    assert_int_equal(by_bytes.items[at].len, i % 8);
                    bytes += i % 8 < 4 ? i % 8 : 4;
                }
                at++;
            }
        }
        assert_int_equal(by_bytes.bytes, bytes);
        assert_true(bytes >= 100);
        least_draws_release(&by_number);
        least_draws_release(&by_bytes);
    }
}

static void split_puts_copies_on_one_side(void **state)
{
    (void)state;
    assert_int_equal(split_key(STR_LIT("Hello,  World 7")), split_key(STR_LIT("hello world\n7!")));
    assert_int_not_equal(split_key(STR_LIT("hello world 7")), split_key(STR_LIT("hello world 8")));
    assert_int_not_equal(split_key(STR_LIT("na\xc3\xafve")), split_key(STR_LIT("naive")));
    static char big[10000], spaced[20000];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (char)('a' + i * i % 26);
        spaced[2 * i] = big[i];
        spaced[2 * i + 1] = ' ';
    }
    assert_int_equal(split_key((struct str){big, sizeof big}),
                     split_key((struct str){spaced, sizeof spaced}));
    for (size_t n = 4090; n < 4100; n++) { /* around the size of a piece */
        assert_int_equal(split_key((struct str){big, n}), split_key((struct str){spaced, 2 * n}));
        assert_int_not_equal(split_key((struct str){big, n}), split_key((struct str){big, n + 1}));
    }
}

static void split_draws_are_uniform_and_independent(void **state)
{
    (void)state;
    enum { N = 20000 };
    size_t heldout = 0, reference = 0, both = 0, other_seed = 0;
    for (uint64_t i = 0; i < N; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "document %llu", (unsigned long long)i);
        uint64_t key = split_key((struct str){text, (size_t)n});
        bool h = split_is_heldout(key, 0.1), r = split_unit(key, 1, "reference") < 0.5;
        heldout += h;
        reference += r;
        both += h && r;
        other_seed += r && split_unit(key, 2, "reference") < 0.5;
        assert_true(split_unit(key, 1, "x") >= 0 && split_unit(key, 1, "x") < 1);
        assert_true(!h || split_is_heldout(key, 0.2)); /* a larger share holds the smaller */
    }
    /* five standard deviations of a binomial count */
    assert_true(labs((long)heldout - N / 10) < 212);
    assert_true(labs((long)reference - N / 2) < 354);
    assert_true(labs((long)both - N / 20) < 155);
    assert_true(labs((long)other_seed - N / 4) < 307);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(band_keeps_the_ranks_that_sorting_says),
        cmocka_unit_test(band_of_the_paper_is_centred_on_the_median),
        cmocka_unit_test(band_breaks_ties_by_key_whatever_the_order),
        cmocka_unit_test(band_leaves_out_what_has_no_score_and_cuts_each_group),
        cmocka_unit_test(least_draws_are_those_that_sorting_says),
        cmocka_unit_test(split_puts_copies_on_one_side),
        cmocka_unit_test(split_draws_are_uniform_and_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
