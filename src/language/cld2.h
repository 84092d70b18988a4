/* cld2.h -- CLD2, which is C++, for C. */
#ifndef WINNOW_LANGUAGE_CLD2_H
#define WINNOW_LANGUAGE_CLD2_H

#include <stdbool.h>
#include <stddef.h>

#define CLD2_TOLD 3

struct cld2_answer {
    char code[CLD2_TOLD][16]; /* "en", "zh-Hant"; "un" is left out */
    int percent[CLD2_TOLD];
    int count;
    bool reliable;
};

/* Whether this winnow was built with CLD2. */
bool cld2_is_there(void);

/* Whether it knows the code; where not, the code that was meant (another case, a language's
 * name) or NULL. */
bool cld2_knows(const char *code, const char **meant);

/* Of plain text in UTF-8 without control characters but white space. */
void cld2_ask(const char *text, size_t len, struct cld2_answer *out);

#endif /* WINNOW_LANGUAGE_CLD2_H */
