/* mask_options.c -- the table of `mask`. */
#include "winnow/mask.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_mask_options

static const struct option OPTIONS[] = {
    OPT_LIST(0, "kinds", T, kinds, "NAME,...",
             "what to look for: email, phone, card, ip (default: these), url"),
    OPT_FLAG(0, "edit", T, edit, "put placeholders in; without it no text is changed"),
    OPT_FLAG(0, "annotate", T, annotate, "write the spans to attributes/mask/"),
    OPT_FLAG(0, "public-only", T, public_only,
             "leave private, local and reserved IP addresses alone"),
    OPT_TEXT(0, "email", T, email, "TEXT", "placeholder of an e-mail address"),
    OPT_TEXT(0, "phone", T, phone, "TEXT", "placeholder of a telephone number"),
    OPT_TEXT(0, "card", T, card, "TEXT", "placeholder of a card number"),
    OPT_TEXT(0, "ip", T, ip, "TEXT", "placeholder of an IP address"),
    OPT_TEXT(0, "url", T, url, "TEXT", "placeholder of a web address; empty: it is cut out"),
    OPT_COUNT(0, "spans-max", T, spans_max, 0, 1e12,
              "remove documents with more personal data than so many spans; 0: none"),
    OPT_END,
};

const struct option_table MASK_TABLE = {
    .command = "mask",
    .summary = "replace e-mail addresses, telephone and card numbers, IP and web addresses",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow mask corpus/ -o runs/masked\n"
        "  winnow mask --no-edit corpus/ -o runs/seen               # spans only\n"
        "  winnow mask --kinds email,phone,card,ip,url corpus/ -o - # and web addresses cut out\n"
        "  winnow mask --email email@example.com --kinds email corpus/ -o -\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_MASK_OPTIONS_INIT,
    .size = sizeof(T),
};
