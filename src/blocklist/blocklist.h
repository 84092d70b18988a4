/* blocklist.h -- the stage that leaves out documents of listed addresses. */
#ifndef WINNOW_BLOCKLIST_BLOCKLIST_H
#define WINNOW_BLOCKLIST_BLOCKLIST_H

#include "run/stage.h"

extern const struct stage_kind BLOCKLIST_STAGE;

#endif /* WINNOW_BLOCKLIST_BLOCKLIST_H */
