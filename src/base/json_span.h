/* json_span.h -- where a value stands in the bytes of an object. */
#ifndef WINNOW_BASE_JSON_SPAN_H
#define WINNOW_BASE_JSON_SPAN_H

#include "base/json.h"

/* The value of the member with that index (from 0) of the object whose text
 * starts at object.ptr.  The text must have been found to be valid JSON and to
 * have that member. */
struct str json_span_member(struct str object, size_t index);

/* The id that object, whose bytes are `bytes`, has under key: a string, or a number
 * as it is written there.  False where it is neither. */
bool json_span_id(struct json_value object, struct str bytes, const char *key, struct str *out);

#endif /* WINNOW_BASE_JSON_SPAN_H */
