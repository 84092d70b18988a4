/* program_loop.c -- finds repeated calls by the hashes of the last 64 lines.
 *
 * Cost: a multiplication a byte and 64 comparisons a call.  Two different calls
 * with one hash would end a program too early, with probability 2^-58 a call. */
#include "program/program_loop.h"

/* FNV-1a, which takes a byte at a time.  Never 0 in practice, and where it is, a
 * call is taken for none. */
#define HASH_START 0xCBF29CE484222325ULL
#define HASH_PRIME 0x100000001B3ULL

static void end_call(struct program_loop *l)
{
    size_t times = 1;
    for (size_t i = 0; i < PROGRAM_LOOP_CALLS; i++) {
        times += l->calls[i] == l->line;
    }
    l->found = times >= PROGRAM_LOOP_TIMES;
    l->end = l->length;
    l->calls[l->count++ % PROGRAM_LOOP_CALLS] = l->line;
}

void program_loop_add(struct program_loop *l, struct str bytes)
{
    for (size_t i = 0; i < bytes.len && !l->found; i++) {
        if (bytes.ptr[i] != '\n') {
            l->line = ((l->line ? l->line : HASH_START) ^ (uint8_t)bytes.ptr[i]) * HASH_PRIME;
        } else if (l->line != 0) { /* an empty line is no call */
            end_call(l);
            l->line = 0;
        }
        l->length++;
    }
}
