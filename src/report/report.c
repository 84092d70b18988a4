/* report.c -- a run folder becomes one page: load, judge, write. */
#include "winnow/report.h"

#include "base/file.h"
#include "report/report_sections.h"

#include <string.h>
#include <unistd.h>

static winnow_status write_out(const struct winnow_report_options *opt, struct str bytes,
                               struct winnow_error *err)
{
    const char *output = opt->output ? opt->output : opt->json ? "-" : NULL;
    if (output && strcmp(output, "-") == 0) {
        return file_write_fd(STDOUT_FILENO, bytes, "standard output", err);
    }
    struct buf path = {0};
    if (!output) {
        output = file_join(&path, opt->run, "report.html");
    }
    winnow_status st = file_write_atomic(output, bytes, err);
    buf_release(&path);
    return st;
}

winnow_status winnow_report(const struct winnow_report_options *opt, const struct winnow_env *env,
                            struct winnow_error *err)
{
    struct report_data data;
    struct report_verdict verdict = {0};
    struct buf page = {0};
    (void)env; /* nothing here takes long enough to report on */
    winnow_status st = report_data_load(opt, &data, err);
    if (st == WINNOW_OK) {
        report_verdict_find(&data, &verdict);
        if (opt->json) {
            report_summary_json(&data, &verdict, &page);
        } else {
            report_page(&data, &verdict, &page);
        }
        st = write_out(opt, buf_str(&page), err);
    }
    report_verdict_release(&verdict);
    report_data_release(&data);
    buf_release(&page);
    return st;
}
