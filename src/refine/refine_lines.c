/* refine_lines.c -- the line model as a refiner that answers at once.
 *
 * Language models are asked in batches through a program_writer; this one needs no
 * batch, so a worker asks it document by document. */
#include "refine/refine_lines.h"

#include "base/mem.h"
#include "lines/line_refiner.h"

#include <string.h>

struct lines_worker {
    struct line_reader *reader;
    struct line_limits limits;
};

static void *worker_new(void *state)
{
    const struct refine_lines *lines = state;
    struct lines_worker *w = mem_zalloc(sizeof *w);
    *w = (struct lines_worker){line_reader_new(lines->model), lines->limits};
    return w;
}

static void worker_free(void *worker)
{
    struct lines_worker *w = worker;
    line_reader_free(w->reader);
    mem_free(w);
}

static winnow_status read_programs(void *worker, const struct document *d, struct arena *keep,
                                   struct program_list *out, struct winnow_error *err)
{
    (void)err;
    const struct lines_worker *w = worker;
    struct line_program *programs = NULL;
    struct page_structure structure;
    bool known = structure_of_document(d, keep, &structure) == STRUCTURE_READ;
    size_t count =
        line_reader_programs(w->reader, (struct line_text){d->text, known ? &structure : NULL},
                             w->limits, keep, &programs);
    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        program_list_add(out, (struct program_text){programs[i].first, programs[i].last,
                                                    programs[i].text, programs[i].of_document});
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

winnow_status refine_lines_open(const struct winnow_refine_options *opt,
                                const struct winnow_env *env, struct refine_lines *lines,
                                struct direct_refiner *out, struct winnow_error *err)
{
    TRY(load(opt->refiner, env, &lines->model, err));
    lines->limits = (struct line_limits){.keep_above = -1, .drop_below = opt->drop_below};
    *out = (struct direct_refiner){.state = lines,
                                   .worker_new = worker_new,
                                   .worker_free = worker_free,
                                   .programs = read_programs};
    return WINNOW_OK;
}

void refine_lines_release(struct refine_lines *lines)
{
    line_model_free(lines->model);
    *lines = (struct refine_lines){0};
}
