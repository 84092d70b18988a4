/* label_of.c -- reads a label: true, false, 1, 0. */
#include "quality/label_of.h"

bool label_of(struct json_value document, const char *key, bool *good)
{
    struct str left = str_of(key);
    struct json_value v = json_get_str(document, left);
    while (json_kind(v) == JSON_NONE) {
        size_t dot = str_find(left, STR_LIT("."));
        if (dot == SIZE_MAX) {
            return false;
        }
        document = json_get_str(document, str_sub(left, 0, dot));
        if (json_kind(document) != JSON_OBJECT) {
            return false;
        }
        left = str_sub(left, dot + 1, left.len);
        v = json_get_str(document, left);
    }
    double number;
    if (json_as_bool(v, good)) {
        return true;
    }
    if (!json_as_double(v, &number)) {
        return false;
    }
    *good = number > 0;
    return true;
}
