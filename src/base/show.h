/* show.h -- text from outside, as a terminal may see it.
 *
 * Ids, texts, names of files, answers of servers and values of options may hold
 * sequences that move a cursor, name a window or turn the direction of writing.
 * Shown text holds none: such characters become \u001b, bytes that are no UTF-8
 * become \xff.  Everything the program prints for people goes through here once,
 * where it is printed; documents on standard output do not.
 */
#ifndef WINNOW_BASE_SHOW_H
#define WINNOW_BASE_SHOW_H

#include "base/buf.h"
#include "base/str.h"

/* Whether a terminal or a browser would act on that code point rather than show
 * it: C0 and C1 controls, line and paragraph separators, marks of direction. */
bool show_is_control(uint32_t code);

enum show_layout {
    SHOW_LINE, /* one line: newlines and tabs are controls too */
    SHOW_TEXT  /* lines and tabs stay */
};
void show_add(struct buf *out, struct str s, enum show_layout layout);

#endif /* WINNOW_BASE_SHOW_H */
