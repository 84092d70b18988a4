/* select.h -- the stage `select`: some documents under a budget, by what their vectors say. */
#ifndef WINNOW_SELECT_SELECT_H
#define WINNOW_SELECT_SELECT_H

#include "run/stage.h"

extern const struct stage_kind SELECT_STAGE;

#endif /* WINNOW_SELECT_SELECT_H */
