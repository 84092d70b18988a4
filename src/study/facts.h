/* facts.h -- facts to ask a model for: a subject, a pattern, an object.
 *
 *     {"subject": "Lyon", "pattern": "[X] lies in [Y].", "object": "France", "relation": "in"}
 *
 * The objects of a relation (without one: of a pattern) in the file are what a model chooses
 * from.  [X] stands before [Y], and only punctuation behind [Y]: a model reads from left to right.
 */
#ifndef WINNOW_STUDY_FACTS_H
#define WINNOW_STUDY_FACTS_H

#include "base/json.h"
#include "base/map.h"

/* A line, with views of it; before, middle: what stands in front of [X], and before [Y]. */
struct fact_line {
    struct str subject, object, relation, pattern, before, middle;
};
winnow_status fact_line_read(struct json_value root, struct fact_line *out,
                             struct winnow_error *err);

struct fact {
    uint32_t subject, object, pattern, relation; /* numbers among the names below */
};

/* The objects of one relation. */
struct relation {
    uint32_t *objects;
    size_t count, cap;
};

struct facts {
    struct fact *items;
    size_t count, cap;
    struct map subjects, objects, patterns, relations;
    struct relation *choices; /* of each relation */
    size_t choices_cap;
};
void facts_release(struct facts *f);

/* WINNOW_E_FORMAT names file and line, or the relation that has one object only. */
winnow_status facts_read(const char *path, struct facts *out, struct winnow_error *err);

/* The two parts of a pattern that facts_read() took. */
void pattern_parts(struct str pattern, struct str *before, struct str *middle);

#endif /* WINNOW_STUDY_FACTS_H */
