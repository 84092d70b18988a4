/* A label, a newline, then any bytes as a page: the prescan, the label's own
 * decoder, and the choice between them.  What holds: the result is UTF-8; ASCII that
 * is not part of a character stays, so that a broken character never swallows the
 * tag behind it; a label of the standard never stands for another. */
#include "base/utf8.h"
#include "pages/charset.h"
#include "pages/charset_internal.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += s.ptr[i] == c;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charset *charset;
    static struct charset_decoder decoder;
    static char label[64]; /* what outlives the call must not point into data */
    charset = charset ? charset : charset_new();
    struct str rest = {(const char *)data, size}, line = {NULL, 0};
    (void)str_next_line(&rest, &line);
    size_t n = line.len < sizeof label ? line.len : sizeof label;
    memcpy(label, n > 0 ? line.ptr : "", n);

    enum charset_encoding e = charset_of_label((struct str){label, n});
    enum charset_encoding inside = charset_prescan(rest);
    assert(inside <= CHARSET_NONE && inside != CHARSET_GUESSED);
    if (e < CHARSET_COUNT && e != CHARSET_UTF_8 && e != CHARSET_REPLACEMENT) {
        struct buf out = {0};
        size_t bad = charset_decode(&decoder, e, NULL, rest, &out);
        struct str text = buf_str(&out);
        assert(utf8_valid_until(text) == text.len && bad <= rest.len);
        bool has_ascii = !charset_is_utf16(e) && e != CHARSET_ISO_2022_JP;
        assert(!has_ascii || count(text, '<') == count(rest, '<'));
        buf_release(&out);
    }
    struct charset_page page = {rest, {label, n}, size % 2 == 0};
    struct str utf8;
    const char *name = NULL;
    if (charset_to_utf8(charset, &page, &utf8, &name)) {
        assert(utf8_valid_until(utf8) == utf8.len);
        assert(charset_of_label(str_of(name)) != CHARSET_REPLACEMENT);
    }
    return 0;
}
