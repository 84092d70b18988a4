/* mix_value.h -- a member of a document, or a value of an attribute row, as a name or a number. */
#ifndef WINNOW_MIX_MIX_VALUE_H
#define WINNOW_MIX_MIX_VALUE_H

#include "base/buf.h"
#include "base/json.h"

/* The member of that name, else by dotted path; JSON_NONE where there is none. */
struct json_value mix_member(struct json_value object, const char *path);

/* The value of an attribute row: {"attributes": {"name": [[0, 12, VALUE]]}} or {"name": VALUE}
 * there or in the row itself. */
struct json_value mix_attribute(struct json_value row, const char *name);

/* A string, number or truth value as text: a view, or written into scratch.  False of others. */
bool mix_name(struct json_value v, struct buf *scratch, struct str *out);

/* A finite number, true as 1, false as 0; else NaN. */
double mix_number(struct json_value v);

#endif /* WINNOW_MIX_MIX_VALUE_H */
