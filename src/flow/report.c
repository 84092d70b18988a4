/* report.c -- a run folder becomes one page: load, judge, write. */
#include "winnow/report.h"

#include "base/env.h"
#include "base/file.h"
#include "flow/report_ending.h"
#include "option/tables.h"
#include "report/report_sections.h"
#include "run/guard.h"

#include <string.h>

static winnow_status write_out(const struct winnow_report_options *opt, struct str bytes,
                               const struct winnow_env *env, struct winnow_error *err)
{
    const char *output = opt->output ? opt->output : opt->json ? "-" : NULL;
    if (output && strcmp(output, "-") == 0) {
        return env_write(env, bytes, err);
    }
    struct buf path = {0};
    if (!output) {
        output = file_join(&path, opt->run, "report.html");
    }
    winnow_status st = file_write_atomic(output, bytes, err);
    buf_release(&path);
    return st;
}

/* finished: by what the caller knows; else as the folder's mark says. */
static winnow_status report(const struct winnow_report_options *opt, bool finished,
                            const struct winnow_env *env, struct winnow_error *err)
{
    struct report_data data;
    struct report_verdict verdict = {0};
    struct buf page = {0};
    winnow_status st = report_data_load(opt, env->memory_max, &data, err);
    if (st == WINNOW_OK) {
        data.finished = data.finished || finished;
        report_verdict_find(&data, &verdict);
        if (opt->json) {
            report_summary_json(&data, &verdict, &page);
        } else {
            report_page(&data, &verdict, &page);
        }
        st = write_out(opt, buf_str(&page), env, err);
    }
    report_verdict_release(&verdict);
    report_data_release(&data);
    buf_release(&page);
    return st;
}

winnow_status winnow_report(const struct winnow_report_options *opt, const struct winnow_env *env,
                            struct winnow_error *err)
{
    const struct guarded nothing = {0};
    if (opt->output && strcmp(file_base(opt->output), "report.html") != 0) {
        TRY(guard_file(opt->output, &nothing, NULL, NULL, err));
    }
    if (opt->output && opt->run && strcmp(opt->output, "-") != 0) {
        TRY(guard_recorded(opt->run, opt->output, err));
    }
    return report(opt, false, env, err);
}

/* The last thing a run does; its mark is written behind it. */
static winnow_status report_ending(struct run *r, const void *options, const char *key,
                                   struct winnow_error *err)
{
    struct winnow_report_options opt = *(const struct winnow_report_options *)options;
    (void)key; /* the page is written whole each time */
    opt.run = run_folder(r);
    return report(&opt, true, run_env(r), err);
}

winnow_status report_tell(const char *folder, const struct winnow_env *env,
                          struct winnow_error *err)
{
    struct winnow_report_options opt = WINNOW_REPORT_OPTIONS_INIT;
    struct report_data data;
    struct report_verdict verdict = {0};
    opt.run = folder;
    opt.samples = 0;
    winnow_status st = report_data_load(&opt, env->memory_max, &data, err);
    if (st == WINNOW_OK) {
        report_verdict_find(&data, &verdict);
        if (verdict.outcome != OUTCOME_NO_PROOF) {
            env_log(env, WINNOW_LOG_INFO, "%s", buf_cstr(&verdict.headline));
            env_log(env, WINNOW_LOG_INFO, "%s", buf_cstr(&verdict.sentence));
        }
        env_log(env, WINNOW_LOG_INFO, "report: %s/report.html", folder);
    }
    report_verdict_release(&verdict);
    report_data_release(&data);
    return st;
}

const struct ending_kind REPORT_ENDING = {
    .table = &REPORT_TABLE,
    .run = report_ending,
    .product = "report.html",
    .always = true,
};
