/* program_grammar.h -- what a refiner may write, byte by byte.
 *
 * The language of docs/formats/programs.md in the spellings that refiners are
 * trained to write, bounded by the chunk that is asked about: its own lines only,
 * strings of at most so many bytes.  An engine that can, keeps a model inside it
 * (program_mask.h), so that an ill-formed program cannot be written; servers get
 * the same grammar as GBNF text.
 *
 *     chunk   remove_lines(line_start=3, line_end=9) \n remove_str(12, "[edit]") ...
 *             or keep_chunk()
 *     doc     keep_doc() or drop_doc()
 *
 * Arguments are all named or all without name, one space stands behind a comma,
 * none elsewhere; one space or newline may stand before the program.  Whatever
 * the grammar accepts, the parser reads without "not a call" and the like; whether
 * a string is where a call says, only the executor knows.
 */
#ifndef WINNOW_PROGRAM_PROGRAM_GRAMMAR_H
#define WINNOW_PROGRAM_PROGRAM_GRAMMAR_H

#include "winnow/refine.h"

#include "base/buf.h"

enum program_level { LEVEL_DOC, LEVEL_CHUNK, LEVEL_COUNT };

/* A grammar, by value. */
struct program_grammar_spec {
    int dialect; /* enum winnow_refine_dialect */
    enum program_level level;
    uint32_t first, last;  /* LEVEL_CHUNK: lines that may be named, from 0, whatever the dialect
                            * counts from */
    uint32_t string_bytes; /* the longest string, quotes and escapes not counted */
};

#define PROGRAM_STRING_BYTES 512U /* string_bytes unless a caller knows better */

/* Whether the dialect has programs of that level: refinex has none for documents. */
bool program_grammar_has(int dialect, enum program_level level);

/* Appends the grammar in llama.cpp's GBNF (also understood by vLLM and SGLang as
 * "guided grammar"); its start is `root`.  It is a little wider than the automaton
 * below: it counts a string's characters, not bytes, and in a chunk of more than
 * 1,000 lines a range may end before it starts. */
void program_grammar_gbnf(const struct program_grammar_spec *spec, struct buf *out);

/* ---- the automaton ---- */

/* The spellings of one dialect and level, compiled. */
struct program_grammar;
struct program_grammar *program_grammar_new(int dialect, enum program_level level);
void program_grammar_free(struct program_grammar *g);

/* Where a program stands after some bytes.  Copied freely. */
struct program_state {
    uint32_t first, last;        /* lines as the dialect counts */
    uint32_t value, low;         /* the number being written; where a range starts */
    uint16_t node;               /* in the trie of spellings */
    uint16_t length, length_max; /* of the string being written, in bytes */
    uint8_t phase;               /* enum program_phase */
    uint8_t quote;
    uint8_t utf8;  /* what the character being written still needs */
    uint8_t solid; /* the string may end as far as its content goes */
    bool started;  /* a call was begun before: keep_chunk() may no longer come */
};

enum program_phase {
    PHASE_LEAD,   /* nothing is written */
    PHASE_NODE,   /* within a spelling */
    PHASE_NUMBER, /* within a number */
    PHASE_STRING,
    PHASE_ESCAPE, /* behind a backslash */
};

struct program_state program_grammar_start(const struct program_grammar *g,
                                           const struct program_grammar_spec *spec);

/* Takes one more byte; false where it may not come, and *s is then spoilt. */
bool program_grammar_step(const struct program_grammar *g, struct program_state *s, uint8_t byte);

enum program_end {
    PROGRAM_MUST_GO_ON,
    PROGRAM_MAY_END, /* it is whole, and more may come */
    PROGRAM_MUST_END,
};
enum program_end program_grammar_end(const struct program_grammar *g,
                                     const struct program_state *s);

#endif /* WINNOW_PROGRAM_PROGRAM_GRAMMAR_H */
