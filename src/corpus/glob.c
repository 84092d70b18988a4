/* glob.c -- patterns with "**", without recursion.
 *
 * fnmatch(3) judges one component against one component.  "**" is to components
 * what "*" is to characters, so the classic loop does: on a mismatch go back to
 * the last "**" and let it swallow one component more.  Going back to the last
 * one only is enough, as an earlier "**" could gain nothing that the later one
 * cannot.
 */
#include "corpus/glob_internal.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

static size_t component(const char *s)
{
    return strcspn(s, "/");
}

static const char *behind(const char *s)
{
    s += component(s);
    return *s == '/' ? s + 1 : s;
}

static bool is_any_depth(const char *pattern)
{
    return component(pattern) == 2 && pattern[0] == '*' && pattern[1] == '*';
}

static bool fits(const char *pattern, const char *path, int flags)
{
    char p[256], s[256];
    size_t np = component(pattern), ns = component(path);
    if (np >= sizeof p || ns >= sizeof s) { /* longer than a file name can be */
        return false;
    }
    memcpy(p, pattern, np);
    p[np] = '\0';
    memcpy(s, path, ns);
    s[ns] = '\0';
    return fnmatch(p, s, flags) == 0;
}

bool glob_match(const char *pattern, const char *path)
{
    const char *back_pattern = NULL, *back_path = NULL;
    while (*path) {
        if (is_any_depth(pattern)) {
            pattern = behind(pattern);
            if (!*pattern) {
                return true;
            }
            back_pattern = pattern;
            back_path = path;
        } else if (*pattern && fits(pattern, path, FNM_PERIOD)) {
            pattern = behind(pattern);
            path = behind(path);
        } else if (back_pattern && *back_path) {
            back_path = behind(back_path);
            path = back_path;
            pattern = back_pattern;
        } else {
            return false;
        }
    }
    while (is_any_depth(pattern)) {
        pattern = behind(pattern);
    }
    return !*pattern;
}

bool glob_leads_into(const char *pattern, const char *folder)
{
    for (; *folder; folder = behind(folder)) {
        if (is_any_depth(pattern)) {
            return true;
        }
        if (!*pattern || !fits(pattern, folder, 0)) {
            return false;
        }
        pattern = behind(pattern);
    }
    return *pattern != '\0';
}
