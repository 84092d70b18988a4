/* show.c -- what of outside text a terminal may get to see.
 *
 * The list is that of Unicode's characters that act instead of showing: C0, C1, the
 * bidirectional marks (which can make a name read as another one), separators, the
 * byte order mark. */
#include "base/show.h"

#include "base/utf8.h"

#include <assert.h>

bool show_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || /* Arabic mark */
           code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void show_add(struct buf *out, struct str s, enum show_layout layout)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t code;
        size_t len = utf8_decode(s, at, &code);
        if (len == 0) {
            buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s.ptr[at]);
            len = 1;
        } else if (show_is_control(code) &&
                   !(layout == SHOW_TEXT && (code == '\n' || code == '\t'))) {
            buf_addf(out, "\\u%04x", (unsigned)code);
        } else {
            buf_add(out, s.ptr + at, len);
        }
        at += len;
        assert(at <= s.len);
    }
}
