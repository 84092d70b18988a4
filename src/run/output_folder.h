/* output_folder.h -- the folder of a command whose result is one thing: a model, a
 * refiner.
 *
 *     struct output_folder o;
 *     TRY(output_folder_open(&o, &want, env, err));       checks, claims, compares
 *     if (!o.finished) { st = ... work, resuming what is there ... }
 *     return output_folder_end(&o, st, made, err);
 *
 * A folder with a finished result of other settings is left alone unless env->force.
 * A result of the same settings whose input has changed since, and what was left half
 * done, is done anew, saying so.
 *
 * What is gone on with lies in its folder OUTPUT_CHECKPOINT, which stays until the
 * result is whole and marked as finished: a call that ends anywhere in between costs
 * no work, and nothing but the mark says that all is done.
 */
#ifndef WINNOW_RUN_OUTPUT_FOLDER_H
#define WINNOW_RUN_OUTPUT_FOLDER_H

#include "base/claim.h"
#include "corpus/account.h"
#include "run/command_key.h"
#include "run/guard.h"

#define OUTPUT_CHECKPOINT "checkpoint"

struct output_wanted {
    const char *path, *kind; /* base/claim.h */
    const struct option_table *table;
    const void *options;
    const struct winnow_list *paths; /* corpora read */
    bool uses_kernels;
};

struct output_folder {
    const struct output_wanted *want;
    struct claim now; /* what is asked for */
    bool finished;    /* by an earlier call with the same key: nothing is left to do */
    bool fresh;       /* there was no such folder */
    bool refused;     /* set by who found that the call cannot be: a fresh folder goes again */
    bool unsettled;   /* the key says more than could be read: the next call does it anew */
    int lock;
};

winnow_status output_folder_open(struct output_folder *o, const struct output_wanted *want,
                                 const struct winnow_env *env, struct winnow_error *err);

/* Ends what output_folder_open() began, whatever came of it; a result that was finished before
 * stays as it is.  st is what the work ended with; made: all of the result is there, though st may
 * say that not all of the input could be read, which the next call then says again.  A result that
 * could not be written is none. */
winnow_status output_folder_end(struct output_folder *o, winnow_status st, bool made,
                                struct winnow_error *err);

/* What could not be read of the input.  What the system refused once and gives by now is
 * part of the key and not of the result, which counts as unsettled. */
void output_folder_account(struct output_folder *o, const struct input_account *a);

#endif /* WINNOW_RUN_OUTPUT_FOLDER_H */
