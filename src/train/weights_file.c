/* weights_file.c -- a list of floats as a state file; who reads knows how many. */
#include "train/weights_file.h"

#include "base/state_file.h"

#define KIND "winnowW2"

winnow_status weights_file_write(const char *path, const float *values, size_t count,
                                 struct winnow_error *err)
{
    const struct str numbers = state_part(values, count * sizeof *values);
    return state_file_write(path, KIND, &numbers, 1, err);
}

winnow_status weights_file_read(const char *path, float *values, size_t count,
                                struct winnow_error *err)
{
    struct state_file f;
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = WINNOW_OK;
    if (f.left.len != count * sizeof *values) {
        st = error_set(err, WINNOW_E_FORMAT, "%s: not a file of %zu weights", path, count);
    } else {
        (void)state_file_take(&f, values, f.left.len);
    }
    state_file_close(&f);
    return st;
}
