/* version.c -- which winnow this is, as CMakeLists.txt says.
 *
 * The version belongs to every stage's key: what another version wrote is made
 * again.  Only this file is compiled with it, so that a new one rebuilds little.
 */
#include "winnow/version.h"

const char *winnow_version(void)
{
    return WINNOW_VERSION;
}
