/* text.h -- one text at a time, in memory: refine, measure, score, encode, extract.
 *
 *     struct winnow_refiner *r;
 *     if (winnow_refiner_open(NULL, &env, &r, &err) == WINNOW_OK) {
 *         struct winnow_refined refined;
 *         if (winnow_refiner_text(r, text, len, &refined, &err) == WINNOW_OK) {
 *             fwrite(refined.text.ptr, 1, refined.text.len, stdout);
 *             winnow_refined_free(&refined);
 *         }
 *         winnow_refiner_close(r);
 *     }
 *
 * The stages of a run say of a text what these say.  A text is UTF-8 of any length, need
 * not end with NUL and is borrowed for the call; a line is what stands between two "\n".
 * Options are JSON objects, or NULL, read by the table of the command that is named with
 * each function (winnow_options_json()); those that concern corpora and folders have no
 * meaning here.
 *
 * What *_open() gives may be used from any number of threads at once, until *_close(), which
 * accepts NULL and may not run beside anything else on the same object.  Results belong to the
 * caller and are freed by the function named; on failure they are empty.  What env points to
 * (user, cancel) must live as long as the object; its log and progress are not called.
 *
 * Every function can fail with WINNOW_E_USAGE (options), WINNOW_E_NOMEM (a text too large) and
 * what stands with it.
 */
#ifndef WINNOW_TEXT_H
#define WINNOW_TEXT_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- refining ---- */

struct winnow_refined {
    bool kept;                 /* false: the program drops the document, or leaves nothing of it */
    bool changed;              /* the text is not what it was */
    struct winnow_bytes text;  /* what is left; empty where it is not kept */
    struct winnow_bytes calls; /* a JSON array: {"call", "line", "from", "to", "matches"} for each
                                * call, "rejected" with the reason in place of what it did;
                                * "prox": one object with its counts */
    struct winnow_bytes program; /* of winnow_refiner_text(): a call a line; else empty */
    uint64_t lines, lines_removed;
    uint64_t calls_accepted, calls_rejected;
};
WINNOW_API void winnow_refined_free(struct winnow_refined *r);

/* Executes a program (docs/formats/programs.md) on the whole text.  What is no call of
 * dialect (enum winnow_refine_dialect of refine.h) is a rejected call and no failure.  A
 * program cannot bring in text that is neither in the document nor written in it. */
WINNOW_API winnow_status winnow_refine_text(const char *text, size_t len, const char *program,
                                            size_t program_len, int dialect,
                                            struct winnow_refined *out, struct winnow_error *err);

/* A line model, which judges the lines of a text.  Options of "refine": refiner (NULL or
 * "builtin": the one inside the library; else the folder of one that `winnow refiner lines`
 * made), drop-below.  Other refiners speak through the stage.  WINNOW_E_FORMAT, WINNOW_E_IO
 * where the folder cannot be read. */
struct winnow_refiner;
WINNOW_API winnow_status winnow_refiner_open(const char *options, const struct winnow_env *env,
                                             struct winnow_refiner **out, struct winnow_error *err);
WINNOW_API void winnow_refiner_close(struct winnow_refiner *r);

/* Asks it for a program and executes that. */
WINNOW_API winnow_status winnow_refiner_text(struct winnow_refiner *r, const char *text, size_t len,
                                             struct winnow_refined *out, struct winnow_error *err);

/* ---- rules ---- */

#define WINNOW_RULES_VALUES_MAX 64

struct winnow_rules_result {
    bool kept;        /* no limit is broken */
    const char *rule; /* the first limit that is ("gopher.words_min"), or NULL; lives on */
    double value;     /* what was measured there, and the limit; NaN without a rule */
    double limit;
    size_t count; /* of values, those of sets that were not asked for are NaN, as is what a
                   * text without words has no value of; winnow_rules_value_name() says
                   * what each is */
    double values[WINNOW_RULES_VALUES_MAX];
    struct winnow_bytes text; /* with the option edit, where the text is kept and c4 cuts lines
                               * of it: what is left; else empty */
};
WINNOW_API void winnow_rules_result_free(struct winnow_rules_result *r);

/* "gopher__words", as in attributes; NULL past the last. */
WINNOW_API const char *winnow_rules_value_name(size_t i);

/* Measures and judges.  Options of "rules": sets, edit and the limits. */
struct winnow_rules;
WINNOW_API winnow_status winnow_rules_open(const char *options, struct winnow_rules **out,
                                           struct winnow_error *err);
WINNOW_API void winnow_rules_close(struct winnow_rules *r);
WINNOW_API winnow_status winnow_rules_text(struct winnow_rules *r, const char *text, size_t len,
                                           struct winnow_rules_result *out,
                                           struct winnow_error *err);

/* ---- scores ---- */

struct winnow_text_view {
    const char *ptr;
    size_t len; /* bytes */
};

struct winnow_text_score {
    double nll;      /* mean of -ln p over its tokens, in nats (score.h); NaN: none is scored */
    uint64_t tokens; /* scored */
};

/* Options of "score": model (a folder or .gguf, needed), tokenizer, window, stride, compute,
 * fixed-length, which here takes the first so many tokens without the correction that a
 * corpus would give.  WINNOW_E_FORMAT, WINNOW_E_IO where model or tokenizer cannot be read,
 * WINNOW_E_LIMIT where env->memory_max does not hold them. */
struct winnow_scorer;
WINNOW_API winnow_status winnow_scorer_open(const char *options, const struct winnow_env *env,
                                            struct winnow_scorer **out, struct winnow_error *err);
WINNOW_API void winnow_scorer_close(struct winnow_scorer *s);

/* Scores count texts on env->threads threads into scores, an array of count.  A score
 * depends on its text alone.  Calls from several threads wait for each other. */
WINNOW_API winnow_status winnow_scorer_texts(struct winnow_scorer *s,
                                             const struct winnow_text_view *texts, size_t count,
                                             struct winnow_text_score *scores,
                                             struct winnow_error *err);

/* ---- tokens ---- */

struct winnow_ids {
    uint32_t *ptr;
    size_t len;
};
WINNOW_API void winnow_ids_free(struct winnow_ids *ids);

enum winnow_encode_flags {
    WINNOW_ENCODE_PLAIN = 0,    /* special tokens written out in a text are text; decoding leaves
                                 * special tokens out */
    WINNOW_ENCODE_BOS_EOS = 1,  /* encoding: the tokenizer's own bos and eos around the text */
    WINNOW_ENCODE_SPECIALS = 2, /* "<s>" in a text is that token; decoding writes it out */
};

/* path: tokenizer.json, its folder, or a model (docs/formats/tokenizer.md).  WINNOW_E_FORMAT,
 * WINNOW_E_IO where it cannot be read. */
struct winnow_tokenizer;
WINNOW_API winnow_status winnow_tokenizer_open(const char *path, struct winnow_tokenizer **out,
                                               struct winnow_error *err);
WINNOW_API void winnow_tokenizer_close(struct winnow_tokenizer *t);

/* One more than the largest id. */
WINNOW_API uint32_t winnow_tokenizer_size(const struct winnow_tokenizer *t);

/* flags: enum winnow_encode_flags, joined by |. */
WINNOW_API winnow_status winnow_tokenizer_ids(struct winnow_tokenizer *t, const char *text,
                                              size_t len, unsigned flags, struct winnow_ids *out,
                                              struct winnow_error *err);

/* The bytes of the ids, which need not be whole characters.  WINNOW_E_FORMAT for an id that is
 * not in the vocabulary. */
WINNOW_API winnow_status winnow_tokenizer_text(const struct winnow_tokenizer *t,
                                               const uint32_t *ids, size_t count, unsigned flags,
                                               struct winnow_bytes *out, struct winnow_error *err);

/* ---- pages ---- */

struct winnow_page {
    bool kept;                    /* it is a document; else reason says why not */
    struct winnow_bytes reason;   /* "no_text", "binary", "mime", or a sentence */
    struct winnow_bytes text;     /* its visible lines */
    struct winnow_bytes document; /* the same as `extract` writes it: one JSON object */
};
WINNOW_API void winnow_page_free(struct winnow_page *p);

/* The visible lines of a page's bytes: HTML, Markdown or plain text in any charset.
 *   type  its MIME type, "text/html; charset=utf-8"; NULL: what the bytes look like
 *   id    of the document; NULL: "page"
 * Options of "extract".  What is no page is no failure: kept is false. */
WINNOW_API winnow_status winnow_page_text(const void *bytes, size_t len, const char *type,
                                          const char *id, const char *options,
                                          struct winnow_page *out, struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_TEXT_H */
