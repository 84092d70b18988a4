/* mask_ip.c -- IPv4 addresses.
 *
 *     (?<![0-9A-Za-z._-]) (?:N\.){3} N (?![0-9A-Za-z_-]|\.[0-9])
 *     N = 25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?
 *
 * datatrove's and dolma's expression is the same without what may not stand around it, and so
 * takes pieces of longer numbers ("1.2.3.4.5", "31.2.3.400").  As datatrove, we leave
 * alone what belongs to nobody in particular (private, local, reserved), unless asked. */
#include "mask/mask_bytes.h"
#include "mask/mask_find.h"

/* The four numbers; false where one has leading zeros or is past 255. */
static bool read_numbers(struct str s, unsigned out[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t n = digits_at(s, at, 4);
        unsigned value = 0;
        for (size_t k = 0; k < n; k++) {
            value = value * 10 + (unsigned)(s.ptr[at + k] - '0');
        }
        if (n == 0 || n > 3 || value > 255 || (n > 1 && s.ptr[at] == '0')) {
            return false;
        }
        out[i] = value;
        at += n + (i < 3);
        if (at > s.len || (i < 3 && s.ptr[at - 1] != '.')) {
            return false;
        }
    }
    return at == s.len;
}

bool mask_ip_is_valid(struct str dotted)
{
    unsigned n[4];
    return read_numbers(dotted, n);
}

bool mask_ip_is_public(struct str dotted)
{
    /* IANA's IPv4 Special-Purpose Address Registry (RFC 6890 and what came after). */
    static const struct {
        uint32_t address;
        unsigned bits;
    } SPECIAL[] = {
        {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
        {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0A80000, 16}, {0xC6120000, 15},
        {0xC6336400, 24}, {0xCB007100, 24}, {0xF0000000, 4},
    };
    unsigned n[4];
    if (!read_numbers(dotted, n)) {
        return false;
    }
    uint32_t address = n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3];
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++) {
        if ((address ^ SPECIAL[i].address) >> (32 - SPECIAL[i].bits) == 0) {
            return address == 0xC0000009 || address == 0xC000000A; /* anycast, for all */
        }
    }
    return true;
}

/* The end of four numbers from at on, or at. */
static size_t dotted_end(struct str s, size_t at)
{
    size_t i = at;
    for (int k = 0; k < 4; k++) {
        size_t n = digits_at(s, i, 4);
        bool fits = n > 0 && n < 4 && !(n == 3 && memcmp(s.ptr + i, "255", 3) > 0);
        i += n;
        if (!fits || (k < 3 && (i >= s.len || s.ptr[i++] != '.'))) {
            return at;
        }
    }
    return number_goes_on(s, i, ".") || (i < s.len && s.ptr[i] == '-') ? at : i;
}

bool mask_next_ip(struct str text, bool public_only, size_t *at, struct mask_span *out)
{
    for (size_t i = *at; i < text.len; i++) {
        if (!byte_is_digit(text.ptr[i])) {
            continue;
        }
        size_t end = stands_behind(text, i, "._-") ? i : dotted_end(text, i);
        struct str found = str_sub(text, i, end);
        if (end > i && (public_only ? mask_ip_is_public(found) : mask_ip_is_valid(found))) {
            *out = (struct mask_span){i, end, MASK_IP};
            *at = end;
            return true;
        }
        i += digits_at(text, i, SIZE_MAX); /* no address begins within a number */
    }
    *at = text.len;
    return false;
}
