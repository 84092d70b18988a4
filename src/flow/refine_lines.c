#include "flow/refine_lines.h"

#include "base/mem.h"
#include "lines/line_refiner.h"

#include <string.h>

static void *reader_new(void *state)
{
    return line_reader_new(state);
}

static void reader_free(void *worker)
{
    line_reader_free(worker);
}

static winnow_status read_programs(void *worker, struct str text, struct arena *keep,
                                   struct program_list *out, struct winnow_error *err)
{
    (void)err;
    struct line_program *programs = NULL;
    size_t count = line_reader_programs(worker, text, -1, keep, &programs);
    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        program_list_add(out, (struct program_text){programs[i].first, programs[i].last,
                                                    programs[i].text, false});
    }
    return WINNOW_OK;
}

static bool is_built_in(const char *refiner)
{
    return strcmp(refiner, "builtin") == 0;
}

bool refine_lines_named(const char *refiner)
{
    return is_built_in(refiner) || line_model_is(refiner);
}

static winnow_status load(const char *refiner, const struct winnow_env *env,
                          struct line_model **model, struct winnow_error *err)
{
    const char *folder = refiner && !is_built_in(refiner) ? refiner : NULL;
    return line_model_load(folder, env->kernels, model, err);
}

winnow_status refine_lines_flops(const char *refiner, const struct winnow_env *env, double *flops,
                                 struct winnow_error *err)
{
    struct line_model *m = NULL;
    TRY(load(refiner, env, &m, err));
    *flops = line_model_flops(m);
    line_model_free(m);
    return WINNOW_OK;
}

winnow_status refine_lines_open(const char *refiner, const struct winnow_env *env,
                                struct line_model **model, struct direct_refiner *out,
                                struct winnow_error *err)
{
    TRY(load(refiner, env, model, err));
    *out = (struct direct_refiner){.state = *model,
                                   .worker_new = reader_new,
                                   .worker_free = reader_free,
                                   .programs = read_programs};
    return WINNOW_OK;
}
