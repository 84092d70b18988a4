/* budget.c -- see budget.h. */
#include "option/budget.h"

#include <math.h>
#include <stdlib.h>

winnow_status budget_read(const char *text, size_t documents, size_t *out, struct winnow_error *err)
{
    char *end = NULL;
    double x = text ? strtod(text, &end) : 0;
    if (!text || end == text || !(x > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--budget \"%s\" is neither a number of documents nor a share (5%%)",
                         text ? text : "");
    }
    bool share = (end[0] == '%' && end[1] == '\0') || (x < 1 && end[0] == '\0');
    if (end[0] == 'k' && end[1] == '\0') {
        x *= 1000;
    } else if (end[0] == 'M' && end[1] == '\0') {
        x *= 1e6;
    } else if (!share && end[0] != '\0') {
        return error_set(err, WINNOW_E_USAGE,
                         "--budget \"%s\" is neither a number of documents nor a share (5%%)",
                         text);
    }
    if (share) {
        x = (end[0] == '%' ? x / 100 : x) * (double)documents;
    }
    x = share && x < 1 ? 1 : floor(x + 0.5);
    if (documents > 0 && x > (double)documents) {
        return error_set(err, WINNOW_E_FORMAT,
                         "--budget %s is more than the %zu documents of the corpus", text,
                         documents);
    }
    *out = (size_t)x;
    return WINNOW_OK;
}
