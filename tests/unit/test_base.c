#include "base/grow.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/round.h"
#include "base/utf8.h"
#include "check.h"

#include <stdatomic.h>
#include <stdio.h>

static void json_reads_back_what_was_written(void **state)
{
    (void)state;
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    json_open(&w, '{');
    json_member_text(&w, "text", "a\"b\\\n\x01 \xc3\xa9");
    json_member_open(&w, "list", '[');
    json_double(&w, 0.1);
    json_i64(&w, -3);
    json_bool(&w, true);
    json_null(&w);
    json_close(&w, ']');
    json_close(&w, '}');

    struct json_parser *p = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    assert_ok(json_parse(p, buf_str(&out), &root, &err), err);
    struct str text;
    assert_true(json_as_str(json_get(root, "text"), &text));
    assert_str(text, "a\"b\\\n\x01 \xc3\xa9");
    struct json_iter it = json_walk(json_get(root, "list"));
    double d = 0;
    int64_t i = 0;
    assert_true(json_next(&it) && json_as_double(it.value, &d));
    assert_true(d == 0.1);
    assert_true(json_next(&it) && json_as_i64(it.value, &i));
    assert_int_equal(i, -3);
    assert_int_equal(json_count(json_get(root, "list")), 4);
    assert_int_equal(json_kind(json_get(root, "none")), JSON_NONE);
    assert_int_equal(json_parse(p, STR_LIT("{\"a\":"), &root, &err), WINNOW_E_FORMAT);
    json_parser_free(p);
    buf_release(&out);
}

static void map_keeps_a_hundred_thousand_keys_in_order(void **state)
{
    (void)state;
    struct map m = {0};
    char key[32];
    for (uint64_t i = 0; i < 100000; i++) {
        int n = snprintf(key, sizeof key, "key-%llu", (unsigned long long)i);
        bool is_new = false;
        *map_put(&m, (struct str){key, (size_t)n}, &is_new) = i;
        assert_true(is_new);
    }
    for (uint64_t i = 0; i < 100000; i++) {
        int n = snprintf(key, sizeof key, "key-%llu", (unsigned long long)i);
        assert_int_equal(*map_get(&m, (struct str){key, (size_t)n}), i);
        assert_int_equal(m.entries[i].value, i);
    }
    assert_null(map_get(&m, STR_LIT("key-100000")));
    map_release(&m);
}

static void count_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    atomic_uint *seen = ctx;
    (void)atomic_fetch_add(&seen[piece], 1);
}

static void pool_runs_each_piece_once(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        struct pool *p = pool_new(threads);
        for (size_t pieces = 0; pieces < 60; pieces++) {
            atomic_uint seen[60];
            for (size_t i = 0; i < 60; i++) {
                atomic_init(&seen[i], 0);
            }
            pool_run(p, pieces, count_piece, seen);
            for (size_t i = 0; i < 60; i++) {
                assert_int_equal(atomic_load(&seen[i]), i < pieces);
            }
        }
        pool_free(p);
    }
}

static void rng_gives_the_same_numbers_everywhere(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 7, "data");
    rng_init(&b, 7, "data");
    rng_init(&c, 7, "init");
    bool differs = false;
    double sum = 0, square = 0;
    for (int i = 0; i < 10000; i++) {
        double x = rng_normal(&a);
        assert_true(x == rng_normal(&b));
        differs = differs || x != rng_normal(&c);
        sum += x;
        square += x * x;
    }
    assert_true(differs);
    assert_near(sum / 10000, 0, 0.05);
    assert_near(square / 10000, 1, 0.05);
}

static void utf8_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const BAD[] = {"\x80",         "\xc0\x80",         "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                                      "\xc3"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_int_equal(utf8_valid_until(str_of(BAD[i])), 0);
    }
    for (uint32_t code = 1; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
        if (code >= 0xD800 && code < 0xE000) {
            continue;
        }
        char bytes[4];
        size_t n = utf8_encode(code, bytes);
        uint32_t back = 0;
        assert_int_equal(utf8_decode((struct str){bytes, n}, 0, &back), n);
        assert_int_equal(back, code);
    }
    struct buf out = {0};
    assert_int_equal(utf8_add_repaired(&out, STR_LIT("a\xff"
                                                     "b\xe2\x82")),
                     2);
    assert_str(buf_str(&out), "a\xef\xbf\xbd"
                              "b\xef\xbf\xbd");
    buf_release(&out);
}

/* Memory that another hash left behind must not show. */
static void utf8_cuts_no_code_point(void **state)
{
    (void)state;
    struct str s = STR_LIT("a\xC3\xA4\xE2\x82\xAC!"); /* 1, 2, 3 and 1 bytes */
    static const size_t CUT[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};
    static const size_t START[] = {0, 1, 1, 3, 3, 3, 6, 7};
    for (size_t n = 0; n < 9; n++) {
        assert_int_equal(utf8_cut(s, n).len, CUT[n]);
        if (n < 8) {
            assert_int_equal(utf8_start(s, n), START[n]);
        }
    }
    assert_int_equal(utf8_cut((struct str){0}, 3).len, 0);
}

/* Eight bytes at a time, at every distance from the end. */
static void utf8_counts_code_points(void **state)
{
    (void)state;
    struct rng r;
    char bytes[64];
    rng_init(&r, 7, "utf8");
    for (unsigned round = 0; round < 2000; round++) {
        size_t len = rng_below(&r, sizeof bytes + 1), want = 0;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)rng_below(&r, 256);
            want += ((unsigned char)bytes[i] & 0xC0U) != 0x80U;
        }
        assert_int_equal(utf8_count((struct str){bytes, len}), want);
    }
}

static void grown_arrays_keep_what_they_held(void **state)
{
    (void)state;
    uint32_t *items = NULL;
    size_t cap = 0;
    for (size_t n = 0; n < 1000; n++) {
        GROW(items, n, cap, 3);
        assert_true(cap > n && cap <= 2 * n + 3);
        items[n] = (uint32_t)n;
    }
    for (size_t n = 0; n < 1000; n++) {
        assert_int_equal(items[n], n);
    }
    mem_free(items);
    assert_int_equal(round_up(0, 16), 0);
    assert_int_equal(round_up(1, 16), 16);
    assert_int_equal(round_up(16, 16), 16);
    assert_int_equal(round_up(17, 16), 32);
}

static void hash_in_pieces_is_that_of_the_whole(void **state)
{
    (void)state;
    char text[3000];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * i % 251);
    }
    for (uint64_t i = 0; i < 400; i++) {
        struct str whole = {text, (size_t)(i * 7)};
        uint64_t seed = i % 5 * 0x9E3779B97F4A7C15U;
        struct hash64_stream *h = hash64_stream_new(seed);
        for (size_t at = 0; at < whole.len; at += 97) {
            hash64_stream_add(h, str_sub(whole, at, at + 97 < whole.len ? at + 97 : whole.len));
        }
        assert_true(hash64_stream_value(h) == hash64(whole, seed));
        hash64_stream_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grown_arrays_keep_what_they_held),
        cmocka_unit_test(utf8_counts_code_points),
        cmocka_unit_test(utf8_cuts_no_code_point),
        cmocka_unit_test(hash_in_pieces_is_that_of_the_whole),
        cmocka_unit_test(json_reads_back_what_was_written),
        cmocka_unit_test(map_keeps_a_hundred_thousand_keys_in_order),
        cmocka_unit_test(pool_runs_each_piece_once),
        cmocka_unit_test(rng_gives_the_same_numbers_everywhere),
        cmocka_unit_test(utf8_refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
