/* derive.h -- the program that makes a clean text out of a raw one by deleting.
 *
 *     struct derived d;
 *     TRY(derive_pair(raw, clean, &opt, &keep, &d, err));
 *     derived_program(&d, 0, d.count - 1, &program);
 *
 * How: lines that both texts have are laid beside each other by a longest common
 * subsequence (align.h).  Between two such lines the pieces of what is left
 * (words.h) are aligned; a raw line stays where at least half of its characters
 * have a partner, or where its pieces hold a whole clean line.  In a line that
 * stays, what the clean text lacks goes as a span; where the clean text has
 * something else in its place the raw one stays, since a program only deletes.
 * The program is executed (edit.h) and what comes out is compared with clean.
 *
 * Sources: Zhou et al. 2409.17115, appendix A (programs from an expert);
 * RefineX 2507.03253 (of the edits between a raw and a clean text only deletions
 * are kept).
 */
#ifndef WINNOW_TEACH_DERIVE_H
#define WINNOW_TEACH_DERIVE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* Between two lines that both have, texts larger than this are not aligned piece
 * by piece: the raw lines there go. */
#define DERIVE_GAP_MAX ((size_t)64 << 20)

struct derive_options {
    /* White space counts: lines are compared byte for byte, and where the clean
     * text can be had by deletions the result is exactly it.  Otherwise texts
     * that differ in white space and blank lines are the same. */
    bool spaces;
};

/* Bytes from..to of a raw line that go. */
struct derived_edit {
    uint32_t line;
    size_t from, to;
};

struct derived {
    struct str *lines; /* of the raw text, views into it */
    bool *keep;
    size_t count;
    struct derived_edit *edits; /* in kept lines; by line, then by place */
    size_t edit_count;

    /* Characters, white space not counted. */
    uint64_t raw_chars, removed_chars;
    uint64_t clean_chars, covered_chars; /* covered: what the result has of clean */
    bool exact;                          /* executing the program gives clean */
    bool bounded;                        /* a bound cut the search short */
};

/* raw and clean are borrowed as long as out is used; tables live in keep. */
winnow_status derive_pair(struct str raw, struct str clean, const struct derive_options *opt,
                          struct arena *keep, struct derived *out, struct winnow_error *err);

/* From a verdict on each line: 1 keep, 0 remove; other numbers are undecided and
 * follow their neighbours: such a line stays where the nearest decided lines on
 * both sides do, a blank one where the one before stays and any later one does. */
winnow_status derive_labels(struct str raw, const int8_t *labels, struct arena *keep,
                            struct derived *out, struct winnow_error *err);

/* Appends the calls for lines first..last in dialect winnow, one a line,
 * arguments without names, each run of removed lines being one call: keep_chunk()
 * where nothing changes. */
void derived_program(const struct derived *d, size_t first, size_t last, struct buf *out);

/* Appends what executing the whole program gives.  WINNOW_E_INTERNAL where a call
 * is rejected (a program over its bounds). */
winnow_status derived_execute(const struct derived *d, struct str raw, struct buf *out,
                              struct winnow_error *err);

/* The share of the raw characters that goes; 0 for an empty text. */
double derived_removal(const struct derived *d);
/* The share of the clean characters that is reached; 1 for an empty text. */
double derived_share(const struct derived *d);

/* Whether no character is left: the document is one to drop. */
bool derived_drops(const struct derived *d);

#endif /* WINNOW_TEACH_DERIVE_H */
