/* eval_results.h -- what was measured, as JSON and as a table.
 *
 * The JSON has the shape of lm-evaluation-harness' results file: `results` by
 * task with acc, acc_norm and *_stderr, `groups`, `group_subtasks`, `versions`,
 * `n-shot`, `n-samples`, `higher_is_better`, `config`.  docs/formats/eval.md
 * lists what is added. */
#ifndef WINNOW_EVAL_EVAL_RESULTS_H
#define WINNOW_EVAL_EVAL_RESULTS_H

#include "base/json_write.h"
#include "eval/eval.h"

/* NLL of one domain's documents. */
struct eval_domain {
    struct str name; /* empty: all */
    uint64_t documents;
    struct eval_text_nll sum;
    double nll_stderr, bits_per_byte_stderr; /* of the ratios, over documents */
};

/* The domain's figures from its documents'; count may be 0. */
void eval_domain_of(struct str name, const struct eval_text_nll *documents, size_t count,
                    struct eval_domain *out);

struct eval_report {
    const struct eval_domain *domains; /* the first is all of them; none: no documents */
    size_t domain_count;
    const struct eval_suite *suite;
    const struct eval_item_score *scores;
    uint32_t shots;
    struct str config; /* a JSON object: model, settings */
    struct str probe;  /* one: `eval --leak-probe`; empty: none */
};

void eval_report_json(const struct eval_report *r, struct buf *out);
void eval_report_table(const struct eval_report *r, struct buf *out);

#endif /* WINNOW_EVAL_EVAL_RESULTS_H */
