/* test_blocklist.c -- addresses in one form, lines of lists, and a list against a plain search. */
#include "base/mem.h"
#include "base/rng.h"
#include "blocklist/block_list.h"
#include "check.h"

#include <stdio.h>

static void addresses_have_one_form(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"HTTP://user:pw@www.Example.COM:80/A/b?c#d", "example.com/a/b?c"},
        {"https://example.com/", "example.com"},
        {"example.com.", "example.com"},
        {"//cdn.example.com/x/", "cdn.example.com/x"},
        {"www.com", "www.com"},
        {"www.example.co.uk?q=http://other.org/", "example.co.uk?q=http://other.org"},
        {"10.0.0.1:8080/x", "10.0.0.1/x"},
        {" http://m\xC3\xBCnchen.example ", "m\xC3\xBCnchen.example"},
        {"localhost", NULL},
        {"http://", NULL},
        {"a..b", NULL},
        {".example.com", NULL},
        {"two words.com", NULL},
        {"", NULL},
    };
    struct block_address a;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bool good = block_address_read(str_of(CASES[i][0]), &a);
        assert_int_equal(good, CASES[i][1] != NULL);
        if (good) {
            assert_str(((struct str){a.text, a.len}), CASES[i][1]);
        }
    }
}

static void lines_of_all_kinds_of_lists_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
        enum block_line what;
    } CASES[] = {
        {"example.com", "example.com", BLOCK_ENTRY},
        {"0.0.0.0 ads.example.com # an advertiser", "ads.example.com", BLOCK_ENTRY},
        {"::1 example.com", "example.com", BLOCK_ENTRY},
        {"||example.com^", "example.com", BLOCK_ENTRY},
        {"*.example.com", "example.com", BLOCK_ENTRY},
        {"www.example.com/~user/", "example.com/~user", BLOCK_ENTRY},
        {"10.1.2.3", "10.1.2.3", BLOCK_ENTRY},
        {"# comment", NULL, BLOCK_NOTHING},
        {"! comment", NULL, BLOCK_NOTHING},
        {"[Adblock Plus 2.0]", NULL, BLOCK_NOTHING},
        {"  ", NULL, BLOCK_NOTHING},
        {"||example.com^$third-party", NULL, BLOCK_WRONG},
        {"127.0.0.1 localhost", NULL, BLOCK_WRONG},
        {"this is no address.at all", NULL, BLOCK_WRONG},
        {"my example.com", NULL, BLOCK_WRONG},
    };
    struct block_address a;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(block_line_read(str_of(CASES[i].line), &a), CASES[i].what);
        if (CASES[i].what == BLOCK_ENTRY) {
            assert_str(((struct str){a.text, a.len}), CASES[i].want);
        }
    }
}

static void list_of(struct block_list *l, const char *text, uint32_t category)
{
    struct block_reader *r = mem_zalloc(sizeof *r);
    r->list = l;
    r->category = category;
    for (const char *at = text; *at; at++) { /* a byte at a time: pieces of any size */
        assert_true(block_reader_take(r, (struct str){at, 1}));
    }
    assert_true(block_reader_end(r));
    mem_free(r);
}

static size_t found(const struct block_list *l, const char *url, struct block_find *out)
{
    struct block_address a;
    return block_address_read(str_of(url), &a) ? block_list_find(l, &a, out, 8) : 0;
}

static void domains_hold_what_lies_in_them_and_addresses_what_goes_on_from_them(void **state)
{
    (void)state;
    struct block_entry room[16];
    struct block_list l = {.entries = room, .room = 16};
    struct block_find f[8];
    list_of(&l, "bad.com\r\nexample.org/dir\nx.bad.com\n10.0.0.1\nq.org/a?b=1\n", 0);
    list_of(&l, "bad.com\nbad.com", 1);
    block_list_sort(&l);
    assert_int_equal(l.count, 6);
    assert_int_equal(found(&l, "http://bad.com", f), 2); /* of two categories */
    assert_int_equal(f[0].category, 0);
    assert_int_equal(f[1].category, 1);
    assert_int_equal(found(&l, "http://deep.x.bad.com/page", f), 3);
    assert_int_equal(found(&l, "http://notbad.com", f), 0);
    assert_int_equal(found(&l, "http://com", f), 0);
    assert_int_equal(found(&l, "http://example.org", f), 0);
    assert_int_equal(found(&l, "http://example.org/dir", f), 1);
    assert_int_equal(found(&l, "http://www.example.org/Dir/page.html", f), 1);
    assert_int_equal(found(&l, "http://example.org/directory", f), 0);
    assert_int_equal(found(&l, "http://10.0.0.1/x", f), 1);
    assert_int_equal(found(&l, "http://2.10.0.0.1/x", f), 0);
    assert_int_equal(found(&l, "http://q.org/a?b=1&c=2", f), 1);
    assert_int_equal(found(&l, "http://q.org/a?b=12", f), 0);
}

static void a_list_finds_what_a_plain_search_finds(void **state)
{
    (void)state;
    enum { ENTRIES = 3000, LABELS = 40 };
    static char names[ENTRIES][32];
    static struct block_entry room[ENTRIES];
    struct block_list l = {.entries = room, .room = ENTRIES};
    struct block_find f[8];
    struct rng r;
    rng_init(&r, 3, "blocklist");
    for (size_t i = 0; i < ENTRIES; i++) {
        snprintf(names[i], sizeof names[i], "l%d.m%d.n%d", (int)rng_below(&r, LABELS),
                 (int)rng_below(&r, LABELS), (int)rng_below(&r, LABELS));
        list_of(&l, names[i], 0);
    }
    block_list_sort(&l);
    size_t hits = 0;
    for (size_t round = 0; round < 3000; round++) {
        char url[96], host[64];
        snprintf(host, sizeof host, "k.l%d.m%d.n%d", (int)rng_below(&r, LABELS),
                 (int)rng_below(&r, LABELS), (int)rng_below(&r, LABELS));
        snprintf(url, sizeof url, "https://%s/page", host);
        size_t want = 0;
        for (size_t i = 0; i < ENTRIES && want == 0; i++) {
            want = strcmp(host + 2, names[i]) == 0;
        }
        assert_int_equal(found(&l, url, f), want);
        hits += want;
    }
    assert_true(hits > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_one_form),
        cmocka_unit_test(lines_of_all_kinds_of_lists_are_read),
        cmocka_unit_test(domains_hold_what_lies_in_them_and_addresses_what_goes_on_from_them),
        cmocka_unit_test(a_list_finds_what_a_plain_search_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
