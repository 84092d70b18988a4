/* line_builtin.h -- the files of models/lines/, compiled into the library. */
#ifndef WINNOW_LINES_LINE_BUILTIN_H
#define WINNOW_LINES_LINE_BUILTIN_H

#include "base/str.h"

struct str line_builtin_config(void);
struct str line_builtin_weights(void);

#endif /* WINNOW_LINES_LINE_BUILTIN_H */
