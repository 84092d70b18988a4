/* json_span_internal.h -- where a value stands in the bytes of an object. */
#ifndef WINNOW_CORPUS_JSON_SPAN_INTERNAL_H
#define WINNOW_CORPUS_JSON_SPAN_INTERNAL_H

#include "base/str.h"

/* The value of the member with that index (from 0) of the object whose text
 * starts at object.ptr.  The text must have been found to be valid JSON and to
 * have that member. */
struct str json_span_member(struct str object, size_t index);

#endif /* WINNOW_CORPUS_JSON_SPAN_INTERNAL_H */
