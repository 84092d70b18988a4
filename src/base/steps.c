/* steps.c -- what lies between two steps of a long computation. */
#include "base/steps.h"

#include <assert.h>
#include <math.h>

static void tell(const struct steps *s, const struct winnow_env *env, uint64_t done, double loss)
{
    if (s->stage && env->progress) {
        uint64_t unit = s->unit_size;
        const struct winnow_progress p = {s->stage,     s->unit, done * unit,
                                          s->to * unit, loss,    s->from * unit};
        env->progress(env->user, &p);
    }
}

/* What is reported is that it was asked to stop, whatever becomes of the checkpoint. */
static void save_before_stopping(const struct steps *s, const struct winnow_env *env)
{
    struct winnow_error unsaved;
    if (s->save && s->save(s->of, &unsaved) != WINNOW_OK) {
        env_log(env, WINNOW_LOG_WARNING, "no checkpoint: %s", unsaved.text);
    }
}

static winnow_status one_step(const struct steps *s, uint64_t number, double *loss,
                              struct winnow_error *err)
{
    TRY(s->step(s->of, loss, err));
    if (!isfinite(*loss)) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "training diverged at step %llu (the loss is no number); a lower "
                         "learning rate may help",
                         (unsigned long long)number);
    }
    return WINNOW_OK;
}

winnow_status steps_run(const struct steps *s, const struct winnow_env *env,
                        struct winnow_error *err)
{
    assert(s->step && s->from <= s->to && (!s->stage || (s->unit && s->unit_size > 0)));
    double saved_at = env_seconds(), loss = (double)NAN;
    tell(s, env, s->from, loss); /* rates count from here */
    for (uint64_t done = s->from; done < s->to;) {
        winnow_status st = env_check(env, err);
        if (st != WINNOW_OK) {
            save_before_stopping(s, env);
            return st;
        }
        TRY(one_step(s, done + 1, &loss, err));
        tell(s, env, ++done, loss);
        if (s->save && env_seconds() - saved_at >= s->save_seconds) {
            TRY(s->save(s->of, err));
            saved_at = env_seconds();
        }
    }
    return WINNOW_OK;
}
