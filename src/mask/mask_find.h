/* mask_find.h -- where e-mail addresses, telephone and card numbers, IP and web addresses stand.
 *
 * Each kind is a regular expression that its file states, found by a scanner written by hand;
 * tests/unit/test_mask.c has PCRE2 find the same. */
#ifndef WINNOW_MASK_MASK_FIND_H
#define WINNOW_MASK_MASK_FIND_H

#include "base/str.h"

enum mask_kind { /* where two overlap and begin together, the first of them counts */
                 MASK_URL,
                 MASK_EMAIL,
                 MASK_PHONE,
                 MASK_CARD,
                 MASK_IP,
                 MASK_KINDS
};

struct mask_span {
    size_t start, end; /* bytes */
    enum mask_kind kind;
};

/* All-zero is empty; goes from text to text. */
struct mask_spans {
    struct mask_span *items;
    size_t count, cap;
};

/* "email", "phone", "card", "ip", "url". */
const char *mask_kind_name(enum mask_kind kind);

/* The spans of the kinds asked for (bits 1 << kind), in order; none overlaps another: the one
 * that begins first stands, of two that begin together the longer. */
void mask_find(struct str text, unsigned kinds, bool public_only, struct mask_spans *out);
void mask_spans_release(struct mask_spans *spans);

/* The next of one kind that ends behind *at, which becomes its end; false where there is none. */
bool mask_next_email(struct str text, size_t *at, struct mask_span *out);
bool mask_next_phone(struct str text, size_t *at, struct mask_span *out);
bool mask_next_card(struct str text, size_t *at, struct mask_span *out);
bool mask_next_ip(struct str text, bool public_only, size_t *at, struct mask_span *out);
bool mask_next_url(struct str text, size_t *at, struct mask_span *out);

/* Whether the digits (13 to 19 of them) are a card's: its issuer's first digits, its length and
 * its check digit (Luhn, ISO/IEC 7812-1). */
bool mask_card_is_valid(const char *digits, size_t count);

/* Whether the address, four numbers with dots, is one that anybody on the internet has: none of
 * IANA's special-purpose registry, and without leading zeros. */
bool mask_ip_is_public(struct str dotted);
bool mask_ip_is_valid(struct str dotted);

#endif /* WINNOW_MASK_MASK_FIND_H */
