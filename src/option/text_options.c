#include "option/text_options.h"

const char *const TEXT_ON_BAD[] = {"skip", "stop", NULL};
