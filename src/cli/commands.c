#include "cli/commands.h"

const struct cmd COMMANDS[] = {
    {NULL, NULL},
};
