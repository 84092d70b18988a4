#include "base/rng.h"
#include "check.h"
#include "dedup/dedup_exact.h"
#include "dedup/dedup_ranks.h"
#include "thread_ranks.h"

#include <stdio.h>
#include <stdlib.h>

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
    assert_ok(dedup_exact_new(&d, "/tmp", 0, 0, &err), err);
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
    assert_ok(dedup_exact_new(&d, "/tmp", 0, 0, &err), err);
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
        assert_ok(dedup_exact_new(&d, "/tmp", 0, memory, &err), err);
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

/* ---- over ranks ---- */

enum { TEXTS = 300, DOCUMENTS = 3000 };

static unsigned text_of(unsigned document) /* some often, some once */
{
    return document * 2654435761U % 7919U % TEXTS * (document % 3 != 0);
}

static uint32_t rank_of(unsigned document, uint32_t count)
{
    return document / 7 % count; /* shards of seven */
}

static struct hash128 hash_of_number(unsigned text)
{
    return hash128((struct str){(const char *)&text, sizeof text});
}

struct told {
    unsigned first[TEXTS]; /* the document that another rank has before, + 1 */
};

static winnow_status take_first(void *ctx, struct hash128 h, struct str first,
                                struct winnow_error *err)
{
    struct told *t = ctx;
    (void)err;
    for (unsigned text = 0; text < TEXTS; text++) {
        struct hash128 of = hash_of_number(text);
        if (of.high == h.high && of.low == h.low) {
            t->first[text] = (unsigned)strtoul(first.ptr, NULL, 10) + 1;
        }
    }
    return WINNOW_OK;
}

/* cmocka's asserts leave by longjmp, which no other thread may do. */
static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void agree_with_one_process(struct winnow_ranks *r)
{
    struct dedup_ranks *d = NULL;
    struct winnow_error err;
    struct told t = {{0}};
    uint32_t rank = ranks_rank(r), count = ranks_count(r);
    char id[16];
    must(dedup_ranks_new(&d, r, "/tmp", 1, &err) == WINNOW_OK, "new");
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        if (rank_of(i, count) == rank) {
            (void)snprintf(id, sizeof id, "%u ", i);
            must(dedup_ranks_add(d, hash_of_number(text_of(i)), i, str_of(id), &err) == WINNOW_OK,
                 "add");
        }
    }
    must(dedup_ranks_settle(d, &err) == WINNOW_OK, "settle");
    must(dedup_ranks_each(d, take_first, &t, &err) == WINNOW_OK, "each");
    unsigned most = 0, most_first = 0;
    for (unsigned text = 0; text < TEXTS; text++) {
        unsigned first = DOCUMENTS, all = 0;
        bool mine = false;
        for (unsigned i = DOCUMENTS; i-- > 0;) {
            if (text_of(i) == text) {
                first = i;
                all++;
                mine = mine || rank_of(i, count) == rank;
            }
        }
        bool elsewhere = mine && rank_of(first, count) != rank;
        must(t.first[text] == (elsewhere ? first + 1 : 0), "who was first");
        if (all > 1 && (all > most || (all == most && first < most_first))) {
            most = all;
            most_first = first;
        }
    }
    struct str first;
    must(dedup_ranks_largest(d, &first) == most, "how many of the commonest");
    must(strtoul(first.ptr, NULL, 10) == most_first, "which is the commonest");
    dedup_ranks_free(d);
}

static void ranks_know_who_was_first(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 4; count++) {
        on_thread_ranks(count, agree_with_one_process);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_know_who_was_first),
        cmocka_unit_test(the_first_of_equal_texts_is_named_for_the_others),
        cmocka_unit_test(an_empty_id_is_an_id),
        cmocka_unit_test(the_promised_memory_is_enough_and_less_is_refused),
        cmocka_unit_test(normalisation_joins_what_it_says_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
