/* cld2.cc -- CLD2 behind a C interface; nothing where it was not there at build time. */
extern "C" {
#include "language/cld2.h"
}

#include <cstdio> /* which CLD2 forgets */
#include <cstring>
#include <strings.h>

#ifdef WINNOW_CLD2

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

/* CLD2 takes an int; what lies behind the first 512 MB changes no share. */
static const std::size_t BYTES_MAX = std::size_t{1} << 29;

bool cld2_is_there(void)
{
    return true;
}

bool cld2_knows(const char *code, const char **meant)
{
    *meant = nullptr;
    for (int i = 0; i < CLD2::NUM_LANGUAGES; i++) {
        const CLD2::Language language = static_cast<CLD2::Language>(i);
        const char *its = CLD2::LanguageCode(language);
        if (std::strcmp(its, code) == 0) {
            return true;
        }
        if (strcasecmp(its, code) == 0 || strcasecmp(CLD2::LanguageName(language), code) == 0) {
            *meant = its;
        }
    }
    return false;
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

bool cld2_knows(const char *code, const char **meant)
{
    (void)code;
    *meant = nullptr;
    return false;
}

void cld2_ask(const char *text, std::size_t len, struct cld2_answer *out)
{
    (void)text;
    (void)len;
    std::memset(out, 0, sizeof *out);
}

#endif
