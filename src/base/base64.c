/* base64.c -- see base64.h. */
#include "base/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) {
            v = v << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0U);
        }
        char four[4];
        for (size_t k = 0; k < 4; k++) {
            four[k] = k <= n ? DIGITS[v >> (18 - 6 * k) & 63U] : '=';
        }
        buf_add(out, four, sizeof four);
    }
}

static int digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool base64_read(struct str text, struct buf *out)
{
    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        unsigned v = 0, pads = 0;
        for (size_t k = 0; k < 4; k++) {
            char c = text.ptr[i + k];
            bool pad = c == '=' && k >= 2 && i + 4 == text.len;
            int d = pad ? 0 : digit(c);
            if (d < 0 || (pads > 0 && !pad)) {
                return false;
            }
            pads += pad;
            v = v << 6 | (unsigned)d;
        }
        for (unsigned k = 0; k < 3 - pads; k++) {
            buf_add_char(out, (char)(unsigned char)(v >> (16 - 8 * k)));
        }
    }
    return true;
}
