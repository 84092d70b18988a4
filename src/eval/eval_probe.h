/* eval_probe.h -- whether a model goes on with a text as it stands: n-gram completion.
 *
 * As in Xu et al. 2024 (2404.18824): at each of several equidistant points of a text the next n
 * tokens are asked for, greedily, and the answer counts where all of them are the text's own. */
#ifndef WINNOW_EVAL_EVAL_PROBE_H
#define WINNOW_EVAL_EVAL_PROBE_H

#include "eval/eval.h"

struct eval_probe_options {
    uint32_t n;      /* tokens of a completion */
    uint32_t points; /* of a text, from its third token to n before its end */
};

struct eval_probe_score {
    uint32_t asked, right; /* points; 0 of a text too short to have one */
    double nll;            /* of all its tokens */
    uint32_t tokens, cut;  /* predicted; behind the window, not looked at */
};

/* Fills out[0 .. count). */
winnow_status eval_probe(struct eval_scorer *s, const struct str *texts, size_t count,
                         const struct eval_probe_options *opt, struct eval_probe_score *out,
                         struct winnow_error *err);

#endif /* WINNOW_EVAL_EVAL_PROBE_H */
