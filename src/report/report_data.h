/* report_data.h -- a folder's JSON files, held for the report.
 *
 * The folder is a run, a proof, a study, or holds a proof in prove/, a study in study/, or both.
 *
 * Files stay in the form they were parsed in; sections ask for members by path
 * ("documents.in") and get NaN, an empty view or JSON_NONE where there is none.
 * All views hold until report_data_free().
 */
#ifndef WINNOW_REPORT_REPORT_DATA_H
#define WINNOW_REPORT_REPORT_DATA_H

#include "winnow/report.h"

#include "base/arena.h"
#include "base/json.h"

/* A document that is shown. */
struct report_sample {
    struct str id, source, text; /* text: the first REPORT_SAMPLE_BYTES or fewer */
    struct str stage, rule;      /* of a removed one */
    double score, threshold;     /* NaN: none */
    uint64_t order;              /* a hash of the id: samples are those with the least */
    uint64_t text_bytes;         /* of the whole */
};
#define REPORT_SAMPLE_BYTES 1600U

struct report_stage {
    const char *folder;          /* "03-prune" */
    struct str command;          /* "prune" */
    struct json_value stats;     /* stats.json */
    struct json_value prune;     /* prune.json, where the stage is a prune */
    struct json_value refine;    /* refine.json, where it is a refine */
    struct json_value diversify; /* state/diversify.json, where it is a diversify */
    struct json_value near;      /* state/near.json, where it is a dedup by MinHash */
    struct json_value leak;      /* leak.json, where it is a decontaminate */
    struct json_value mix;       /* state/mix.json, where it is a mix */
    struct json_value choice;    /* select.json, where it is a select */
    double tokens;               /* of its documents; NaN */
};

struct report_data {
    const char *folder; /* the run's path as given */
    struct str name;    /* its last part */
    struct report_stage *stages;
    size_t stage_count;
    struct json_value input, timings, proof, proof_timings, study;
    struct str recipe;             /* recipe.yaml */
    bool is_run;                   /* it holds stages; else a proof or a study alone */
    bool finished;                 /* the run folder holds _SUCCESS; the proof has all seeds */
    bool proof_complete;           /* proof is results.json, not partial.json */
    struct report_sample *removed; /* by stage and rule */
    size_t removed_count;
    struct report_sample *before, *after; /* of the first stage's and the last stage's documents */
    size_t before_count, after_count;
    uint64_t memory_max;
    struct arena keep;
    struct json_parser **parsers;
    size_t parser_count, parser_cap;
};

/* memory_max: --memory, for lines of documents to show. */
winnow_status report_data_load(const struct winnow_report_options *opt, uint64_t memory_max,
                               struct report_data *out, struct winnow_error *err);
void report_data_release(struct report_data *d);

/* Reads the samples (report_samples.c); called by report_data_load(). */
winnow_status report_samples_load(const struct winnow_report_options *opt, struct report_data *d,
                                  struct winnow_error *err);

/* The member at a dotted path. */
struct json_value data_get(struct json_value v, const char *path);
double data_number(struct json_value v, const char *path);
struct str data_str(struct json_value v, const char *path);
bool data_is(struct json_value v, const char *path, const char *text);

/* The i-th of a pair such as "interval": [low, high]. */
double data_item(struct json_value array, size_t i);

/* Numbers of an array into an allocation of keep; null gives NaN. */
double *data_numbers(struct json_value array, struct arena *keep, size_t *count);

#endif /* WINNOW_REPORT_REPORT_DATA_H */
