/* pair.h -- a page beside what is known of it: one JSON object.
 *
 *     {"id": "p1", "text": "Home\nA cat sat.", "clean": "A cat sat."}
 *
 * The page is "lines" (an array, one string a line), or "raw", or "text".  Known
 * of it may be, in any combination:
 *
 *     "clean" or "gold"  the text that is to be left; empty: nothing
 *     "label"            a whole number for each line: 1 keep, 0 remove, others
 *                        undecided
 *     "drop"             true: nothing of it is to be left
 *     "program"          what a refiner said, or is to say, of the whole page;
 *                        or "chunks": [{"first", "last", "program"}]
 *
 * docs/formats/refiner.md is the manual.
 */
#ifndef WINNOW_TEACH_PAIR_H
#define WINNOW_TEACH_PAIR_H

#include "base/arena.h"
#include "base/json.h"
#include "program/program_file.h"

struct pair {
    struct str id;    /* empty where it has none */
    struct str group; /* the value of the key asked for; empty where it has none */
    struct str raw;
    size_t lines;         /* of raw, as str_count_lines() counts them */
    struct str clean;     /* ptr NULL: not given */
    const int8_t *labels; /* lines of them; NULL: not given */
    bool drop;
    const struct program_text *programs; /* in the order given */
    size_t program_count;
};

/* Reads one object; everything is copied into keep.  group names the key of the
 * group, or is NULL.  WINNOW_E_FORMAT with what is missing or does not fit. */
winnow_status pair_read(struct json_value root, const char *group, struct arena *keep,
                        struct pair *out, struct winnow_error *err);

#endif /* WINNOW_TEACH_PAIR_H */
