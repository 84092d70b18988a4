/* program.h -- what a refiner says should happen to one document.
 *
 * A program is text: one call a line, e.g.
 *
 *     remove_lines(line_start=0, line_end=4)
 *     normalize(source_str="Click here", target_str="")
 *     remove_str(12, " [edit]")
 *
 * docs/formats/programs.md has the grammar.  A program is data, never code: it
 * is parsed by one strict parser against a table of calls (the dialect), every
 * line of it becomes one struct program_call, and each call ends accepted or
 * rejected with a reason; nothing is ignored in silence.
 *
 * Source: Zhou et al., "Programming Every Example" (2409.17115), section 3; the
 * line-scoped calls follow RefineX (2507.03253) and UltraX (2607.08646).  The
 * released models' vocabulary has quirks of its own: see program/prox.h.
 */
#ifndef WINNOW_PROGRAM_PROGRAM_H
#define WINNOW_PROGRAM_PROGRAM_H

#include "winnow/refine.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* Bounds of one program; what lies past them is rejected with a reason. */
#define PROGRAM_BYTES_MAX ((size_t)1 << 20) /* of its text */
#define PROGRAM_CALLS_MAX 4096U
#define PROGRAM_LINE_MAX  999999999U /* largest line number that can be written */

enum program_op {
    PROGRAM_NONE, /* no call could be read */
    PROGRAM_KEEP_DOC,
    PROGRAM_DROP_DOC, /* of a program for the whole document only */
    PROGRAM_KEEP_CHUNK,
    PROGRAM_REMOVE_LINES, /* from..to, both included */
    PROGRAM_NORMALIZE,    /* source becomes target, anywhere in the chunk's lines */
    PROGRAM_REMOVE_STR,   /* source goes from line `from` */
    PROGRAM_REPLACE_STR,  /* source becomes target in line `from` */
    PROGRAM_REMOVE_ALL,   /* UltraX only: the document, or the lines of the chunk */
    PROGRAM_ADD_LINE,     /* UltraX only; read, always rejected: text comes from the document */
    PROGRAM_OPS
};
const char *program_op_name(enum program_op op);

struct program_call {
    enum program_op op;
    uint32_t number;   /* line of the program it stands on, from 0 */
    uint32_t from, to; /* lines of the document, from 0 */
    struct str source, target;
    bool all;           /* every place rather than exactly one */
    const char *reason; /* why it was rejected; NULL: accepted (so far) */
    uint32_t matches;   /* places changed, or lines removed, by the executor */
};

struct program {
    struct program_call *calls;
    size_t count;
    size_t rejected; /* by the parser */
    bool truncated;  /* more text or calls than the bounds allow: the rest was not read */
};

/* Reads a whole program; ProX's own is read by prox.h.  It cannot fail: what is no call of the
 * dialect becomes a rejected call.  Calls and strings live in keep; source and target point into it
 * or into text. */
void program_parse(enum winnow_refine_dialect dialect, struct str text, struct arena *keep,
                   struct program *out);

#endif /* WINNOW_PROGRAM_PROGRAM_H */
