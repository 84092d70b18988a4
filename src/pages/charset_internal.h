/* charset_internal.h -- the parts of charset.c: labels, the prescan, decoders. */
#ifndef WINNOW_PAGES_CHARSET_INTERNAL_H
#define WINNOW_PAGES_CHARSET_INTERNAL_H

#include "base/buf.h"

#include <iconv.h>

/* The encodings of the WHATWG Encoding Standard; charset_tables.c has their names. */
enum charset_encoding {
    CHARSET_UTF_8,
    CHARSET_IBM866, /* the first with an index in CHARSET_SINGLE */
    CHARSET_ISO_8859_2,
    CHARSET_ISO_8859_3,
    CHARSET_ISO_8859_4,
    CHARSET_ISO_8859_5,
    CHARSET_ISO_8859_6,
    CHARSET_ISO_8859_7,
    CHARSET_ISO_8859_8,
    CHARSET_ISO_8859_8_I,
    CHARSET_ISO_8859_10,
    CHARSET_ISO_8859_13,
    CHARSET_ISO_8859_14,
    CHARSET_ISO_8859_15,
    CHARSET_ISO_8859_16,
    CHARSET_KOI8_R,
    CHARSET_KOI8_U,
    CHARSET_MACINTOSH,
    CHARSET_WINDOWS_874,
    CHARSET_WINDOWS_1250,
    CHARSET_WINDOWS_1251,
    CHARSET_WINDOWS_1252,
    CHARSET_WINDOWS_1253,
    CHARSET_WINDOWS_1254,
    CHARSET_WINDOWS_1255,
    CHARSET_WINDOWS_1256,
    CHARSET_WINDOWS_1257,
    CHARSET_WINDOWS_1258,
    CHARSET_X_MAC_CYRILLIC, /* the last */
    CHARSET_GBK,
    CHARSET_GB18030,
    CHARSET_BIG5,
    CHARSET_EUC_JP,
    CHARSET_ISO_2022_JP,
    CHARSET_SHIFT_JIS,
    CHARSET_EUC_KR,
    CHARSET_REPLACEMENT, /* what browsers refuse to decode: ISO-2022-KR, HZ ... */
    CHARSET_UTF_16BE,
    CHARSET_UTF_16LE,
    CHARSET_X_USER_DEFINED,
    CHARSET_COUNT,
    CHARSET_GUESSED, /* none of the standard's: what uchardet found, by its iconv name */
    CHARSET_NONE
};
#define CHARSET_SINGLE_COUNT (CHARSET_X_MAC_CYRILLIC - CHARSET_IBM866 + 1)

struct charset_names {
    const char *name;   /* lower case */
    const char *labels; /* each between two blanks */
};
struct charset_pair {
    uint16_t bytes, code;
};
extern const struct charset_names CHARSET_NAMES[CHARSET_COUNT];
extern const uint16_t CHARSET_SINGLE[CHARSET_SINGLE_COUNT][128];
extern const struct charset_pair CHARSET_BIG5_MORE[];
extern const size_t CHARSET_BIG5_MORE_COUNT;

/* What a label stands for; CHARSET_NONE where the standard has no such label. */
enum charset_encoding charset_of_label(struct str label);

/* What a page says of itself in its first bytes; CHARSET_NONE where nothing. */
enum charset_encoding charset_prescan(struct str page);

bool charset_is_single(enum charset_encoding e);
bool charset_is_utf16(enum charset_encoding e);

/* Keeps the converter that was used last. */
struct charset_decoder {
    iconv_t converter;
    char open_name[40]; /* of the converter; empty: none */
    struct buf euc;     /* ISO-2022-JP on its way to EUC-JP */
};
void charset_decoder_release(struct charset_decoder *d);

/* Whether CHARSET_GUESSED has a converter under that name. */
bool charset_decoder_knows(struct charset_decoder *d, const char *name);

/* Appends s in UTF-8; returns how many U+FFFD stand for what could not be
 * converted.  Not for UTF-8 and CHARSET_REPLACEMENT; guessed: CHARSET_GUESSED's
 * name. */
size_t charset_decode(struct charset_decoder *d, enum charset_encoding e, const char *guessed,
                      struct str s, struct buf *out);

#endif /* WINNOW_PAGES_CHARSET_INTERNAL_H */
