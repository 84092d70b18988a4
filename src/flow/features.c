/* features.c -- `winnow features`: claims the folder, makes the store, says what was lost. */
#include "winnow/features.h"

#include "base/file.h"
#include "option/tables.h"
#include "run/output_folder.h"
#include "vectors/features.h"

static winnow_status make(const struct winnow_features_options *opt,
                          const struct winnow_list *paths, const struct winnow_env *env,
                          struct output_folder *folder, struct winnow_features_result *result,
                          struct winnow_error *err)
{
    struct buf work = {0};
    struct input_account account = {0};
    const struct features_job job = {.opt = opt,
                                     .paths = *paths,
                                     .output = opt->output,
                                     .work = file_join(&work, opt->output, OUTPUT_CHECKPOINT),
                                     .account = &account};
    winnow_status st = file_make_dirs(job.work, err);
    if (st == WINNOW_OK) {
        st = features_make(&job, env, result, err);
    }
    if (st == WINNOW_OK) {
        output_folder_account(folder, &account);
        st = account_tell_lost(&account, err);
    }
    account_release(&account);
    buf_release(&work);
    return st;
}

winnow_status winnow_features(const struct winnow_features_options *opt,
                              const struct winnow_list *paths, const struct winnow_env *env,
                              struct winnow_features_result *result, struct winnow_error *err)
{
    *result = (struct winnow_features_result){0};
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the vectors go: -o FOLDER");
    }
    TRY(features_check(opt, err));
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_VECTORS,
                                       .table = &FEATURES_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    struct output_folder folder;
    TRY(output_folder_open(&folder, &want, env, err));
    result->nothing_to_do = folder.finished;
    winnow_status st = folder.finished ? WINNOW_OK : make(opt, paths, env, &folder, result, err);
    return output_folder_end(&folder, st, result->documents > 0, err);
}
