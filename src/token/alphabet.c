/* alphabet.c -- GPT-2's byte alphabet and the classes of characters.
 *
 * Classes follow the regular expressions of the pre-tokenizers: \p{L}, \p{N}
 * and \s.  \s is Unicode's White_Space: the Z categories, the controls U+0009 to
 * U+000D and U+0085.  Categories are utf8proc's.
 */
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <utf8proc.h>

/* Bytes that stand for themselves: '!'..'~', U+00A1..U+00AC, U+00AE..U+00FF. */
static bool prints(uint32_t byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
           (byte >= 0xAE && byte <= 0xFF);
}

uint32_t alphabet_char(uint8_t byte)
{
    if (prints(byte)) {
        return byte;
    }
    /* The others in order: 0x00..0x20, 0x7F..0xA0, 0xAD. */
    if (byte <= 0x20) {
        return 0x100U + byte;
    }
    return byte <= 0xA0 ? 0x121U + (byte - 0x7FU) : 0x143U;
}

int alphabet_byte(uint32_t code)
{
    if (code < 0x100) {
        return prints(code) ? (int)code : -1;
    }
    if (code <= 0x120) {
        return (int)(code - 0x100);
    }
    if (code <= 0x142) {
        return (int)(code - 0x121 + 0x7F);
    }
    return code == 0x143 ? 0xAD : -1;
}

void alphabet_add(struct buf *out, struct str bytes)
{
    char *to = buf_reserve(out, bytes.len * 2);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        len += utf8_encode(alphabet_char((uint8_t)bytes.ptr[i]), to + len);
    }
    out->len += len;
}

unsigned class_of(uint32_t code)
{
    if (code == '\r' || code == '\n') {
        return CLASS_SPACE | CLASS_NEWLINE;
    }
    if ((code >= 0x09 && code <= 0x0D) || code == 0x85) {
        return CLASS_SPACE;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return CLASS_NUMBER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return CLASS_SPACE;
    default:
        return 0;
    }
}

void classes_fill(uint8_t *classes)
{
    for (uint32_t code = 0; code < CLASSES_SIZE; code++) {
        classes[code] = (uint8_t)class_of(code);
    }
}
