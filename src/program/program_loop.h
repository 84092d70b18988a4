/* program_loop.h -- notices that a refiner repeats itself.
 *
 * A model that has lost its way writes the same calls again and again until it is
 * cut.  What such calls do, they did the first time: so a program ends behind the
 * call that comes for the third time within the last 64 calls, which catches
 * cycles of up to 32 different ones.  A call is its line, byte for byte.
 *
 * Loops that never repeat a call (each one line further) end by themselves at the
 * chunk's last line or at the last token allowed.
 */
#ifndef WINNOW_PROGRAM_PROGRAM_LOOP_H
#define WINNOW_PROGRAM_PROGRAM_LOOP_H

#include "base/str.h"

#define PROGRAM_LOOP_TIMES 3U
#define PROGRAM_LOOP_CALLS 64U

/* All-zero is the start of a program. */
struct program_loop {
    uint64_t line;                      /* a hash of the line being written */
    uint64_t calls[PROGRAM_LOOP_CALLS]; /* of those before; 0: none */
    size_t count;                       /* of calls so far */
    size_t length;                      /* of the program so far, in bytes */
    size_t end;                         /* where it ends, if `found`: without the newline */
    bool found;
};

/* Takes more of the program, in pieces of any size.  Once `found`, what follows is
 * passed over. */
void program_loop_add(struct program_loop *l, struct str bytes);

#endif /* WINNOW_PROGRAM_PROGRAM_LOOP_H */
