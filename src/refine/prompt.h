/* prompt.h -- how a refiner is asked: chat templates and the two user texts.
 *
 * A template is data: text, special tokens, and where system and user text go.
 *
 *     plain    {user}
 *     llama-2  <s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST]
 *     chatml   <|im_start|>system\n{system}<|im_end|>\n
 *              <|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n
 *
 * The system part falls away where there is no system text.  Text between two
 * special tokens is encoded as one piece, as a tokenizer that reads the rendered
 * prompt would; but what a document holds is text, even where it reads "<s>".
 * One BOS stands in front where the tokenizer's own template or the chat template
 * has one, never two.
 *
 * Training and asking must agree to the byte, so both use this file.
 */
#ifndef WINNOW_REFINE_PROMPT_H
#define WINNOW_REFINE_PROMPT_H

#include "base/buf.h"
#include "program/chunk.h"
#include "token/tokenizer.h"

enum chat_template { CHAT_PLAIN, CHAT_LLAMA2, CHAT_CHATML, CHAT_COUNT };

/* By name, in that order; NULL-terminated. */
extern const char *const CHAT_TEMPLATES[];

/* What ProX's refiners are told at both levels. */
#define PROMPT_SYSTEM "You are a helpful, respectful and honest assistant."

/* Tokens of a prompt at the document level; what is too long loses the end of
 * its text, not of its template. */
#define PROMPT_DOC_TOKENS 2000U

/* One template with one tokenizer, for one thread. */
struct prompter;

/* The tokenizer is borrowed, system copied; without a tokenizer (NULL) prompts
 * have no tokens.  WINNOW_E_FORMAT where the tokenizer lacks a special token of
 * the template. */
winnow_status prompter_new(enum chat_template template, const char *system,
                           const struct tokenizer *t, struct prompter **out,
                           struct winnow_error *err);
void prompter_free(struct prompter *p);

/* Tokens of a prompt with an empty user text. */
uint32_t prompter_overhead(struct prompter *p);

/* Tokens at which an answer ends: the tokenizer's EOS and the template's own.
 * At most PROMPT_STOPS_MAX; returns how many. */
#define PROMPT_STOPS_MAX 2U
size_t prompter_stops(const struct prompter *p, uint32_t stops[PROMPT_STOPS_MAX]);

/* The text of the one that ends an answer in training, "" where there is none. */
struct str prompter_stop_text(const struct prompter *p);

/* All-zero is empty. */
struct prompt {
    struct buf text;        /* whole, without BOS */
    struct u32_list tokens; /* the same, with it */
    struct buf user;
    bool cut; /* the document was longer than its prompt may be */
};
void prompt_release(struct prompt *p);

/* What is asked in words of the caller's own. */
void prompter_user(struct prompter *p, struct str user, struct prompt *out);

/* What is asked about a chunk. */
void prompter_chunk(struct prompter *p, const struct chunk *c, enum line_numbers numbers,
                    struct prompt *out);

/* What is asked about a document: "[doc]\n", its text, "\n[/doc]"; bare: the text
 * alone, as the released ProX models want it. */
void prompter_document(struct prompter *p, struct str text, bool bare, uint32_t tokens_max,
                       struct prompt *out);

/* Which template the text of a Jinja chat template amounts to; false where it is
 * none of ours. */
bool chat_template_recognise(struct str jinja, enum chat_template *out);

/* The template of a model folder (tokenizer_config.json, chat_template.jinja) or
 * GGUF file; plain where it has none.  WINNOW_E_FORMAT where it has one that is
 * not recognised, with the remedy. */
winnow_status chat_template_of_model(const char *path, enum chat_template *out,
                                     struct winnow_error *err);

#endif /* WINNOW_REFINE_PROMPT_H */
