#include "cli/commands.h"

#include "option/dedup_options.h"

const struct cmd COMMANDS[] = {
    {&DEDUP_TABLE, cmd_dedup},
    {NULL, NULL},
};
