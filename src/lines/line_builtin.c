/* line_builtin.c -- the assembler takes the files in as they are: no text of
 * numbers stands between the model that was trained and the one that runs.
 * WINNOW_LINES_MODEL, the folder, comes from CMakeLists.txt. */
#include "lines/line_builtin.h"

#define EMBED(name, file)                                   \
    __asm__(".section .rodata\n"                            \
            ".hidden winnow_lines_" name "\n"               \
            ".hidden winnow_lines_" name "_end\n"           \
            ".global winnow_lines_" name "\n"               \
            ".global winnow_lines_" name "_end\n"           \
            ".balign 64\n"                                  \
            "winnow_lines_" name ":\n"                      \
            ".incbin \"" WINNOW_LINES_MODEL "/" file "\"\n" \
            "winnow_lines_" name "_end:\n"                  \
            ".byte 0\n"                                     \
            ".previous\n")

EMBED("config", "config.json");
EMBED("weights", "model.safetensors");

extern const char winnow_lines_config[], winnow_lines_config_end[];
extern const char winnow_lines_weights[], winnow_lines_weights_end[];

struct str line_builtin_config(void)
{
    return (struct str){winnow_lines_config,
                        (size_t)(winnow_lines_config_end - winnow_lines_config)};
}

struct str line_builtin_weights(void)
{
    return (struct str){winnow_lines_weights,
                        (size_t)(winnow_lines_weights_end - winnow_lines_weights)};
}
