/* run_recipe.c -- a recipe from its file to its run folder: run_recipe RECIPE.yaml FOLDER
 *
 * Killed at any moment and started again, it goes on where it stood. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <winnow/stage.h>

static volatile int cancel;

static void on_signal(int number)
{
    (void)number;
    cancel = 1;
}

static void show(void *user, enum winnow_level level, const char *text)
{
    (void)user;
    if (level >= WINNOW_LOG_INFO) {
        (void)fprintf(stderr, "%s\n", text);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: run_recipe RECIPE.yaml FOLDER\n");
        return 2;
    }
    const char *const items[] = {argv[1]};
    const struct winnow_list paths = {items, 1};
    const struct winnow_env env = {.log = show, .cancel = &cancel};
    struct winnow_run_result result;
    struct winnow_error err;
    (void)signal(SIGINT, on_signal);
    winnow_status st =
        winnow_stage("run", "{\"memory\": \"1G\"}", &paths, argv[2], &env, &result, &err);
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)printf("%" PRIu64 " documents in, %" PRIu64 " kept\n", result.documents_in,
                 result.documents_kept);
    return 0;
}
