/* run_recipe.c -- `winnow run`: a recipe's stages, then the proof, then the report. */
#include "flow/run_recipe.h"

#include "base/mem.h"
#include "flow/report_ending.h"
#include "flow/stages.h"
#include "option/recipe.h"

/* Option tables of all stages, for the recipe reader. */
static void stage_tables(const struct option_table *tables[], size_t max)
{
    size_t n = 0;
    for (; STAGE_KINDS[n] && n + 1 < max; n++) {
        tables[n] = STAGE_KINDS[n]->table;
    }
    tables[n] = NULL;
}

static void ending_tables(const struct option_table *tables[], size_t max)
{
    size_t n = 0;
    for (; ENDING_KINDS[n] && n + 1 < max; n++) {
        tables[n] = ENDING_KINDS[n]->table;
    }
    tables[n] = NULL;
}

/* What the caller gave goes before what the recipe says, a given 0 too. */
static struct winnow_env merged_env(const struct winnow_env *env, unsigned from_env,
                                    const struct recipe_common *common)
{
    struct winnow_env out = *env;
    if (env->threads == 0 && !(from_env & WINNOW_THREADS_FROM_ENV)) {
        out.threads = common->threads;
    }
    if (env->memory_max == 0 && !(from_env & WINNOW_MEMORY_FROM_ENV)) {
        out.memory_max = common->memory;
    }
    if (env->seed == 0 && !(from_env & WINNOW_SEED_FROM_ENV)) {
        out.seed = common->seed;
    }
    if (out.memory_max > 0) {
        mem_give_back();
    }
    out.kernels = env->kernels ? env->kernels : common->kernels;
    return out;
}

static void override(struct winnow_corpus_options *corpus, const struct winnow_run_options *opt)
{
    corpus->output = opt->output ? opt->output : corpus->output;
    corpus->limit = opt->limit ? opt->limit : corpus->limit;
    corpus->dry_run = opt->dry_run || corpus->dry_run;
    corpus->checkpoint = opt->checkpoint >= 0 ? opt->checkpoint : corpus->checkpoint;
}

/* An ending runs when the recipe has its section, or when it wants no asking. */
static size_t make_endings(const struct recipe *recipe, struct run_ending *endings)
{
    size_t n = 0;
    for (size_t i = 0; ENDING_KINDS[i]; i++) {
        const struct ending_kind *kind = ENDING_KINDS[i];
        const void *options = recipe->sections[i].options;
        if (!options && !kind->always) {
            continue;
        }
        endings[n++] = (struct run_ending){.name = kind->table->command,
                                           .table = kind->table,
                                           .options = options ? options : kind->table->defaults,
                                           .run = kind->run,
                                           .check = kind->check,
                                           .estimate = kind->estimate,
                                           .product = kind->product,
                                           .uses_kernels = kind->uses_kernels};
    }
    return n;
}

/* With -o - there is no folder for what comes behind the stages. */
static void warn_of_endings(const struct recipe *recipe, const struct winnow_env *env)
{
    if (!recipe->corpus.output || strcmp(recipe->corpus.output, "-") != 0) {
        return;
    }
    for (size_t i = 0; ENDING_KINDS[i]; i++) {
        if (recipe->sections[i].options) {
            env_log(env, WINNOW_LOG_WARNING,
                    "%s of the recipe is left out: with -o - there is no run folder for it; give "
                    "-o FOLDER",
                    ENDING_KINDS[i]->table->command);
        }
    }
}

static winnow_status run_it(const char *path, struct recipe *recipe,
                            const struct winnow_run_options *opt, const struct winnow_env *env,
                            struct winnow_run_result *out, struct winnow_error *err)
{
    const struct winnow_env merged = merged_env(env, opt->from_env, &recipe->common);
    struct run_ending endings[ENDING_KINDS_MAX];
    struct run_step *steps = ARENA_NEW(&recipe->keep, struct run_step, recipe->stage_count);
    override(&recipe->corpus, opt);
    for (size_t i = 0; i < recipe->stage_count; i++) {
        steps[i].kind = stage_kind_find(str_of(recipe->stages[i].table->command));
        steps[i].options = recipe->stages[i].options;
    }
    struct run_request request = {
        .paths = recipe->input,
        .corpus = &recipe->corpus,
        .steps = steps,
        .count = recipe->stage_count,
        .endings = endings,
        .ending_count = make_endings(recipe, endings),
        .recipe = path,
        .env = &merged,
    };
    warn_of_endings(recipe, &merged);
    winnow_status st = run_do(&request, out, err);
    out->to_stdout = recipe->corpus.output && strcmp(recipe->corpus.output, "-") == 0;
    bool to_folder = recipe->corpus.output && strcmp(recipe->corpus.output, "-") != 0;
    if (out->complete && to_folder && !recipe->corpus.dry_run) { /* also where inputs were lost */
        struct winnow_error second;
        winnow_status told = report_tell(recipe->corpus.output, &merged, &second);
        if (st == WINNOW_OK && told != WINNOW_OK) {
            *err = second;
            st = told;
        }
    }
    return st;
}

/* From the file at path, or where that is NULL from text. */
static winnow_status read_and_run(const char *path, struct str text,
                                  const struct winnow_run_options *opt,
                                  const struct winnow_env *env, struct winnow_run_result *out,
                                  struct winnow_error *err)
{
    const struct option_table *stages[STAGE_KINDS_MAX + 1], *endings[ENDING_KINDS_MAX + 1];
    const struct recipe_tables tables = {stages, endings};
    struct recipe recipe;
    stage_tables(stages, STAGE_KINDS_MAX + 1);
    ending_tables(endings, ENDING_KINDS_MAX + 1);
    *out = (struct winnow_run_result){0};
    winnow_status st = path ? recipe_read(path, &tables, &recipe, err)
                            : recipe_parse(text, "recipe", &tables, &recipe, err);
    if (st == WINNOW_OK) {
        st = run_it(path, &recipe, opt, env, out, err);
    }
    recipe_release(&recipe);
    return st;
}

winnow_status winnow_run(const char *path, const struct winnow_run_options *opt,
                         const struct winnow_env *env, struct winnow_run_result *out,
                         struct winnow_error *err)
{
    return read_and_run(path, (struct str){0}, opt, env, out, err);
}

winnow_status run_recipe_text(struct str text, const struct winnow_run_options *opt,
                              const struct winnow_env *env, struct winnow_run_result *out,
                              struct winnow_error *err)
{
    return read_and_run(NULL, text, opt, env, out, err);
}
