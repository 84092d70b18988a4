/* program_grammar.h -- what a refiner may write, byte by byte.
 *
 * The language of docs/formats/programs.md in the one spelling that refiners are
 * trained to write, bounded by the chunk that is asked about: its own lines only,
 * strings of at most so many bytes.  An engine that can, keeps a model inside it
 * (DESIGN.md, section 6), so that an ill-formed program cannot be written; servers
 * get the same grammar as GBNF text.
 *
 *     chunk   remove_lines(line_start=3, line_end=9) \n remove_str(line=12, str="[edit]") ...
 *             or keep_chunk()
 *     doc     keep_doc() or drop_doc()
 */
#ifndef WINNOW_REFINE_PROGRAM_GRAMMAR_H
#define WINNOW_REFINE_PROGRAM_GRAMMAR_H

#include "winnow/refine.h"

#include "base/buf.h"

enum program_level { LEVEL_DOC, LEVEL_CHUNK };

/* A grammar, by value. */
struct program_grammar_spec {
    int dialect; /* enum winnow_refine_dialect */
    enum program_level level;
    uint32_t first, last;  /* LEVEL_CHUNK: lines that may be named, from 0, whatever the dialect
                            * counts from */
    uint32_t string_bytes; /* the longest string, quotes and escapes not counted */
};

#define PROGRAM_STRING_BYTES 512U /* string_bytes unless a caller knows better */

/* Appends the grammar in llama.cpp's GBNF (also understood by vLLM and SGLang as
 * "guided grammar"); its start is `root`.  Line numbers are given digit by digit,
 * so that its size grows with the digits of last, not with the lines. */
void program_grammar_gbnf(const struct program_grammar_spec *spec, struct buf *out);

#endif /* WINNOW_REFINE_PROGRAM_GRAMMAR_H */
