/* standard_output.c -- see standard_output.h. */
#include "flow/standard_output.h"

#include "run/guard.h"

#include <sys/stat.h>
#include <unistd.h>

winnow_status standard_output_check(const struct winnow_list *paths, const char *files_from,
                                    const struct option_table *table, const void *options,
                                    struct winnow_error *err)
{
    struct stat st;
    const struct guarded what = {.paths = *paths, .files_from = files_from};
    bool is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    return is_file ? guard_file(NULL, &what, table, options, err) : WINNOW_OK;
}
