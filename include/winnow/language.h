/* language.h -- which language a document is in, noted, and kept or not.
 *
 * Options of the stage `language`; winnow_stage() and recipes run it.  The identifier is CLD2
 * (83 languages; Apache-2.0), or a supervised fastText model of labels that are languages,
 * as lid.176.bin is.  CLD2 says what share of a text's letters is in up to three languages
 * and whether it is sure; fastText, how probable each language is for the text as a whole.
 */
#ifndef WINNOW_LANGUAGE_H
#define WINNOW_LANGUAGE_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_language_options {
    const char *model;       /* a fastText model; NULL: CLD2 */
    struct winnow_list keep; /* codes; documents in others go.  None: all stay */
    double score_min;        /* documents whose language has less go */
    bool reliable;           /* documents that CLD2 is not sure of go */
    bool annotate;           /* write codes and scores to attributes/language/ */
    bool lines;              /* and those of each line */
};
#define WINNOW_LANGUAGE_OPTIONS_INIT (WINNOW_NEW(winnow_language_options){.annotate = true})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_LANGUAGE_H */
