#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "random_text.h"
#include "teach/align.h"
#include "teach/derive.h"

#include <stdlib.h>

/* The textbook's table. */
static size_t longest(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
    size_t *row = calloc(m + 1, sizeof *row);
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = 0;
        for (size_t j = 0; j < m; j++) {
            size_t above = row[j + 1];
            size_t best = above > row[j] ? above : row[j];
            row[j + 1] = a[i] == b[j] ? diagonal + 1 : best;
            diagonal = above;
        }
    }
    size_t result = row[m];
    free(row);
    return result;
}

static size_t check_match(const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                          const uint32_t *match)
{
    size_t found = 0;
    uint32_t least = 0;
    for (size_t i = 0; i < n; i++) {
        if (match[i] == ALIGN_NONE) {
            continue;
        }
        assert_true(match[i] >= least && match[i] < m);
        assert_int_equal(a[i], b[match[i]]);
        least = match[i] + 1;
        found++;
    }
    return found;
}

static void an_alignment_is_a_longest_common_subsequence(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 1, "align");
    struct winnow_error err;
    for (int round = 0; round < 3000; round++) {
        uint32_t a[60], b[60], match[60];
        size_t n = rng_below(&r, 60), m = rng_below(&r, 60);
        uint32_t kinds = 1 + (uint32_t)rng_below(&r, 30);
        for (size_t i = 0; i < n; i++) {
            a[i] = (uint32_t)rng_below(&r, kinds);
        }
        for (size_t i = 0; i < m; i++) {
            b[i] = (uint32_t)rng_below(&r, kinds);
        }
        bool exact;
        assert_ok(
            align((struct align_side){a, n}, (struct align_side){b, m}, kinds, match, &exact, &err),
            err);
        assert_true(exact);
        assert_int_equal(check_match(a, n, b, m, match), longest(a, n, b, m));
    }
}

static void a_huge_alignment_is_cut_short_and_still_one(void **state)
{
    (void)state;
    enum { N = 400000 };
    struct rng r;
    rng_init(&r, 2, "align");
    uint32_t *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
    uint32_t *match = malloc(N * sizeof *match);
    for (size_t i = 0; i < N; i++) { /* nothing in common but chance */
        a[i] = (uint32_t)rng_below(&r, 1000);
        b[i] = (uint32_t)rng_below(&r, 1000);
    }
    struct winnow_error err;
    bool exact;
    assert_ok(
        align((struct align_side){a, N}, (struct align_side){b, N}, 1000, match, &exact, &err),
        err);
    assert_false(exact);
    assert_true(check_match(a, N, b, N, match) > N / 1000);
    free(a);
    free(b);
    free(match);
}

struct derivation {
    struct arena keep;
    struct derived d;
    struct buf program, result;
};

static void derive_texts(struct derivation *t, struct str raw, struct str clean, bool spaces)
{
    struct winnow_error err;
    const struct derive_options opt = {.spaces = spaces};
    *t = (struct derivation){0};
    arena_init(&t->keep, 4096);
    assert_ok(derive_pair(raw, clean, &opt, &t->keep, &t->d, &err), err);
    derived_program(&t->d, 0, t->d.count - 1, &t->program);
    assert_ok(derived_execute(&t->d, raw, &t->result, &err), err);
}

static void release(struct derivation *t)
{
    arena_release(&t->keep);
    buf_release(&t->program);
    buf_release(&t->result);
}

static void assert_derives(const char *raw, const char *clean, bool spaces, const char *program)
{
    struct derivation t;
    derive_texts(&t, str_of(raw), str_of(clean), spaces);
    assert_str(buf_str(&t.program), program);
    release(&t);
}

static void programs_are_the_fewest_calls(void **state)
{
    (void)state;
    assert_derives("Home\nNews\nA cat sat.\nIt slept.\nShare\nPrint", "A cat sat.\nIt slept.",
                   false, "remove_lines(0, 1)\nremove_lines(4, 5)\n");
    assert_derives("A cat sat.", "A cat sat.", false, "keep_chunk()\n");
    assert_derives("A cat sat. [edit]\nIt slept.", "A cat sat.\nIt slept.", false,
                   "remove_str(0, \" [edit]\")\n");
    /* the needle alone would stand there twice */
    assert_derives("on and on and on", "on and on", true,
                   "replace_str(0, \"and on and on\", \"and on\")\n");
    /* of two texts that differ in white space only nothing goes, unless it counts */
    assert_derives("A  cat\n\nsat.", "A cat\nsat.", false, "keep_chunk()\n");
    /* blank lines go with what stands before them */
    assert_derives("Home\n\nA cat.\n\nShare\n\nA dog.\n\nPrint", "A cat.\n\nA dog.", false,
                   "remove_lines(0, 1)\nremove_lines(4, 5)\nremove_lines(7, 8)\n");
    /* a substitution is no deletion: the raw words stay */
    assert_derives("The colour of the cat\nMenu", "The color of the cat", false,
                   "remove_lines(1, 1)\n");
    assert_derives("Home\nNews", "", false, "remove_lines(0, 1)\n");
    /* one paragraph over several raw lines, several in one */
    assert_derives("Menu\nA cat sat on\nthe mat.\nShare", "A cat sat on the mat.", false,
                   "remove_lines(0, 0)\nremove_lines(3, 3)\n");
    assert_derives("A cat sat. It slept.", "A cat sat.\nIt slept.", false, "keep_chunk()\n");
}

static void a_needle_that_stands_twice_takes_words_around_it(void **state)
{
    (void)state;
    struct derivation t;
    derive_texts(&t, str_of("a b c b d"), str_of("a b c d"), true);
    assert_str(buf_str(&t.result), "a b c d");
    assert_non_null(strstr(buf_cstr(&t.program), "replace_str(0, "));
    assert_true(t.d.exact);
    release(&t);
    derive_texts(&t, str_of("say \"no\\\" no\t\r now"), str_of("say now"), true);
    assert_str(buf_str(&t.result), "say now");
    release(&t);
}

static void what_cannot_be_derived_is_counted(void **state)
{
    (void)state;
    struct derivation t;
    derive_texts(&t, str_of("Menu\nA cat sat.\nShare"), str_of("A cat sat.\nIt slept well."),
                 false);
    assert_str(buf_str(&t.result), "A cat sat.");
    assert_false(t.d.exact);
    assert_int_equal(t.d.clean_chars, 8 + 12);
    assert_int_equal(t.d.covered_chars, 8);
    assert_int_equal(t.d.raw_chars, 4 + 8 + 5);
    assert_int_equal(t.d.removed_chars, 9);
    assert_near(derived_share(&t.d), 0.4, 1e-12);
    assert_near(derived_removal(&t.d), 9.0 / 17, 1e-12);
    release(&t);
}

/* Deletes lines and up to three spans a line, at random. */
static void delete_some(struct rng *r, struct str raw, struct buf *clean)
{
    static const uint64_t SHARES[] = {2, 3, 10, 100};
    uint64_t one_in = SHARES[rng_below(r, 4)];
    bool first = true;
    size_t lines = str_count_lines(raw);
    for (size_t i = 0; i < lines; i++) {
        const char *newline = raw.len > 0 ? memchr(raw.ptr, '\n', raw.len) : NULL;
        size_t len = newline ? (size_t)(newline - raw.ptr) : raw.len;
        struct str line = str_sub(raw, 0, len);
        raw = str_sub(raw, newline ? len + 1 : len, raw.len);
        if (rng_below(r, one_in) == 0) {
            continue;
        }
        if (!first) {
            buf_add_char(clean, '\n');
        }
        first = false;
        uint64_t cut = rng_below(r, 3) == 0 ? 4 : 0; /* of 16 characters in a row */
        bool gone = false;
        for (size_t at = 0; at < line.len;) {
            uint32_t code;
            size_t n = utf8_decode(line, at, &code);
            gone = gone ? rng_below(r, 16) >= cut : rng_below(r, 200) < cut;
            if (!gone) {
                buf_add(clean, line.ptr + at, n);
            }
            at += n;
        }
    }
}

/* Words from a small set, so that lines and words repeat. */
static void random_page(struct rng *r, struct buf *out)
{
    buf_clear(out);
    uint64_t lines = 1 + rng_below(r, 30);
    uint64_t kinds = 2 + rng_below(r, 200);
    for (uint64_t i = 0; i < lines; i++) {
        for (uint64_t n = rng_below(r, 12); n > 0; n--) {
            buf_addf(out, n > 1 ? "w%d " : "w%d.", (int)rng_below(r, kinds));
        }
        if (i + 1 < lines) {
            buf_add_char(out, '\n');
        }
    }
}

static void deletions_are_derived_exactly(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 3, "derive");
    struct buf raw = {0}, clean = {0};
    for (int round = 0; round < 4000; round++) {
        if (round % 2 == 0) {
            random_page(&r, &raw);
        } else {
            random_text(&r, 1 + rng_below(&r, 300), &raw);
        }
        buf_clear(&clean);
        delete_some(&r, buf_str(&raw), &clean);
        struct derivation t;
        derive_texts(&t, buf_str(&raw), buf_str(&clean), true);
        if (!str_eq(buf_str(&t.result), buf_str(&clean))) {
            fail_msg("round %d: %s\n-- should be\n%s\n-- is\n%s\n-- by\n%s", round, buf_cstr(&raw),
                     buf_cstr(&clean), buf_cstr(&t.result), buf_cstr(&t.program));
        }
        assert_true(t.d.exact);
        assert_int_equal(t.d.covered_chars, t.d.clean_chars);
        assert_int_equal(t.d.raw_chars - t.d.removed_chars, t.d.clean_chars);
        release(&t);
    }
    buf_release(&raw);
    buf_release(&clean);
}

/* Whole lines only: chunk by chunk the programs say the same. */
static void chunks_join_to_the_whole(void **state)
{
    (void)state;
    struct derivation t;
    derive_texts(&t, str_of("a\nb\nc\nd\ne"), str_of("a\ne"), false);
    assert_str(buf_str(&t.program), "remove_lines(1, 3)\n");
    struct buf part = {0};
    derived_program(&t.d, 0, 1, &part);
    derived_program(&t.d, 2, 2, &part);
    derived_program(&t.d, 3, 4, &part);
    assert_str(buf_str(&part), "remove_lines(1, 1)\nremove_lines(2, 2)\nremove_lines(3, 3)\n");
    buf_clear(&part);
    derived_program(&t.d, 4, 4, &part);
    assert_str(buf_str(&part), "keep_chunk()\n");
    buf_release(&part);
    release(&t);
}

static void labels_become_programs(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 4096);
    struct derived d;
    struct winnow_error err;
    struct buf out = {0};
    /* the separators and the repeated line follow what is around them */
    const struct str raw = STR_LIT("Home\n|\nNews\nA cat.\n* * *\nA dog.\n\nA cat.\nFooter\n\n(c)");
    const int8_t labels[] = {0, -1, 0, 1, -1, 1, -1, 2, 0, -1, -1};
    assert_ok(derive_labels(raw, labels, &keep, &d, &err), err);
    derived_program(&d, 0, d.count - 1, &out);
    assert_str(buf_str(&out), "remove_lines(0, 2)\nremove_lines(6, 10)\n");
    assert_false(derived_drops(&d));
    const int8_t none[11] = {0};
    assert_ok(derive_labels(raw, none, &keep, &d, &err), err);
    assert_true(derived_drops(&d));
    buf_release(&out);
    arena_release(&keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alignment_is_a_longest_common_subsequence),
        cmocka_unit_test(a_huge_alignment_is_cut_short_and_still_one),
        cmocka_unit_test(programs_are_the_fewest_calls),
        cmocka_unit_test(a_needle_that_stands_twice_takes_words_around_it),
        cmocka_unit_test(what_cannot_be_derived_is_counted),
        cmocka_unit_test(deletions_are_derived_exactly),
        cmocka_unit_test(chunks_join_to_the_whole),
        cmocka_unit_test(labels_become_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
