#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "dedup/minhash.h"
#include "dedup/near_sets.h"

#include <stdio.h>

#define NUMBERS 112U
#define ROWS    8U

/* ---- words ---- */

static struct near_alphabet *alphabet;

static int make_alphabet(void **state)
{
    (void)state;
    alphabet = near_alphabet_new(false);
    return 0;
}

static int free_alphabet(void **state)
{
    (void)state;
    near_alphabet_free(alphabet);
    return 0;
}

static void assert_words(const char *text, const char *want)
{
    struct near_words words = {0};
    struct winnow_error err;
    assert_ok(near_words_split(alphabet, str_of(text), &words, &err), err);
    if (!str_is(buf_str(&words.text), want)) {
        fail_msg("\"%s\" is the words \"%.*s\", not \"%s\"", text, STR_ARG(buf_str(&words.text)),
                 want);
    }
    size_t spaces = 0;
    for (const char *c = want; *c; c++) {
        spaces += *c == ' ';
    }
    assert_int_equal(words.count, spaces);
    near_words_release(&words);
}

static void words_are_folded_letters_and_digits(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" -- ... !", "");
    assert_words("The quick, brown FOX", "the quick brown fox ");
    assert_words("don't e-mail a_b", "don t e mail a b ");
    /* datatrove 0.10.1 says the same, but "can not" */
    assert_words("I don't think e-mail cannot be 3.14 or 1,234 Caf\xC3\xA9 x2 20th",
                 "i don t think e mail cannot be 0 or 0 cafe x0 0th ");
    assert_words("Caf\xC3\xA9 cafe\xCC\x81", "cafe cafe "); /* composed and not */
    assert_words("Stra\xC3\x9F"
                 "e",
                 "strasse ");                                              /* folds into two */
    assert_words("\xD0\x9C\xD0\x98\xD0\xA0", "\xD0\xBC\xD0\xB8\xD1\x80 "); /* Cyrillic */
    assert_words("\xE4\xB8\xAD\xE6\x96\x87"
                 "ab",
                 "\xE4\xB8\xAD \xE6\x96\x87 ab ");             /* Han */
    assert_words("\xF0\x9D\x90\x80 x", "\xF0\x9D\x90\x80 x "); /* beyond the first plane */
    assert_words("a\xFF"
                 "b",
                 "a b "); /* no UTF-8 */
}

static void a_number_is_one_zero(void **state)
{
    (void)state;
    assert_words("1 22 3.14 1,234,567.8 9. x1 1x", "0 0 0 0 0 x0 0x ");
    assert_words("\xD9\xA1\xD9\xA2 7", "0 0 "); /* Arabic digits */
    assert_words("1..2 3., 4", "0 0 0 0 ");
}

static void numbers_count_where_they_are_asked_to(void **state)
{
    (void)state;
    struct near_alphabet *before = alphabet;
    alphabet = near_alphabet_new(true);
    assert_words("1 22 3.14 x1", "1 22 3 14 x1 ");
    assert_words("\xD9\xA1\xD9\xA2", "\xD9\xA1\xD9\xA2 ");
    near_alphabet_free(alphabet);
    alphabet = before;
}

static void shingles_are_words_in_a_row(void **state)
{
    (void)state;
    struct near_words words = {0};
    struct winnow_error err;
    assert_ok(near_words_split(alphabet, STR_LIT("A b, c D"), &words, &err), err);
    assert_int_equal(near_words_shingles(&words, 3), 2);
    assert_str(near_words_shingle(&words, 3, 0), "a b c");
    assert_str(near_words_shingle(&words, 3, 1), "b c d");
    assert_int_equal(near_words_shingles(&words, 4), 1);
    assert_int_equal(near_words_shingles(&words, 5), 1); /* too short: one of all there is */
    assert_str(near_words_shingle(&words, 5, 0), "a b c d");
    assert_ok(near_words_split(alphabet, STR_LIT("..."), &words, &err), err);
    assert_int_equal(near_words_shingles(&words, 5), 0);
    near_words_release(&words);
}

/* ---- signatures ---- */

static void the_fast_least_is_the_plain_one(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {1, 15, 16, 17, 64, 112, 200, MINHASH_MAX};
    struct rng r;
    rng_init(&r, 5, "least");
    for (size_t k = 0; k < sizeof COUNTS / sizeof *COUNTS; k++) {
        struct minhash m;
        minhash_init(&m, COUNTS[k], 5, k);
        for (size_t n = 1; n < 40; n += 6) {
            uint32_t x[40], fast[MINHASH_MAX], plain[MINHASH_MAX];
            for (size_t i = 0; i < n; i++) {
                x[i] = (uint32_t)rng_u64(&r);
            }
            minhash_least(&m, x, n, fast);
            minhash_least_plain(&m, x, n, plain);
            assert_memory_equal(fast, plain, m.padded * sizeof *fast);
        }
        minhash_release(&m);
    }
}

static void order_and_repeats_do_not_change_a_signature(void **state)
{
    (void)state;
    struct minhash m;
    struct minhash_scratch scratch = {0};
    struct winnow_error err;
    uint32_t a[NUMBERS], b[NUMBERS];
    uint64_t a_words, b_words;
    minhash_init(&m, NUMBERS, 1, 3);
    assert_ok(
        minhash_sign(&m, alphabet, STR_LIT("one two three four"), &scratch, a, &a_words, &err),
        err);
    assert_ok(minhash_sign(&m, alphabet, STR_LIT("four, three two ONE; two!"), &scratch, b,
                           &b_words, &err),
              err);
    assert_memory_equal(a, b, sizeof a);
    assert_true(a_words != b_words && a_words != 0);
    assert_ok(minhash_sign(&m, alphabet, STR_LIT("--"), &scratch, b, &b_words, &err), err);
    assert_int_equal(b_words, 0);
    minhash_scratch_release(&scratch);
    minhash_release(&m);
}

/* Two sets of `size` each with `shared` in common: J = shared / (2 size - shared). */
static void draw_pair(struct rng *r, const struct minhash *m, size_t size, size_t shared,
                      uint32_t *a, uint32_t *b)
{
    uint32_t x[512], y[512];
    for (size_t i = 0; i < size; i++) {
        x[i] = (uint32_t)rng_u64(r);
        y[i] = i < shared ? x[i] : (uint32_t)rng_u64(r);
    }
    minhash_least(m, x, size, a);
    minhash_least(m, y, size, b);
}

static bool share_a_band(const uint32_t *a, const uint32_t *b)
{
    for (uint32_t band = 0; band < NUMBERS / ROWS; band++) {
        if (memcmp(a + band * ROWS, b + band * ROWS, ROWS * sizeof *a) == 0) {
            return true;
        }
    }
    return false;
}

static void candidates_follow_the_curve_and_estimates_the_index(void **state)
{
    (void)state;
    enum { PAIRS = 4000, SIZE = 300 };
    static const double INDEX[] = {.5, .6, .7, .75, .8, .85, .9, .95};
    struct rng r;
    rng_init(&r, 11, "curve");
    for (size_t k = 0; k < sizeof INDEX / sizeof *INDEX; k++) {
        size_t shared = (size_t)lround(2 * SIZE * INDEX[k] / (1 + INDEX[k]));
        double j = (double)shared / (double)(2 * SIZE - shared), candidates = 0, estimate = 0;
        for (int pair = 0; pair < PAIRS; pair++) {
            struct minhash m;
            uint32_t a[NUMBERS], b[NUMBERS];
            if (pair % 100 == 0) { /* other permutations, too */
                minhash_init(&m, NUMBERS, 5, (uint64_t)pair);
            }
            draw_pair(&r, &m, SIZE, shared, a, b);
            candidates += share_a_band(a, b);
            estimate += (double)minhash_agree(a, b, NUMBERS) / NUMBERS;
            if (pair % 100 == 99) {
                minhash_release(&m);
            }
        }
        double curve = 1 - pow(1 - pow(j, ROWS), (double)NUMBERS / ROWS);
        if (fabs(candidates / PAIRS - curve) > 0.03 || fabs(estimate / PAIRS - j) > 0.005) {
            fail_msg("at %.3f: %.4f are candidates where the curve says %.4f, estimated as %.4f", j,
                     candidates / PAIRS, curve, estimate / PAIRS);
        }
    }
}

static void strangers_are_no_candidates(void **state)
{
    (void)state;
    enum { TEXTS = 1000, SIZE = 200 };
    struct rng r;
    struct minhash m;
    uint32_t *all = mem_alloc(TEXTS * NUMBERS * sizeof *all), x[SIZE];
    rng_init(&r, 2, "strangers");
    minhash_init(&m, NUMBERS, 5, 1);
    for (size_t i = 0; i < TEXTS; i++) { /* a tenth of what each says is said by all */
        for (size_t k = 0; k < SIZE; k++) {
            x[k] = k < SIZE / 10 ? (uint32_t)rng_mix(k) : (uint32_t)rng_u64(&r);
        }
        minhash_least(&m, x, SIZE, all + i * NUMBERS);
    }
    uint64_t pairs = 0, wrong = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        for (size_t k = 0; k < i; k++) {
            pairs++;
            wrong += share_a_band(all + i * NUMBERS, all + k * NUMBERS);
        }
    }
    assert_true((double)wrong / (double)pairs < 1e-4);
    minhash_release(&m);
    mem_free(all);
}

/* ---- texts ---- */

static void make_text(struct rng *r, struct buf *out, const struct buf *from, double edits)
{
    struct str rest = from ? buf_str(from) : (struct str){"", 0};
    buf_clear(out);
    for (int word = 0; word < 400; word++) {
        size_t space = str_find(rest, STR_LIT(" "));
        if (!from || rng_uniform(r) < edits) {
            buf_addf(out, "w%c%c%c ", 'a' + (int)rng_below(r, 26), 'a' + (int)rng_below(r, 26),
                     'a' + (int)rng_below(r, 26));
        } else {
            buf_add_str(out, str_sub(rest, 0, space + 1));
        }
        rest = from ? str_sub(rest, space + 1, rest.len) : rest;
    }
}

static void edited_texts_are_estimated_as_their_shingles_say(void **state)
{
    (void)state;
    enum { PAIRS = 150 };
    struct rng r;
    struct minhash m;
    struct minhash_scratch scratch = {0};
    struct near_words words = {0};
    struct buf a = {0}, b = {0}, set_a = {0}, set_b = {0};
    struct winnow_error err;
    double worst = 0, mean = 0;
    rng_init(&r, 4, "texts");
    minhash_init(&m, NUMBERS, 5, 9);
    for (int pair = 0; pair < PAIRS; pair++) {
        uint32_t sa[NUMBERS], sb[NUMBERS];
        uint64_t ignored;
        make_text(&r, &a, NULL, 0);
        make_text(&r, &b, &a, 0.002 * pair / 10);
        assert_ok(minhash_sign(&m, alphabet, buf_str(&a), &scratch, sa, &ignored, &err), err);
        assert_ok(minhash_sign(&m, alphabet, buf_str(&b), &scratch, sb, &ignored, &err), err);
        assert_ok(near_words_split(alphabet, buf_str(&a), &words, &err), err);
        size_t na = near_set_of(&words, 5, &set_a);
        assert_ok(near_words_split(alphabet, buf_str(&b), &words, &err), err);
        size_t nb = near_set_of(&words, 5, &set_b);
        double j = near_jaccard((const uint64_t *)(const void *)set_a.ptr, na,
                                (const uint64_t *)(const void *)set_b.ptr, nb);
        double off = (double)minhash_agree(sa, sb, NUMBERS) / NUMBERS - j;
        worst = fabs(off) > worst ? fabs(off) : worst;
        mean += off / PAIRS;
    }
    assert_true(worst < 0.2 && fabs(mean) < 0.01);
    near_words_release(&words);
    minhash_scratch_release(&scratch);
    minhash_release(&m);
    buf_release(&a);
    buf_release(&b);
    buf_release(&set_a);
    buf_release(&set_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_letters_and_digits),
        cmocka_unit_test(a_number_is_one_zero),
        cmocka_unit_test(numbers_count_where_they_are_asked_to),
        cmocka_unit_test(shingles_are_words_in_a_row),
        cmocka_unit_test(the_fast_least_is_the_plain_one),
        cmocka_unit_test(order_and_repeats_do_not_change_a_signature),
        cmocka_unit_test(candidates_follow_the_curve_and_estimates_the_index),
        cmocka_unit_test(strangers_are_no_candidates),
        cmocka_unit_test(edited_texts_are_estimated_as_their_shingles_say),
    };
    return cmocka_run_group_tests(tests, make_alphabet, free_alphabet);
}
