/* label_subject.h -- a document while an expert is asked about it. */
#ifndef WINNOW_TEACH_LABEL_SUBJECT_H
#define WINNOW_TEACH_LABEL_SUBJECT_H

#include "winnow/refiner_label.h"

#include "teach/expert.h"
#include "teach/label_journal.h"

/* What is asked, and how. */
struct label_plan {
    bool chunks; /* about chunks; else about documents */
    struct chunker *chunker;
    size_t document_bytes;
    uint32_t answer_tokens;
    bool chat;
    uint64_t seed;
    double removal_max;
};

struct label_subject {
    struct arena keep;
    struct str id, text;
    uint64_t ordinal; /* among the documents drawn */
    size_t questions, asked, answered;
    struct hash128 *hashes; /* of the questions asked */

    /* Documents. */
    bool known[EXPERT_OF_DOCUMENT];
    uint32_t scores[EXPERT_OF_DOCUMENT];

    /* Chunks. */
    struct chunk_list chunks; /* those that are asked about */
    struct derived lines;
    struct program programs[EXPERT_OF_CHUNK]; /* of the chunk that is being answered */
    bool unread;                              /* one of them could not be read */
    struct buf labels;                        /* members of "chunks" */
};

/* Copies id and text.  False, and nothing to be released, where there is nothing to
 * ask about. */
bool label_subject_open(struct label_subject *s, const struct label_plan *plan, struct str id,
                        struct str text, struct winnow_refiner_label_result *r);
void label_subject_release(struct label_subject *s);

/* Whether it has more questions; whether all are answered. */
bool label_subject_asks(const struct label_subject *s);
bool label_subject_done(const struct label_subject *s);

/* Appends the next question to text and says in e what it is about. */
void label_subject_ask(struct label_subject *s, const struct label_plan *plan,
                       struct label_entry *e, struct buf *text);

/* Says in e what the question is about whose answer is due. */
void label_subject_due(const struct label_subject *s, const struct label_plan *plan,
                       struct label_entry *e);

/* The answer to that question. */
void label_subject_answer(struct label_subject *s, const struct label_plan *plan,
                          const struct label_entry *e, struct winnow_refiner_label_result *r);

/* Appends the label, if there is one, as a line of JSON, counts, releases.  Gives
 * 'k' (kept), 'd' (dropped) or '?' of a document. */
char label_subject_close(struct label_subject *s, const struct label_plan *plan,
                         struct winnow_refiner_label_result *r, struct buf *out);

#endif /* WINNOW_TEACH_LABEL_SUBJECT_H */
