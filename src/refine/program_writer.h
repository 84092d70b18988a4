/* program_writer.h -- prompts in, program texts out.
 *
 * A writer is a refiner at work: our own engine (writer_builtin.h) or a server
 * (writer_http.h).  Requests are worked on side by side, in whatever order the
 * writer likes, and answered in the order in which they came:
 *
 *     while (more to ask || waiting > 0) {
 *         while (more to ask && waiting < program_writer_window(w)) {
 *             TRY(program_writer_submit(w, &request, err));      never waits
 *             waiting++;
 *         }
 *         TRY(program_writer_next(w, &answer, err));             waits for the oldest
 *         waiting--;
 *     }
 *
 * One thread at a time calls; what threads the writer has are its own.  The text
 * of an answer is data from outside: whatever it says, only the strict parser
 * (program.h) decides what it means.
 */
#ifndef WINNOW_REFINE_PROGRAM_WRITER_H
#define WINNOW_REFINE_PROGRAM_WRITER_H

#include "base/error.h"
#include "base/str.h"
#include "program/program_grammar.h"

/* What is asked.  Everything is borrowed until program_writer_submit() returns. */
struct writer_request {
    /* The whole prompt, chat template included, without BOS.  Texts of documents
     * may hold what looks like a special token of the template; tokens below were
     * made so that it is none. */
    struct str prompt;
    /* The same as ids, with one BOS where the model has one.  NULL where no
     * tokenizer is at hand. */
    const uint32_t *tokens;
    size_t token_count;
    /* What the prompt was rendered from, for servers that apply a chat template
     * themselves; system may be empty. */
    struct str system, user;

    uint32_t new_tokens;                        /* the answer ends here at the latest */
    const struct program_grammar_spec *grammar; /* NULL: any text */
    bool prose; /* a text, no program: lines may come again and again */
    /* Of a writer's chance: 0 takes the likeliest token, and seed is of no account. */
    double temperature;
    uint64_t seed;
    uint64_t tag; /* comes back with the answer */
};

enum writer_outcome {
    WRITER_STOPPED, /* the model ended it */
    WRITER_CUT,     /* new_tokens were written, or the context was full */
    WRITER_LOOPED,  /* it repeated itself, and the text ends there (program_loop.h) */
    WRITER_REFUSED, /* this request cannot be answered (longer than the context, a server's 4xx
                     * that is about the request): no text, and a reason */
};

/* A token whose choice was close. */
struct writer_tie {
    uint32_t
        at; /* the byte of the text where it starts; the text's length: the one that ended it */
    float margin;
};
#define WRITER_TIES      8U   /* the closest of an answer */
#define WRITER_TIE_BELOW 0.1F /* and only closer than this */

struct writer_answer {
    uint64_t tag;
    enum writer_outcome outcome;
    struct str text; /* without end-of-text and template tokens; any bytes */
    struct str reason;
    uint32_t prompt_tokens, new_tokens; /* 0 where it is not known */
    /* The least distance between the best and the second best logit over the
     * tokens of the answer: small where two engines may differ.  NaN: not known. */
    double margin;
    const struct writer_tie *ties; /* in the order of the text */
    size_t tie_count;
};

struct program_writer;

/* One row a kind of writer.  The functions have the meaning of those below. */
struct program_writer_kind {
    const char *name; /* "builtin", "http" */
    winnow_status (*submit)(struct program_writer *w, const struct writer_request *request,
                            struct winnow_error *err);
    winnow_status (*next)(struct program_writer *w, struct writer_answer *answer,
                          struct winnow_error *err);
    void (*free)(struct program_writer *w); /* with requests waiting, too */
};

/* The head of every writer; its kind's own fields follow. */
struct program_writer {
    const struct program_writer_kind *kind;
    uint32_t window;
};

/* How many requests may wait for their answers at once, at least 1. */
static inline uint32_t program_writer_window(const struct program_writer *w)
{
    return w->window;
}

/* Takes a request.  Never with program_writer_window() of them waiting. */
static inline winnow_status program_writer_submit(struct program_writer *w,
                                                  const struct writer_request *request,
                                                  struct winnow_error *err)
{
    return w->kind->submit(w, request, err);
}

/* The answer to the oldest request.  Never with none waiting.  Its views are valid
 * until the next call on w.  A failure (a server that stays away after all retries,
 * WINNOW_E_CANCELLED) is the writer's end: only program_writer_free() may follow. */
static inline winnow_status program_writer_next(struct program_writer *w,
                                                struct writer_answer *answer,
                                                struct winnow_error *err)
{
    return w->kind->next(w, answer, err);
}

/* NULL is allowed. */
static inline void program_writer_free(struct program_writer *w)
{
    if (w) {
        w->kind->free(w);
    }
}

#endif /* WINNOW_REFINE_PROGRAM_WRITER_H */
