#include "base/rng.h"
#include "check.h"
#include "dedup/dedup_exact.h"

#include <stdio.h>

static struct hash128 hash_of(const char *text, bool spaces, bool fold_case)
{
    struct buf scratch = {0};
    struct hash128 h = dedup_hash(str_of(text), spaces, fold_case, &scratch);
    buf_release(&scratch);
    return h;
}

static bool equal(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static void the_first_of_equal_texts_is_named_for_the_others(void **state)
{
    (void)state;
    enum { TEXTS = 50000, ROUNDS = 3 };
    struct winnow_error err;
    struct dedup_exact *d = NULL;
    assert_ok(dedup_exact_new(&d, "/tmp", 0, &err), err);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < TEXTS; i++) {
            char id[32], want[32];
            struct str first;
            struct hash128 h = {.low = rng_mix(i), .high = rng_mix(i + TEXTS)};
            (void)snprintf(id, sizeof id, "%d/%llu", round, (unsigned long long)i);
            (void)snprintf(want, sizeof want, "0/%llu", (unsigned long long)i);
            assert_ok(dedup_exact_add(d, h, str_of(id), &first, &err), err);
            if (round == 0) {
                assert_null(first.ptr);
            } else {
                assert_str(first, want);
            }
        }
    }
    dedup_exact_free(d);
}

static void an_empty_id_is_an_id(void **state)
{
    (void)state;
    struct winnow_error err;
    struct dedup_exact *d = NULL;
    struct str first;
    struct hash128 h = {1, 2};
    assert_ok(dedup_exact_new(&d, "/tmp", 0, &err), err);
    assert_ok(dedup_exact_add(d, h, STR_LIT(""), &first, &err), err);
    assert_null(first.ptr);
    assert_ok(dedup_exact_add(d, h, STR_LIT("b"), &first, &err), err);
    assert_non_null(first.ptr);
    assert_int_equal(first.len, 0);
    dedup_exact_free(d);
}

static void the_promised_memory_is_enough_and_less_is_refused(void **state)
{
    (void)state;
    enum { TEXTS = 200000 };
    struct winnow_error err = {{0}};
    winnow_status st = WINNOW_OK;
    for (int enough = 0; enough < 2; enough++) {
        struct dedup_exact *d = NULL;
        uint64_t memory = enough ? dedup_exact_memory(TEXTS) : 20 * TEXTS;
        assert_ok(dedup_exact_new(&d, "/tmp", memory, &err), err);
        st = WINNOW_OK;
        for (uint64_t i = 0; i < TEXTS && st == WINNOW_OK; i++) {
            struct str first;
            struct hash128 h = {.low = rng_mix(i), .high = rng_mix(~i)};
            st = dedup_exact_add(d, h, STR_LIT("x"), &first, &err);
        }
        assert_int_equal(st, enough ? WINNOW_OK : WINNOW_E_LIMIT);
        dedup_exact_free(d);
    }
    assert_true(strstr(err.text, "--memory") != NULL);
}

static void normalisation_joins_what_it_says_and_nothing_else(void **state)
{
    (void)state;
    assert_true(equal(hash_of(" a\t\n b ", true, false), hash_of("a b", true, false)));
    assert_true(equal(hash_of("a\xC2\xA0"
                              "b",
                              true, false),
                      hash_of("a b", true, false)));
    assert_false(equal(hash_of("ab", true, false), hash_of("a b", true, false)));
    assert_false(equal(hash_of("A", true, false), hash_of("a", true, false)));
    assert_true(equal(hash_of("STRASSE", false, true), hash_of("stra\xC3\x9F"
                                                               "e",
                                                               false, true)));
    assert_true(equal(hash_of("\xC3\x84", false, true), hash_of("\xC3\xA4", false, true)));
    assert_false(equal(hash_of("a ", false, true), hash_of("a", false, true)));
    assert_true(equal(hash_of("", true, true), hash_of(" \n", true, true)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_equal_texts_is_named_for_the_others),
        cmocka_unit_test(an_empty_id_is_an_id),
        cmocka_unit_test(the_promised_memory_is_enough_and_less_is_refused),
        cmocka_unit_test(normalisation_joins_what_it_says_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
