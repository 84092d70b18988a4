#include "check.h"
#include "option/option.h"

#include <stdio.h>

struct sample {
    bool fast;
    uint32_t bands;
    uint64_t tokens, memory;
    double rate;
    const char *name;
    int criterion;
    struct winnow_list sets;
};

static const char *const CRITERIA[] = {"low", "medium", "high", NULL};
static const struct option SAMPLE_OPTIONS[] = {
    OPT_FLAG('f', "fast", struct sample, fast, "be fast"),
    OPT_U32('b', "bands", struct sample, bands, 1, 256, "bands"),
    OPT_COUNT(0, "tokens", struct sample, tokens, 0, 1e15, "tokens"),
    OPT_SIZE(0, "memory", struct sample, memory, 0, 1e15, "memory"),
    OPT_SHARE('r', "rate", struct sample, rate, 0, 1, "share kept"),
    OPT_TEXT(0, "name", struct sample, name, "NAME", "name"),
    OPT_ENUM('c', "criterion", struct sample, criterion, CRITERIA, "band"),
    OPT_LIST(0, "sets", struct sample, sets, "A,B", "rule sets"),
    OPT_END,
};
static const struct sample DEFAULTS = {.bands = 20, .rate = 0.5, .criterion = 1};
static const struct option_table TABLE = {
    .command = "sample", .options = SAMPLE_OPTIONS, .defaults = &DEFAULTS, .size = sizeof DEFAULTS};

static winnow_status parse(struct sample *out, struct winnow_list *paths, struct arena *keep,
                           struct winnow_error *err, int argc, const char *const *argv)
{
    *out = DEFAULTS;
    *paths = (struct winnow_list){0};
    struct option_set set = {&TABLE, out, NULL};
    return option_parse(&set, 1, argc, argv, paths, keep, err);
}

static void options_stand_before_and_after_paths(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 4096);
    struct sample s;
    struct winnow_list paths;
    struct winnow_error err;
    const char *argv[] = {"sample",     "-f", "a.jsonl", "--rate=25%", "--tokens", "8M",
                          "--memory",   "2G", "-c",      "high",       "-b7",      "--sets",
                          "gopher, c4", "--", "-odd",    NULL};
    assert_ok(parse(&s, &paths, &keep, &err, 15, argv), err);
    assert_true(s.fast);
    assert_int_equal(s.bands, 7);
    assert_int_equal(s.tokens, 8000000);
    assert_int_equal(s.memory, 2ULL << 30);
    assert_near(s.rate, 0.25, 1e-12);
    assert_int_equal(s.criterion, 2);
    assert_int_equal(s.sets.count, 2);
    assert_string_equal(s.sets.items[1], "c4");
    assert_int_equal(paths.count, 2);
    assert_string_equal(paths.items[1], "-odd");
    arena_release(&keep);
}

static void bad_values_are_named(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 4096);
    static const struct {
        const char *arg, *sentence;
    } CASES[] = {
        {"--rate=2", "rate: '2' is not between 0 and 1; for 2 % write 2% or 0.02"},
        {"--rate=x", "rate: 'x' is not a number"},
        {"--bands=1.5", "bands: '1.5' is not a whole number"},
        {"--bands=0", "bands: '0' is not between 1 and 256"},
        {"--bnads=3", "unknown option '--bnads'; did you mean --bands?"},
        {"--criterion=mid", "criterion: 'mid' is none of low, medium, high"},
        {"--zzzzzzzz", "unknown option '--zzzzzzzz'; `winnow help sample` lists them"},
        {"--name", "option '--name' needs a value"},
        {"--fast=maybe", "fast: 'maybe' is neither true nor false"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sample s;
        struct winnow_list paths;
        struct winnow_error err;
        char text[64];
        (void)snprintf(text, sizeof text, "%s", CASES[i].arg);
        const char *argv[] = {"sample", text, NULL};
        assert_int_equal(parse(&s, &paths, &keep, &err, 2, argv), WINNOW_E_USAGE);
        assert_string_equal(err.text, CASES[i].sentence);
    }
    arena_release(&keep);
}

static void seeds_keep_all_their_bits(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 4096);
    struct sample s = DEFAULTS;
    struct winnow_error err;
    assert_ok(option_set(&TABLE, &s, STR_LIT("tokens"), STR_LIT("900719925474099"), &keep, &err),
              err);
    assert_int_equal(s.tokens, 900719925474099);
    arena_release(&keep);
}

static void values_are_written_as_json(void **state)
{
    (void)state;
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    json_open(&w, '{');
    option_write_json(&TABLE, &DEFAULTS, &w);
    json_close(&w, '}');
    assert_str(buf_str(&out), "{\"fast\": false, \"bands\": 20, \"tokens\": 0, \"memory\": 0, "
                              "\"rate\": 0.5, \"name\": null, \"criterion\": \"medium\", "
                              "\"sets\": []}");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_before_and_after_paths),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(seeds_keep_all_their_bits),
        cmocka_unit_test(values_are_written_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
