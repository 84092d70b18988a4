/* program_spelling.h -- how each dialect's calls are written, for the automaton
 * and for GBNF.
 *
 * A spelling is text in which these bytes stand for an argument: */
#ifndef WINNOW_PROGRAM_PROGRAM_SPELLING_H
#define WINNOW_PROGRAM_PROGRAM_SPELLING_H

#include "program/program_grammar.h"

#define SPELL_FROM   '\1' /* a line */
#define SPELL_TO     '\2' /* a line, that one or behind it */
#define SPELL_LINE   '\3' /* a line */
#define SPELL_SOURCE '\4' /* a quoted string that is not empty */
#define SPELL_TARGET '\5' /* a quoted string */

struct spelling {
    const char *text;
    bool alone; /* it is the whole program */
};

struct spelling_set {
    const struct spelling *items; /* a NULL text ends them */
    uint32_t first_line;          /* the number of the first line */
    bool bare;                    /* prox: double quotes, no escapes, and no byte that its executor
                                   * stumbles over */
};

/* items is NULL where the dialect has no programs of that level. */
struct spelling_set spelling_set_of(int dialect, enum program_level level);

#endif /* WINNOW_PROGRAM_PROGRAM_SPELLING_H */
