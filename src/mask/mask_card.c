/* mask_card.c -- numbers of payment cards.
 *
 *     (?<![0-9A-Za-z_.+-]) (?: [0-9]{13,19} | D4 S D4 S D4 S D4 | D4 S D6 S D4,5 )
 * (?![0-9A-Za-z_]|[-.][0-9])
 *
 * S being a blank or a hyphen, the same one twice or three times, with the first digits and the
 * length of an issuer, and a check digit that is right.  One in ten numbers of such a form
 * has a right check digit by chance; the issuers' ranges take most of these out.  Neither
 * datatrove nor dolma looks for cards. */
#include "mask/mask_bytes.h"
#include "mask/mask_find.h"

#define LEAST 13U
#define MOST  19U

/* First digits from..to (of as many digits as `to` has) with lengths least..most. */
static const struct {
    uint32_t from, to;
    unsigned digits, least, most;
} ISSUERS[] = {
    {4, 4, 1, 13, 19},       {51, 55, 2, 16, 16},     {2221, 2720, 4, 16, 16}, {34, 34, 2, 15, 15},
    {37, 37, 2, 15, 15},     {6011, 6011, 4, 16, 19}, {644, 649, 3, 16, 19},   {65, 65, 2, 16, 19},
    {3528, 3589, 4, 16, 19}, {300, 305, 3, 14, 19},   {36, 36, 2, 14, 19},     {38, 39, 2, 14, 19},
    {62, 62, 2, 16, 19},
};

bool mask_card_is_valid(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned d = (unsigned)(digits[i] - '0') << ((count - i) % 2 == 0);
        sum += d > 9 ? d - 9 : d;
    }
    for (size_t i = 0; sum % 10 == 0 && i < sizeof ISSUERS / sizeof *ISSUERS; i++) {
        uint32_t first = 0;
        for (unsigned k = 0; k < ISSUERS[i].digits; k++) {
            first = first * 10 + (uint32_t)(digits[k] - '0');
        }
        if (first >= ISSUERS[i].from && first <= ISSUERS[i].to && count >= ISSUERS[i].least &&
            count <= ISSUERS[i].most) {
            return true;
        }
    }
    return false;
}

/* Groups of so many digits with s.ptr[at + 4] between them; their end, or at. */
static size_t groups_end(struct str s, size_t at, const unsigned *sizes, size_t count)
{
    char separator = at + 4 < s.len ? s.ptr[at + 4] : '\0';
    size_t i = at;
    if (separator != ' ' && separator != '-') {
        return at;
    }
    for (size_t k = 0; k < count; k++) {
        if (digits_at(s, i, sizes[k]) < sizes[k]) {
            return at;
        }
        i += sizes[k];
        if (k + 1 < count && (i >= s.len || s.ptr[i++] != separator)) {
            return at;
        }
    }
    return number_goes_on(s, i, "-.") ? at : i;
}

static size_t card_end(struct str s, size_t at)
{
    static const unsigned FOURS[] = {4, 4, 4, 4}, LONG[] = {4, 6, 5}, SHORT[] = {4, 6, 4};
    size_t n = digits_at(s, at, MOST + 1);
    if (n >= LEAST && n <= MOST && !number_goes_on(s, at + n, "-.")) {
        return at + n;
    }
    size_t end = n == 4 ? groups_end(s, at, FOURS, 4) : at;
    end = n == 4 && end == at ? groups_end(s, at, LONG, 3) : end;
    return n == 4 && end == at ? groups_end(s, at, SHORT, 3) : end;
}

bool mask_next_card(struct str text, size_t *at, struct mask_span *out)
{
    for (size_t i = *at; i < text.len; i++) {
        if (!byte_is_digit(text.ptr[i])) {
            continue;
        }
        size_t end = stands_behind(text, i, "_.+-") ? i : card_end(text, i), count = 0;
        char digits[MOST] = {0};
        for (size_t k = i; k < end; k++) {
            if (byte_is_digit(text.ptr[k])) {
                digits[count++] = text.ptr[k];
            }
        }
        if (count > 0 && mask_card_is_valid(digits, count)) {
            *out = (struct mask_span){i, end, MASK_CARD};
            *at = end;
            return true;
        }
        i += digits_at(text, i, SIZE_MAX); /* no number begins within another */
    }
    *at = text.len;
    return false;
}
