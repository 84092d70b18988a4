/* test_mask.c -- the scanners of personal data against PCRE2 with the expressions that their
 * files state, on made and on odd texts; cards and IP addresses by known ones. */
#include "base/rng.h"
#include "base/utf8.h"
#include "check.h"
#include "mask/mask_find.h"
#include "token/tokenizer_internal.h"

#define BYTE_NUMBER "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
#define ATEXT       "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
#define LABEL       "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"

static const char *const EXPRESSIONS[MASK_KINDS] = {
    [MASK_EMAIL] = "\\b" ATEXT "+(?:\\." ATEXT "+)*@(?:(?:" LABEL "\\.)+" LABEL
                   "|\\[(?:" BYTE_NUMBER "\\.){3}(?:" BYTE_NUMBER "|[A-Za-z0-9-]*[A-Za-z0-9]:)\\])",
    [MASK_PHONE] =
        "(?<![0-9A-Za-z_.+#/=-])(?:\\+[1-9][0-9]*+(?:[-. ]?\\([0-9]{1,5}\\))?+(?:[-. ]?[0-9]+)*+"
        "(?![A-Za-z_])|(?:1[-. ]?)?(?:\\([2-9][0-9]{2}\\)[-. ]?|[2-9][0-9]{2}[-. ])[2-9][0-9]{2}"
        "[-. ][0-9]{4}(?![0-9A-Za-z_]|[-.][0-9]))",
    [MASK_CARD] = "(?<![0-9A-Za-z_.+-])(?:[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\\1[0-9]{4}\\1[0-9]{4}"
                  "|[0-9]{4}([ -])[0-9]{6}\\2[0-9]{4,5})(?![0-9A-Za-z_]|[-.][0-9])",
    [MASK_IP] =
        "(?<![0-9A-Za-z._-])(?:" BYTE_NUMBER "\\.){3}" BYTE_NUMBER "(?![0-9A-Za-z_-]|\\.[0-9])",
    [MASK_URL] = "(?i)(?<![0-9A-Za-z_])(?:https?://|ftp://|www\\.)(?=[0-9A-Za-z\\[]|[^\\x00-\\x7F])"
                 "[^\\x00-\\x20\\x7F-\\xA0<>\"`{}|\\\\^\\xAB\\xBB\\x{1680}\\x{2000}-\\x{200B}"
                 "\\x{2018}-\\x{201F}\\x{2028}-\\x{202F}\\x{205F}\\x{3000}-\\x{3002}\\x{FF0C}"
                 "\\x{FEFF}]+",
};

/* What an expression cannot say: the plain way. */
static bool twin_card(struct str s)
{
    int digits[32], n = 0, sum = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9') {
            digits[n++] = s.ptr[i] - '0';
        }
    }
    for (int i = n - 1, k = 0; i >= 0; i--, k++) {
        int d = k % 2 ? digits[i] * 2 : digits[i];
        sum += d / 10 + d % 10;
    }
    char text[32] = {0};
    for (int i = 0; i < n; i++) {
        text[i] = (char)('0' + digits[i]);
    }
    return sum % 10 == 0 && mask_card_is_valid(text, (size_t)n);
}

static bool twin_phone(struct str s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
    }
    return s.ptr[0] != '+' || (digits >= 8 && digits <= 15);
}

/* Stops at the end of an address, by looking at all of it anew for each. */
static size_t twin_url_end(struct str text, size_t start, size_t end)
{
    size_t from = start + (text.ptr[start] == 'w' || text.ptr[start] == 'W'
                               ? 4
                               : str_find(str_sub(text, start, end), STR_LIT("://")) + 3);
    while (end > from) {
        char last = text.ptr[end - 1];
        size_t open = 0, close = 0;
        for (size_t i = from; i < end; i++) {
            open += text.ptr[i] == (last == ')' ? '(' : '[');
            close += text.ptr[i] == last;
        }
        bool bracket = (last == ')' || last == ']') && close > open;
        if (!bracket && !strchr(".,;:!?'*_~", last)) {
            break;
        }
        end--;
    }
    return end > from ? end : start;
}

static bool twin_next(enum mask_kind kind, const struct regex *r, struct regex_scratch *scratch,
                      struct str text, size_t *at, struct mask_span *out)
{
    size_t start, end;
    for (size_t from = *at; from < text.len && regex_find(r, scratch, text, from, &start, &end);) {
        struct str found = str_sub(text, start, end);
        bool good = kind == MASK_CARD    ? twin_card(found)
                    : kind == MASK_PHONE ? twin_phone(found)
                    : kind == MASK_IP    ? mask_ip_is_public(found)
                                         : true;
        if (kind == MASK_URL) {
            end = twin_url_end(text, start, end);
            good = end > start;
        }
        if (good) {
            *out = (struct mask_span){start, end, kind};
            *at = end;
            return true;
        }
        from = kind == MASK_IP ? start + found.len : start + 1;
    }
    return false;
}

static bool next_of(enum mask_kind kind, struct str text, size_t *at, struct mask_span *out)
{
    switch (kind) {
    case MASK_EMAIL:
        return mask_next_email(text, at, out);
    case MASK_PHONE:
        return mask_next_phone(text, at, out);
    case MASK_CARD:
        return mask_next_card(text, at, out);
    case MASK_IP:
        return mask_next_ip(text, true, at, out);
    default:
        return mask_next_url(text, at, out);
    }
}

static void make_text(struct rng *r, size_t pieces, struct buf *out)
{
    static const char *const PIECES[] = {" ",
                                         " ",
                                         "\n",
                                         ".",
                                         ".",
                                         "-",
                                         "-",
                                         "@",
                                         "@",
                                         "a",
                                         "b.c",
                                         "x-y",
                                         "+",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "1",
                                         "22",
                                         "333",
                                         "555",
                                         "212",
                                         "4444",
                                         "255",
                                         "256",
                                         "0",
                                         "01",
                                         "8.8.8.8",
                                         "192.168.1.1",
                                         "1.2.3.",
                                         "user@host.org",
                                         "a.b@c-d.e",
                                         "[1.2.3.4]",
                                         "[1.2.3.a:]",
                                         "+44 20 7946 0958",
                                         "+1 (212) 555-0123",
                                         "(212) 555-0199",
                                         "212-555-0123",
                                         "1 212.555.0123",
                                         "4111111111111111",
                                         "4111 1111 1111 1111",
                                         "3782-822463-10005",
                                         "5500 0000 0000 0004",
                                         "6011000990139424",
                                         "http://",
                                         "https://a.b/c",
                                         "www.",
                                         "WWW.x.y",
                                         "ftp://q",
                                         "HTTP://Z",
                                         "/",
                                         "?",
                                         "_",
                                         "#",
                                         "=",
                                         ",",
                                         "'",
                                         "\"",
                                         "<",
                                         "\xC3\xA9",
                                         "\xE2\x80\x9D",
                                         "\xE3\x80\x82",
                                         "\xE6\xBC\xA2",
                                         "\xC2\xA0",
                                         "\xE2\x80\x8B",
                                         "\xD9\xA3",
                                         "ox",
                                         "!",
                                         "~",
                                         "{",
                                         "|",
                                         "\\",
                                         "*"};
    buf_clear(out);
    for (size_t i = 0; i < pieces; i++) {
        buf_add_text(out, PIECES[rng_below(r, sizeof PIECES / sizeof *PIECES)]);
    }
}

static void scanners_find_what_their_expressions_say(void **state)
{
    (void)state;
    struct regex_scratch *scratch = regex_scratch_new();
    struct winnow_error err;
    struct buf text = {0};
    for (int kind = 0; kind < MASK_KINDS; kind++) {
        struct regex *judge = NULL;
        struct rng r;
        size_t found = 0;
        rng_init(&r, 7, mask_kind_name((enum mask_kind)kind));
        assert_ok(regex_new(str_of(EXPRESSIONS[kind]), &judge, &err), err);
        for (size_t round = 0; round < 30000; round++) {
            make_text(&r, 1 + round % 20, &text);
            struct mask_span got, want;
            size_t at = 0, twin_at = 0;
            for (;;) {
                bool a = next_of((enum mask_kind)kind, buf_str(&text), &at, &got);
                bool b = twin_next((enum mask_kind)kind, judge, scratch, buf_str(&text), &twin_at,
                                   &want);
                if (a != b || (a && (got.start != want.start || got.end != want.end))) {
                    fail_msg("%s in '%.*s': scanner %d %zu..%zu, expression %d %zu..%zu",
                             mask_kind_name((enum mask_kind)kind), STR_ARG(buf_str(&text)), a,
                             a ? got.start : 0, a ? got.end : 0, b, b ? want.start : 0,
                             b ? want.end : 0);
                }
                if (!a) {
                    break;
                }
                found++;
            }
        }
        assert_true(found > 3000); /* else the judge saw nothing */
        regex_free(judge);
    }
    regex_scratch_free(scratch);
    buf_release(&text);
}

static void cards_are_known_by_check_digit_and_issuer(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"4111111111111111", "378282246310005",  "5500000000000004",
                                       "2221000000000009", "6011000990139424", "30569309025904",
                                       "3530111333300000", "4222222222222"};
    static const char *const BAD[] = {"4111111111111112", "1111111111111117", "0000000000000000",
                                      "9999999999999995", "37828224631000"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        assert_true(mask_card_is_valid(GOOD[i], strlen(GOOD[i])));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_false(mask_card_is_valid(BAD[i], strlen(BAD[i])));
    }
}

static void only_addresses_that_anybody_has_are_public(void **state)
{
    (void)state;
    static const char *const PUBLIC[] = {"8.8.8.8",    "1.1.1.1",   "100.63.255.255",
                                         "172.32.0.1", "192.0.0.9", "239.255.255.255",
                                         "193.0.0.1"};
    static const char *const OTHER[] = {
        "10.1.2.3",        "127.0.0.1",  "192.168.0.1",  "172.16.0.1",  "169.254.1.1", "0.0.0.0",
        "255.255.255.255", "100.64.0.1", "198.51.100.7", "203.0.113.9", "192.0.2.1",   "198.19.0.1",
        "192.0.0.8",       "8.8.8",      "8.8.8.08",     "8.8.8.256"};
    for (size_t i = 0; i < sizeof PUBLIC / sizeof *PUBLIC; i++) {
        assert_true(mask_ip_is_public(str_of(PUBLIC[i])));
    }
    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++) {
        assert_false(mask_ip_is_public(str_of(OTHER[i])));
    }
    assert_true(mask_ip_is_valid(STR_LIT("10.1.2.3")));
}

static void spans_of_all_kinds_do_not_overlap(void **state)
{
    (void)state;
    struct mask_spans spans = {0};
    struct str text = STR_LIT("see http://user@host.org/8.8.8.8, or me@x.org (+1 212 555 0123)");
    mask_find(text, (1U << MASK_KINDS) - 1, true, &spans);
    assert_int_equal(spans.count, 3);
    assert_int_equal(spans.items[0].kind, MASK_URL);
    assert_int_equal(spans.items[1].kind, MASK_EMAIL);
    assert_int_equal(spans.items[2].kind, MASK_PHONE);
    mask_find(text, 1U << MASK_EMAIL, true, &spans);
    assert_int_equal(spans.count, 2);
    mask_spans_release(&spans);
}

/* A text of nothing but what a scanner may stumble over takes time in proportion to it. */
static void long_runs_end(void **state)
{
    (void)state;
    static const char *const RUNS[] = {"1",  "1.",      "@", "a@", "a.",
                                       "+1", "http://", ")", "(2", "1-"};
    struct mask_spans spans = {0};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
        buf_clear(&text);
        buf_add_text(&text, "http://x");
        for (size_t n = 0; n < 200000; n++) {
            buf_add_text(&text, RUNS[i]);
        }
        mask_find(buf_str(&text), (1U << MASK_KINDS) - 1, true, &spans);
    }
    mask_spans_release(&spans);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scanners_find_what_their_expressions_say),
        cmocka_unit_test(cards_are_known_by_check_digit_and_issuer),
        cmocka_unit_test(only_addresses_that_anybody_has_are_public),
        cmocka_unit_test(spans_of_all_kinds_do_not_overlap),
        cmocka_unit_test(long_runs_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
