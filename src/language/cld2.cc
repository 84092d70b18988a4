/* cld2.cc -- CLD2 behind a C interface; nothing where it was not there at build time. */
extern "C" {
#include "language/cld2.h"
}

#include <cstdio> /* which CLD2 forgets */
#include <cstring>

#ifdef WINNOW_CLD2

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

/* CLD2 takes an int; what lies behind the first 512 MB changes no share. */
static const std::size_t BYTES_MAX = std::size_t{1} << 29;

bool cld2_is_there(void)
{
    return true;
}

void cld2_ask(const char *text, std::size_t len, struct cld2_answer *out)
{
    const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::Language languages[CLD2_TOLD];
    int percent[CLD2_TOLD], text_bytes = 0;
    double normal[CLD2_TOLD];
    bool reliable = false;
    if (len > BYTES_MAX) {
        len = BYTES_MAX;
        while (len > 0 && (static_cast<unsigned char>(text[len]) & 0xC0) == 0x80) {
            len--;
        }
    }
    CLD2::ExtDetectLanguageSummary(text, static_cast<int>(len), true, &hints, 0, languages, percent,
                                   normal, nullptr, &text_bytes, &reliable);
    out->count = 0;
    out->reliable = reliable;
    for (int i = 0; i < CLD2_TOLD; i++) {
        if (languages[i] == CLD2::UNKNOWN_LANGUAGE) {
            continue;
        }
        const char *code = CLD2::LanguageCode(languages[i]);
        std::strncpy(out->code[out->count], code, sizeof out->code[0] - 1);
        out->code[out->count][sizeof out->code[0] - 1] = '\0';
        out->percent[out->count++] = percent[i];
    }
}

#else

bool cld2_is_there(void)
{
    return false;
}

void cld2_ask(const char *text, std::size_t len, struct cld2_answer *out)
{
    (void)text;
    (void)len;
    std::memset(out, 0, sizeof *out);
}

#endif
