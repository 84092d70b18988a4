/* mask_phone.c -- telephone numbers, in the two ways in which they are written to be dialled.
 *
 * North American, with their separators, and international, with their plus:
 *
 *     (?<![0-9A-Za-z_.+#/=-]) (?: I | A )
 *     A = (?:1[-. ]?)? (?: \([2-9][0-9]{2}\)[-. ]? | [2-9][0-9]{2}[-. ] ) [2-9][0-9]{2}[-.
 * ][0-9]{4} (?![0-9A-Za-z_]|[-.][0-9]) I = \+ [1-9][0-9]*+ (?: [-. ]? \([0-9]{1,5}\) )?+ (?: [-. ]?
 * [0-9]+ )*+ (?![A-Za-z_])      of 8 to 15 digits (E.164)
 *
 * dolma's expression is A without a care for what stands around it, for separators or for the
 * first digits: ten digits in a row behind white space are a telephone number to it. */
#include "mask/mask_bytes.h"
#include "mask/mask_find.h"

#define BEFORE     "_.+#/=-"
#define DIGITS_MIN 8U
#define DIGITS_MAX 15U

static bool is_separator(struct str s, size_t at)
{
    return at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '.' || s.ptr[at] == ' ');
}

/* Three digits of which the first is 2 to 9. */
static bool take_three(struct str s, size_t *at)
{
    if (digits_at(s, *at, 3) < 3 || s.ptr[*at] < '2') {
        return false;
    }
    *at += 3;
    return true;
}

static bool take_area(struct str s, size_t *at)
{
    bool bracket = *at < s.len && s.ptr[*at] == '(';
    size_t i = *at + bracket;
    if (!take_three(s, &i) || (bracket && (i >= s.len || s.ptr[i++] != ')'))) {
        return false;
    }
    if (!bracket && !is_separator(s, i)) {
        return false;
    }
    *at = i + is_separator(s, i);
    return true;
}

/* The end of A without its 1, or at. */
static size_t local_end(struct str s, size_t at)
{
    size_t i = at;
    if (!take_area(s, &i) || !take_three(s, &i) || !is_separator(s, i)) {
        return at;
    }
    i++;
    return digits_at(s, i, 4) < 4 || number_goes_on(s, i + 4, "-.") ? at : i + 4;
}

static size_t american_end(struct str s, size_t at)
{
    if (s.ptr[at] == '1') {
        size_t from = at + 1 + is_separator(s, at + 1), end = local_end(s, from);
        return end > from ? end : at;
    }
    return local_end(s, at);
}

/* The end of I from its plus on, or at. */
static size_t international_end(struct str s, size_t at)
{
    size_t i = at + 1, digits = digits_at(s, i, SIZE_MAX);
    if (digits == 0 || s.ptr[i] == '0') {
        return at;
    }
    i += digits;
    size_t bracket = i + is_separator(s, i);
    if (bracket < s.len && s.ptr[bracket] == '(') {
        size_t n = digits_at(s, bracket + 1, 6);
        if (n > 0 && n < 6 && bracket + 1 + n < s.len && s.ptr[bracket + 1 + n] == ')') {
            digits += n;
            i = bracket + n + 2;
        }
    }
    for (size_t n; (n = digits_at(s, i + is_separator(s, i), SIZE_MAX)) > 0; digits += n) {
        i += is_separator(s, i) + n;
    }
    bool goes_on = i < s.len && (byte_is_letter(s.ptr[i]) || s.ptr[i] == '_');
    return goes_on || digits < DIGITS_MIN || digits > DIGITS_MAX ? at : i;
}

bool mask_next_phone(struct str text, size_t *at, struct mask_span *out)
{
    for (size_t i = *at; i < text.len; i++) {
        char c = text.ptr[i];
        if ((!byte_is_digit(c) && c != '+' && c != '(') || stands_behind(text, i, BEFORE)) {
            continue;
        }
        size_t end = c == '+' ? international_end(text, i) : american_end(text, i);
        if (end > i) {
            *out = (struct mask_span){i, end, MASK_PHONE};
            *at = end;
            return true;
        }
    }
    *at = text.len;
    return false;
}
