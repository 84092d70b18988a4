/* version.h -- which winnow this is. */
#ifndef WINNOW_VERSION_H
#define WINNOW_VERSION_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "MAJOR.MINOR.PATCH"; static. */
WINNOW_API const char *winnow_version(void);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_VERSION_H */
