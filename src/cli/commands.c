#include "cli/commands.h"

#include "option/dedup_options.h"
#include "option/run_options.h"

const struct cmd COMMANDS[] = {
    {&RUN_TABLE, cmd_run},
    {&DEDUP_TABLE, cmd_dedup},
    {NULL, NULL},
};
