/* stage_call.c -- winnow_stage(): a command by name, its options as JSON. */
#include "winnow/stage.h"

#include "flow/run_recipe.h"
#include "flow/stages.h"
#include "option/corpus_options.h"
#include "option/option_json.h"
#include "option/recipe.h"
#include "option/tables.h"

#include <string.h>

/* What stands in the options before what the caller's env says. */
static struct winnow_env merged(const struct winnow_env *env, const struct recipe_common *common,
                                uint64_t given)
{
    struct winnow_env out = *env;
    out.threads =
        given & option_bit(&RECIPE_COMMON_TABLE, "threads") ? common->threads : env->threads;
    out.memory_max =
        given & option_bit(&RECIPE_COMMON_TABLE, "memory") ? common->memory : env->memory_max;
    out.seed = given & option_bit(&RECIPE_COMMON_TABLE, "seed") ? common->seed : env->seed;
    out.kernels = common->kernels ? common->kernels : env->kernels;
    return out;
}

/* A 0 that was given goes before what the recipe says. */
static unsigned from_env(uint64_t given)
{
    return (given & option_bit(&RECIPE_COMMON_TABLE, "threads") ? WINNOW_THREADS_FROM_ENV : 0U) |
           (given & option_bit(&RECIPE_COMMON_TABLE, "memory") ? WINNOW_MEMORY_FROM_ENV : 0U) |
           (given & option_bit(&RECIPE_COMMON_TABLE, "seed") ? WINNOW_SEED_FROM_ENV : 0U);
}

/* One call as it came. */
struct call {
    const char *options, *output;
    const struct winnow_env *env;
    struct winnow_run_result *out;
    struct arena keep; /* of what the options point to */
};

static void begin(struct call *c)
{
    *c->out = (struct winnow_run_result){0};
    c->options = c->options ? c->options : "";
    arena_init(&c->keep, (size_t)1 << 12);
}

/* A recipe: the file at path, or where that is NULL text. */
static winnow_status run_recipe(struct call *c, const char *path, struct str text,
                                struct winnow_error *err)
{
    struct winnow_run_options opt = WINNOW_RUN_OPTIONS_INIT;
    struct recipe_common common = {0};
    uint64_t given = 0;
    const struct option_set sets[] = {{&RUN_TABLE, &opt, NULL},
                                      {&RECIPE_COMMON_TABLE, &common, &given}};
    TRY(option_read_json(sets, 2, str_of(c->options), &c->keep, err));
    opt.output = c->output ? c->output : opt.output;
    opt.from_env = from_env(given);
    const struct winnow_env with = merged(c->env, &common, given);
    return path ? winnow_run(path, &opt, &with, c->out, err)
                : run_recipe_text(text, &opt, &with, c->out, err);
}

static winnow_status run_stage(struct call *c, const struct stage_kind *kind,
                               const struct winnow_list *paths, struct winnow_error *err)
{
    struct winnow_corpus_options corpus = WINNOW_CORPUS_OPTIONS_INIT;
    struct recipe_common common = {0};
    uint64_t given = 0;
    void *values = arena_alloc(&c->keep, 1, kind->table->size);
    const struct option_set sets[] = {{kind->table, values, NULL},
                                      {&CORPUS_TABLE, &corpus, NULL},
                                      {&RECIPE_COMMON_TABLE, &common, &given}};
    memcpy(values, kind->table->defaults, kind->table->size);
    TRY(option_read_json(sets, 3, str_of(c->options), &c->keep, err));
    corpus.output = c->output ? c->output : corpus.output;
    const struct winnow_env with = merged(c->env, &common, given);
    if (paths->count == 0 && !corpus.files_from) {
        return error_set(err, WINNOW_E_USAGE, "%s: no input is named", kind->table->command);
    }
    return flow_stage(kind->table->command, values, &corpus, *paths, &with, c->out, err);
}

static winnow_status refuse(const char *command, struct winnow_error *err)
{
    struct buf names = {0};
    for (size_t i = 0; STAGE_KINDS[i]; i++) {
        buf_addf(&names, "%s, ", STAGE_KINDS[i]->table->command);
    }
    winnow_status st = error_set(err, WINNOW_E_USAGE,
                                 "no command '%s' leads from corpus to corpus; there are %sand run",
                                 command, buf_cstr(&names));
    buf_release(&names);
    return st;
}

static winnow_status run_command(struct call *c, const char *command,
                                 const struct winnow_list *paths, struct winnow_error *err)
{
    const struct stage_kind *kind = stage_kind_find(str_of(command));
    if (kind) {
        return run_stage(c, kind, paths, err);
    }
    if (strcmp(command, RUN_TABLE.command) != 0) {
        return refuse(command, err);
    }
    if (paths->count != 1) {
        return error_set(err, WINNOW_E_USAGE, "run takes one path, a recipe's; there are %zu",
                         paths->count);
    }
    return run_recipe(c, paths->items[0], (struct str){"", 0}, err);
}

winnow_status winnow_stage(const char *command, const char *options,
                           const struct winnow_list *paths, const char *output,
                           const struct winnow_env *env, struct winnow_run_result *out,
                           struct winnow_error *err)
{
    struct call c = {.options = options, .output = output, .env = env, .out = out};
    begin(&c);
    winnow_status st = run_command(&c, command, paths, err);
    arena_release(&c.keep);
    return st;
}

winnow_status winnow_run_text(const char *recipe, const char *options, const char *output,
                              const struct winnow_env *env, struct winnow_run_result *out,
                              struct winnow_error *err)
{
    struct call c = {.options = options, .output = output, .env = env, .out = out};
    begin(&c);
    winnow_status st = run_recipe(&c, NULL, str_of(recipe), err);
    arena_release(&c.keep);
    return st;
}
