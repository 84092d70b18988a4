/* identify.h -- what language a text is in, by CLD2 or by a fastText model. */
#ifndef WINNOW_LANGUAGE_IDENTIFY_H
#define WINNOW_LANGUAGE_IDENTIFY_H

#include "base/buf.h"
#include "base/error.h"

#define LANGUAGE_CODE    24U /* bytes of a code with its NUL */
#define LANGUAGES_TOLD   3U
#define LANGUAGE_UNKNOWN "un" /* where nothing can be said */

struct language_guess {
    char code[LANGUAGE_CODE];
    double score; /* CLD2: share of the text's letters; fastText: probability */
};

/* The likeliest first; count 0 where nothing can be said. */
struct language_guesses {
    struct language_guess best[LANGUAGES_TOLD];
    size_t count;
    bool reliable; /* CLD2's word for it; fastText: always */
};

struct language_identifier;
struct language_scratch; /* one a thread */

/* model NULL: CLD2, WINNOW_E_USAGE where this winnow was built without it. */
winnow_status language_identifier_new(const char *model, struct language_identifier **out,
                                      struct winnow_error *err);
void language_identifier_free(struct language_identifier *i);

/* Whether the identifier can ever give the code, told where that is known (a model's labels). */
winnow_status language_check_code(const struct language_identifier *i, const char *code,
                                  struct winnow_error *err);

struct language_scratch *language_scratch_new(const struct language_identifier *i);
void language_scratch_free(struct language_scratch *s);

void language_identify(const struct language_identifier *i, struct language_scratch *s,
                       struct str text, struct language_guesses *out);

#endif /* WINNOW_LANGUAGE_IDENTIFY_H */
