/* random_text.h -- text of all kinds of characters, for tokenizers. */
#ifndef WINNOW_TESTS_RANDOM_TEXT_H
#define WINNOW_TESTS_RANDOM_TEXT_H

#include "base/rng.h"
#include "base/utf8.h"

/* Well formed, of so many pieces; out is cleared first. */
static inline void random_text(struct rng *r, size_t pieces, struct buf *out)
{
    static const char *const COMMON[] = {
        " ",           "  ",           "\n",           "\r\n",
        "\t",          "'s",           "'S",           "'\xC5\xBF",
        "'r",          "'ll",          "'RE",          "a",
        "the",         "Hello",        "12",           "3456789",
        ".",           "...",          "!?",           "_",
        "\xC2\xA0",    "\xE2\x80\xA8", "\xE3\x80\x80", "\xC2\x85",
        "\x1C",        "\xE1\xA0\x8E", "\xC3\xA9",     "e\xCC\x81",
        "\xD9\xA3",    "\xC2\xBD",     "\xE6\xBC\xA2", "\xF0\x9F\x98\x80",
        "\xE2\x96\x81"};
    buf_clear(out);
    for (size_t i = 0; i < pieces; i++) {
        if (rng_below(r, 4) > 0) {
            buf_add_text(out, COMMON[rng_below(r, sizeof COMMON / sizeof COMMON[0])]);
            continue;
        }
        uint32_t code = (uint32_t)rng_below(r, rng_below(r, 2) ? 0x3000 : 0x20000);
        if (code < 0xD800 || code >= 0xE000) {
            utf8_add(out, code);
        }
    }
}

#endif /* WINNOW_TESTS_RANDOM_TEXT_H */
