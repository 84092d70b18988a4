/* mask.h -- personal data and web addresses in texts, found and replaced.
 *
 * Options of the stage `mask`; winnow_stage() and recipes run it.  docs/masking.md states what
 * each kind is, and how that compares with datatrove's and dolma's definitions.
 */
#ifndef WINNOW_MASK_H
#define WINNOW_MASK_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_mask_options {
    struct winnow_list kinds; /* email, phone, card, ip, url; none: the first four */
    bool edit;                /* put the placeholders in; without it texts stay */
    bool annotate;            /* write the spans to attributes/mask/ */
    bool public_only;         /* of IP addresses those that anybody on the internet has */
    const char *email, *phone, *card, *ip, *url; /* placeholders; url may be empty: cut out */
    uint64_t spans_max; /* documents with more spans of personal data are removed; 0: none is */
};
/* The placeholders are dolma's. */
#define WINNOW_MASK_OPTIONS_INIT                                     \
    (WINNOW_NEW(winnow_mask_options){.edit = true,                   \
                                     .annotate = true,               \
                                     .public_only = true,            \
                                     .email = "|||EMAIL_ADDRESS|||", \
                                     .phone = "|||PHONE_NUMBER|||",  \
                                     .card = "|||CARD_NUMBER|||",    \
                                     .ip = "|||IP_ADDRESS|||",       \
                                     .url = ""})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_MASK_H */
