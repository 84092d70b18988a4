/* report.h -- the report of a run folder, of a proof or of a study, or of a folder that holds these
 * two as prove/ and study/.
 *
 *     struct winnow_report_options opt = WINNOW_REPORT_OPTIONS_INIT;
 *     opt.run = "runs/debian-docs";
 *     TRY(winnow_report(&opt, &env, &err));
 *
 * One HTML file that holds everything it shows: no script, no font, no picture
 * from elsewhere.  It reads what the run wrote (docs/formats/run.md and
 * prove.md) and leaves out the sections whose files are not there.  The same
 * folder gives the same bytes.
 */
#ifndef WINNOW_REPORT_H
#define WINNOW_REPORT_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_report_options {
    const char *run;    /* the folder */
    const char *output; /* NULL: report.html in the run folder; "-": to env->write */
    bool json;          /* the summary as JSON instead; output NULL is then "-" */
    uint32_t samples;   /* documents shown for each reason of removal and each corpus */
};
#define WINNOW_REPORT_OPTIONS_INIT (WINNOW_NEW(winnow_report_options){.samples = 3})

/* WINNOW_E_IO where a file cannot be read or written, WINNOW_E_USAGE where the
 * folder holds nothing to report on, WINNOW_E_FORMAT where one of its files is torn. */
WINNOW_API winnow_status winnow_report(const struct winnow_report_options *opt,
                                       const struct winnow_env *env, struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_REPORT_H */
