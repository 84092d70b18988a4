/* settings.h -- of which command, with which options, over which input a stage is.
 *
 * A stage's key tells whether its bytes still hold; its settings tell whose they are:
 * where they are the same and only the key differs, the same command is called again
 * over input that has changed since, and what is there is not its result any more.
 * They stand in the stage's folder as one line of JSON, so that a refusal can name
 * what differs. */
#ifndef WINNOW_RUN_SETTINGS_H
#define WINNOW_RUN_SETTINGS_H

#include "run/run_internal.h"

/* Fills s->settings. */
void settings_describe(struct stage *s);

/* Whether the stage called name in the folder was made with the settings of the one of
 * that name now.  Where it was not, what differs is added to out: "sets, seed". */
bool settings_same(const struct run *r, const char *name, const char *folder, struct buf *out);

#endif /* WINNOW_RUN_SETTINGS_H */
