/* weights_file.h -- numbers in one file, whole or not at all, with their hash. */
#ifndef WINNOW_TRAIN_WEIGHTS_FILE_H
#define WINNOW_TRAIN_WEIGHTS_FILE_H

#include "base/error.h"

winnow_status weights_file_write(const char *path, const float *values, size_t count,
                                 struct winnow_error *err);

/* WINNOW_E_FORMAT for another count or damaged bytes; values are then untouched. */
winnow_status weights_file_read(const char *path, float *values, size_t count,
                                struct winnow_error *err);

#endif /* WINNOW_TRAIN_WEIGHTS_FILE_H */
