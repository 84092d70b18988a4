/* label_of.h -- what a member of a document says of its quality. */
#ifndef WINNOW_QUALITY_LABEL_OF_H
#define WINNOW_QUALITY_LABEL_OF_H

#include "base/json.h"

/* True and numbers above 0 are good, false and other numbers are bad; anything else, and no
 * such member, is no label: false.  key may be a dotted path. */
bool label_of(struct json_value document, const char *key, bool *good);

#endif /* WINNOW_QUALITY_LABEL_OF_H */
