/* cmd_quality.c -- `winnow quality train`. */
#include "winnow/quality.h"

#include "cli/commands.h"
#include "flow/standard_output.h"
#include "option/tables.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void say_aucs(const struct winnow_quality_train_result *r)
{
    if (isnan(r->auc)) {
        (void)printf("held out: %" PRIu64 " good and %" PRIu64
                     " bad documents, too few to measure with (--holdout)\n",
                     r->held_good, r->held_bad);
        return;
    }
    (void)printf("held out: %" PRIu64 " good and %" PRIu64 " bad documents\n", r->held_good,
                 r->held_bad);
    (void)printf("AUC                        %.3f [%.3f, %.3f]\n", r->auc, r->auc_low, r->auc_high);
    (void)printf("AUC of the source alone    %.3f [%.3f, %.3f]  (%" PRIu64 " source%s)\n",
                 r->source_auc, r->source_auc_low, r->source_auc_high, r->sources,
                 r->sources == 1 ? "" : "s");
}

static void say_rater(struct cli *cli, const struct winnow_quality_train_options *o,
                      const struct winnow_quality_train_result *r)
{
    (void)printf("%s: %" PRIu64 " words, %" PRIu64 " judgements of %" PRIu64 " pages, %" PRIu64
                 " steps, loss %.4f, seed %" PRIu64 "\n",
                 cli_field(cli, o->output), r->words, r->pairs, r->pages, r->steps, r->loss,
                 r->seed);
    if (o->smooth) {
        (void)printf("labels smoothed over to the other side: %" PRIu64 "\n", r->pairs_turned);
    }
    if (r->pairs_held == 0) {
        (void)printf("held out: no judgement (--holdout)\n");
        return;
    }
    (void)printf("held out: %" PRIu64 " judgements, %.1f %% of them as the rater says\n",
                 r->pairs_held, 100 * r->held_right);
    (void)printf("their loss: %.4f after one epoch, %.4f at best (after %" PRIu64
                 "), %.4f at the end (after %" PRIu64 ")\n",
                 r->held_loss_first, r->held_loss_best, r->epoch_best, r->held_loss, r->epochs);
}

static void say_silos(struct cli *cli, const struct winnow_quality_train_options *o,
                      const struct winnow_quality_train_result *r)
{
    (void)printf("%s: %" PRIu64 " silos (%" PRIu64 " sit out), %" PRIu64 " good and %" PRIu64
                 " bad documents, %u rounds, %.1f MB crossed, seed %" PRIu64 "\n",
                 cli_field(cli, o->output), r->silos, r->silos_out, r->good, r->bad, o->rounds,
                 (double)r->crossed / 1e6, r->seed);
    (void)printf("left out: %" PRIu64 " good and bad at once, %" PRIu64
                 " doubtful; made of two: %" PRIu64 "\n",
                 r->silo_both, r->silo_doubtful, r->silo_mixtures);
    if (r->held_good + r->held_bad == 0) {
        (void)printf("held out: no document (--holdout)\n");
        return;
    }
    (void)printf("held out: %" PRIu64 " good and %" PRIu64 " bad documents\n", r->held_good,
                 r->held_bad);
    (void)printf("               macro-F1   balanced accuracy   AUC within silos\n");
    (void)printf("federated         %.3f               %.3f              %.3f\n", r->macro_f1,
                 r->balanced, r->auc);
    if (o->centralised) {
        (void)printf("centralised       %.3f               %.3f              %.3f\n",
                     r->central_macro_f1, r->central_balanced, r->central_auc);
    }
}

winnow_status cmd_quality_train(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_quality_train_options options = WINNOW_QUALITY_TRAIN_OPTIONS_INIT;
    struct winnow_quality_train_result r;
    TRY(cli_parse(cli, &QUALITY_TRAIN_TABLE, &options, argc, argv, err));
    if (!options.text.files_from && !options.pairs) {
        TRY(cli_need_paths(cli, &QUALITY_TRAIN_TABLE, 1, SIZE_MAX, err));
    }
    TRY(standard_output_check(&cli->paths, options.text.files_from, &QUALITY_TRAIN_TABLE, &options,
                              err));
    TRY(winnow_quality_train(&options, &cli->paths, &cli->env, &r, err));
    if (options.pairs) {
        say_rater(cli, &options, &r);
        return WINNOW_OK;
    }
    if (options.silos) {
        say_silos(cli, &options, &r);
        return WINNOW_OK;
    }
    (void)printf("%s: %" PRIu64 " words, %" PRIu64 " good and %" PRIu64 " bad documents, %" PRIu64
                 " steps, loss %.4f, seed %" PRIu64 "\n",
                 cli_field(cli, options.output), r.words, r.good, r.bad, r.steps, r.loss, r.seed);
    say_aucs(&r);
    return WINNOW_OK;
}
