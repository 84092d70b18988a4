/* stages.c -- the registry: every stage and every ending, wherever they live.
 *
 * It is the only place that knows all methods; recipes, help and the commands from
 * corpus to corpus find them by name here. */
#include "flow/stages.h"

#include "blocklist/blocklist.h"
#include "dedup/dedup.h"
#include "flow/encode_ending.h"
#include "flow/prove.h"
#include "flow/report_ending.h"
#include "flow/tokens.h"
#include "groups/diversify.h"
#include "language/language.h"
#include "leak/decontaminate.h"
#include "mask/mask.h"
#include "math/kernels.h"
#include "mix/mix.h"
#include "pages/extract.h"
#include "prune/holdout.h"
#include "prune/prune.h"
#include "prune/score.h"
#include "quality/quality.h"
#include "refine/refine.h"
#include "rules/rules_stage.h"
#include "select/select.h"
#include "synth/synthesize.h"

/* clang-format off: a row each, so that two who add one do not meet */
const struct stage_kind *const STAGE_KINDS[] = {
    &EXTRACT_STAGE,    &HOLDOUT_STAGE, &RULES_STAGE, &REFINE_STAGE,    &DEDUP_STAGE,
    &QUALITY_STAGE,    &SCORE_STAGE,   &PRUNE_STAGE, &SELECT_STAGE,    &DECONTAMINATE_STAGE,
    &LANGUAGE_STAGE,   &MIX_STAGE,     &MASK_STAGE,  &BLOCKLIST_STAGE, &DIVERSIFY_STAGE,
    &SYNTHESIZE_STAGE, NULL,
};

const struct ending_kind *const ENDING_KINDS[] = {
    &PROVE_ENDING,  &TOKENS_ENDING, /* under the tokenizer of the proof */
    &ENCODE_ENDING, &REPORT_ENDING, NULL,
};
/* clang-format on */

const struct stage_kind *stage_kind_find(struct str name)
{
    for (size_t i = 0; STAGE_KINDS[i]; i++) {
        if (str_is(name, STAGE_KINDS[i]->table->command)) {
            return STAGE_KINDS[i];
        }
    }
    return NULL;
}

winnow_status flow_stage(const char *command, const void *options,
                         const struct winnow_corpus_options *corpus, struct winnow_list paths,
                         const struct winnow_env *env, struct winnow_run_result *out,
                         struct winnow_error *err)
{
    const struct run_step step = {stage_kind_find(str_of(command)), options};
    if (!step.kind) {
        return error_set(err, WINNOW_E_INTERNAL, "no stage '%s'", command);
    }
    struct run_request request = {
        .paths = paths, .corpus = corpus, .steps = &step, .count = 1, .env = env};
    TRY(kernels_asked(env->kernels, &request.kernels, err));
    return run_do(&request, out, err);
}
