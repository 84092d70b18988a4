/* prox.c -- ProX's own executor, reproduced.
 *
 * The program is sliced, not parsed: a call is a line that starts with
 * `remove_lines` or `normalize`; its arguments are what stands between the first
 * "(" and the first ")", cut at commas; a value is what stands between the
 * first and the second "=" of its argument.  Replacements run at once on the
 * whole document, removals by line index at the end.  An error is a line that
 * cannot be sliced or a (merged) range that leaves the document; two of them
 * void the whole program. */
#include "program/prox.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"

#include <utf8proc.h>

#define ERRORS_MAX  1U /* one more and the original text is kept */
#define WORDS_LEAST 10U
#define GROWTH_MAX  4U
#define WORK_MAX    ((uint64_t)1 << 32) /* bytes looked at by one program */
#define NUMBER_MAX  ((int64_t)1 << 53)

struct interval {
    int64_t start, end;
};

struct prox {
    struct buf text; /* as it stands, replacements done */
    struct buf next;
    struct interval *intervals;
    size_t count, cap;
    bool remove_all;
    size_t size_max;
    uint64_t work;
    struct prox_result *result;
};

static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Words between Unicode white space, as Python's str.split() counts. */
static uint64_t count_words(struct str s)
{
    uint64_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = 0;
        size_t n = utf8_decode(s, at, &c);
        bool space = n > 0 && is_space(c);
        words += !space && !inside;
        inside = !space;
        at += n > 0 ? n : 1;
    }
    return words;
}

/* 0..9 for a decimal digit of any script, -1 otherwise.  Digits of a script
 * stand in a run of ten (or several such runs), zero first. */
static int digit_value(uint32_t code)
{
    if (code < 0x80) {
        return code >= '0' && code <= '9' ? (int)(code - '0') : -1;
    }
    if (utf8proc_category((utf8proc_int32_t)code) != UTF8PROC_CATEGORY_ND) {
        return -1;
    }
    uint32_t zero = code;
    while (utf8proc_category((utf8proc_int32_t)(zero - 1)) == UTF8PROC_CATEGORY_ND) {
        zero--;
    }
    return (int)((code - zero) % 10);
}

static struct str strip_spaces(struct str s)
{
    for (uint32_t c = 0; s.len > 0;) {
        size_t n = utf8_decode(s, 0, &c);
        if (n == 0 || !is_space(c)) {
            break;
        }
        s = str_sub(s, n, s.len);
    }
    while (s.len > 0) {
        size_t at = utf8_start(s, s.len - 1);
        uint32_t c = 0;
        if (utf8_decode(s, at, &c) == 0 || !is_space(c)) {
            break;
        }
        s.len = at;
    }
    return s;
}

/* Python's int(text): white space around, a sign, digits of any script, single
 * underscores between digits.  Values are cut at +-2^53. */
static bool python_int(struct str s, int64_t *out)
{
    s = strip_spaces(s);
    bool negative = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
        s = str_sub(s, 1, s.len);
    }
    int64_t v = 0;
    bool digit_before = false;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = 0;
        size_t n = utf8_decode(s, at, &c);
        int d = n > 0 ? digit_value(c) : -1;
        if (d < 0 && !(c == '_' && digit_before)) {
            return false;
        }
        digit_before = d >= 0;
        if (d >= 0) {
            v = v * 10 + d;
            v = v > NUMBER_MAX ? NUMBER_MAX : v;
        }
        at += n;
    }
    *out = negative ? -v : v;
    return digit_before;
}

/* The text of line between its first "(" and its first ")"; without the latter
 * up to the last character exclusive, which loses one. */
static bool slice_arguments(struct prox *p, struct str line, struct str *args)
{
    size_t open = str_find(line, STR_LIT("("));
    if (open == SIZE_MAX) {
        p->result->errors++;
        return false;
    }
    size_t end = str_find(line, STR_LIT(")"));
    if (end == SIZE_MAX) {
        p->result->errors++;
        end = line.len > 0 ? utf8_start(line, line.len - 1) : 0;
    }
    *args = end > open ? str_sub(line, open + 1, end > open + 1 ? end : open + 1) : STR_LIT("");
    return true;
}

/* The next field of a comma-separated list; false at its end. */
static bool next_field(struct str *rest, bool *done, struct str *field)
{
    if (*done) {
        return false;
    }
    size_t comma = str_find(*rest, STR_LIT(","));
    *done = comma == SIZE_MAX;
    *field = str_sub(*rest, 0, *done ? rest->len : comma);
    *rest = str_sub(*rest, *done ? rest->len : comma + 1, rest->len);
    return true;
}

static size_t split_fields(struct str args, struct str fields[3])
{
    size_t n = 0;
    bool done = false;
    for (struct str field; n < 3 && next_field(&args, &done, &field);) {
        fields[n++] = field;
    }
    return n;
}

/* What stands between the first and the second "=". */
static bool slice_value(struct str field, struct str *value)
{
    size_t first = str_find(field, STR_LIT("="));
    if (first == SIZE_MAX) {
        return false;
    }
    struct str rest = str_sub(field, first + 1, field.len);
    size_t second = str_find(rest, STR_LIT("="));
    *value = str_sub(rest, 0, second == SIZE_MAX ? rest.len : second);
    return true;
}

static struct str strip_char(struct str s, char c)
{
    while (s.len > 0 && s.ptr[0] == c) {
        s = str_sub(s, 1, s.len);
    }
    while (s.len > 0 && s.ptr[s.len - 1] == c) {
        s.len--;
    }
    return s;
}

static void add_interval(struct prox *p, int64_t start, int64_t end)
{
    GROW(p->intervals, p->count, p->cap, 16);
    p->intervals[p->count++] = (struct interval){start, end};
}

static void run_remove(struct prox *p, struct str line)
{
    struct str args, fields[3], from, to;
    if (!slice_arguments(p, line, &args)) {
        return;
    }
    int64_t start = 0, end = 0;
    if (split_fields(args, fields) < 2 || !slice_value(fields[0], &from) ||
        !python_int(from, &start) || !slice_value(fields[1], &to) || !python_int(to, &end)) {
        p->result->errors++;
        return;
    }
    p->result->no_ops += start > end;
    add_interval(p, start, end);
}

static winnow_status replace_all(struct prox *p, struct str source, struct str target,
                                 struct winnow_error *err)
{
    p->work += p->text.len + 1;
    if (p->work > WORK_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "the program costs too much to run");
    }
    struct str rest = buf_str(&p->text);
    uint32_t edits = 0;
    buf_clear(&p->next);
    for (size_t at; (at = str_find(rest, source)) != SIZE_MAX; edits++) {
        buf_add(&p->next, rest.ptr, at);
        buf_add_str(&p->next, target);
        rest = str_sub(rest, at + source.len, rest.len);
        if (p->next.len + rest.len > p->size_max) {
            return error_set(err, WINNOW_E_LIMIT, "the program makes the text grow past %zu bytes",
                             p->size_max);
        }
    }
    if (edits == 0) {
        p->result->no_ops++;
        return WINNOW_OK;
    }
    buf_add_str(&p->next, rest);
    struct buf swap = p->text;
    p->text = p->next;
    p->next = swap;
    p->result->edits += edits;
    return WINNOW_OK;
}

static winnow_status run_normalize(struct prox *p, struct str line, struct winnow_error *err)
{
    struct str args, fields[3], source, target = STR_LIT("");
    if (!slice_arguments(p, line, &args)) {
        return WINNOW_OK;
    }
    size_t n = split_fields(args, fields);
    if (n == 3) { /* a comma somewhere in a string */
        p->result->no_ops++;
        return WINNOW_OK;
    }
    if (!slice_value(fields[0], &source) || (n == 2 && !slice_value(fields[1], &target))) {
        p->result->errors++;
        return WINNOW_OK;
    }
    source = strip_char(source, '"');
    target = strip_char(target, '"');
    if (source.len == 0 || (n == 2 && str_is(source, " "))) {
        p->result->no_ops++;
        return WINNOW_OK;
    }
    return replace_all(p, source, target, err);
}

static winnow_status run_line(struct prox *p, struct str line, struct winnow_error *err)
{
    if (str_starts(line, STR_LIT("remove_lines"))) {
        if (str_find(line, STR_LIT("all=True")) != SIZE_MAX) {
            p->remove_all = true;
        } else {
            run_remove(p, line);
        }
        return WINNOW_OK;
    }
    if (str_starts(line, STR_LIT("normalize"))) {
        return run_normalize(p, line, err);
    }
    p->result->ignored += line.len > 0;
    return WINNOW_OK;
}

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

/* One error a merged range that leaves the document. */
static void count_range_errors(struct prox *p, int64_t lines)
{
    if (p->count > 0) {
        sort(p->intervals, p->count, sizeof *p->intervals, by_start);
    }
    for (size_t i = 0; i < p->count;) {
        struct interval merged = p->intervals[i++];
        while (i < p->count && p->intervals[i].start <= merged.end + 1) {
            merged.end = p->intervals[i].end > merged.end ? p->intervals[i].end : merged.end;
            i++;
        }
        p->result->errors += merged.start >= lines || merged.end >= lines;
    }
}

/* Whether line i is in one of the sorted intervals; *at moves along with i. */
static bool in_intervals(const struct prox *p, int64_t i, int64_t *reach, size_t *at)
{
    while (*at < p->count && p->intervals[*at].start <= i) {
        *reach = p->intervals[*at].end > *reach ? p->intervals[*at].end : *reach;
        (*at)++;
    }
    return i <= *reach;
}

static void remove_by_index(struct prox *p, int64_t lines)
{
    struct str rest = buf_str(&p->text);
    int64_t reach = -1;
    size_t at = 0;
    bool first = true;
    buf_clear(&p->next);
    for (int64_t i = 0; i < lines; i++) {
        size_t end = str_find(rest, STR_LIT("\n"));
        end = end == SIZE_MAX ? rest.len : end;
        if (in_intervals(p, i, &reach, &at) || p->remove_all) {
            p->result->removed++;
        } else {
            if (!first) {
                buf_add_char(&p->next, '\n');
            }
            buf_add(&p->next, rest.ptr, end);
            first = false;
        }
        rest = str_sub(rest, end < rest.len ? end + 1 : end, rest.len);
    }
}

static void decide(struct prox *p, struct str text, struct buf *out)
{
    struct prox_result *r = p->result;
    r->words_after = count_words(buf_str(&p->next));
    double ratio = (double)r->words_after / (double)r->words_before;
    bool sound = r->errors <= ERRORS_MAX;
    if ((ratio <= 1 - 0.95 && sound) || r->words_after <= WORDS_LEAST) {
        r->verdict = PROX_DROPPED;
    } else if (sound) {
        r->verdict = PROX_PROCESSED;
        buf_add_str(out, buf_str(&p->next));
    } else {
        r->verdict = PROX_REVERTED;
        buf_add_str(out, text);
    }
}

winnow_status prox_execute(struct str text, struct str program, struct buf *out,
                           struct prox_result *result, struct winnow_error *err)
{
    *result = (struct prox_result){.words_before = count_words(text)};
    if (result->words_before == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the document has no words");
    }
    struct prox p = {.result = result, .size_max = GROWTH_MAX * text.len + 4096};
    buf_add_str(&p.text, text);
    int64_t lines = (int64_t)str_count_lines(text);
    winnow_status st = WINNOW_OK;
    program = strip_char(program, ' ');
    for (struct str line; st == WINNOW_OK && str_next_line(&program, &line);) {
        st = run_line(&p, line, err);
    }
    if (st == WINNOW_OK) {
        count_range_errors(&p, lines);
        remove_by_index(&p, lines);
        decide(&p, text, out);
    }
    buf_release(&p.text);
    buf_release(&p.next);
    mem_free(p.intervals);
    return st;
}

bool prox_drops(struct str output)
{
    return str_find(strip_char(output, ' '), STR_LIT("drop")) != SIZE_MAX;
}
