/* refine_sums.h -- what the programs of a stage came to: refine.json.
 * docs/formats/run.md has its members. */
#ifndef WINNOW_REFINE_REFINE_SUMS_H
#define WINNOW_REFINE_REFINE_SUMS_H

#include "winnow/refine.h"

#include "program/program.h"
#include "program/prox.h"

#define REFINE_EXAMPLES      12U   /* documents shown with both texts */
#define REFINE_EXAMPLE_BYTES 8000U /* of each text */
#define REFINE_REASONS       48U   /* kinds of reasons counted apart */

/* A document that was changed; those with the least order are shown. */
struct refine_example {
    uint64_t order; /* a hash of the id */
    char *id, *before, *after, *programs;
    bool before_cut, after_cut, dropped;
};

/* All-zero is none. */
struct refine_sums {
    uint64_t documents, with_program, dropped, emptied, edited;
    uint64_t structured, stale; /* documents with the structure of their page, with another's */
    uint64_t text_bytes, text_bytes_kept, lines, lines_removed, bytes_removed, bytes_added;
    uint64_t programs, programs_of_documents, unknown;
    uint64_t calls, ill_formed, rejected, no_ops;
    uint64_t accepted[PROGRAM_OPS], refused[PROGRAM_OPS];
    uint64_t matches[PROGRAM_OPS];
    struct {
        const char *text; /* static */
        uint64_t count;
    } reasons[REFINE_REASONS];
    uint64_t prox_reverted, prox_refused;
    /* From the store, where a refiner was asked. */
    uint64_t asked, cut, looped, refusals, skipped, shown_in_part, prompt_tokens, new_tokens;
    struct refine_example examples[REFINE_EXAMPLES];
    size_t example_count;
    char *heard[REFINE_REASONS]; /* texts of reasons that only other ranks met */
    size_t heard_count;
};

void refine_sums_release(struct refine_sums *s);

/* Adds what one document's sums came to, taking its example over. */
void refine_sums_add(struct refine_sums *s, struct refine_sums *one);

/* All of it as bytes for other ranks, and that of another one added. */
void refine_sums_tell(const struct refine_sums *s, struct buf *out);
winnow_status refine_sums_hear(struct refine_sums *s, struct str told, struct winnow_error *err);

/* Counts the calls of one program, after its execution. */
void refine_sums_calls(struct refine_sums *one, const struct program *p);

/* Whether a document of that id could still become one of the examples of s. */
bool refine_sums_wants(const struct refine_sums *s, struct str id);

/* Offers a changed document as an example. */
void refine_sums_offer(struct refine_sums *s, struct str id, struct str before, struct str after,
                       struct str programs, bool dropped);

/* What is written beside the sums. */
struct refine_description {
    const char *dialect, *refiner, *engine, *level; /* refiner NULL: programs from a file */
    double flops_a_token, flops_a_line;             /* of the refiner; 0: not known */
};

/* What the refiner computed; 0 where that is not known. */
double refine_sums_flops(const struct refine_sums *s, const struct refine_description *d);
winnow_status refine_sums_write(const struct refine_sums *s, const struct refine_description *d,
                                const char *path, struct winnow_error *err);

#endif /* WINNOW_REFINE_REFINE_SUMS_H */
