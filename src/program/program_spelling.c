/* program_spelling.c -- the grammar of each dialect, a spelling a row.
 *
 * Numbered bytes stand for arguments (program_spelling.h).  The automaton that masks
 * tokens and the GBNF sent to servers are both made of these rows, so a model is held
 * to the same language here and there.  Dialects: ours (docs/formats/programs.md),
 * RefineX, UltraX, and ProX (Zhou et al. 2024, arXiv 2409.17115). */
#include "program/program_spelling.h"

#include <assert.h>

static const struct spelling WINNOW_DOC[] = {
    {"keep_doc()", true},
    {"drop_doc()", true},
    {NULL, false},
};

static const struct spelling WINNOW_CHUNK[] = {
    {"keep_chunk()", true},
    {"remove_lines(line_start=\1, line_end=\2)", false},
    {"remove_lines(\1, \2)", false},
    {"normalize(source_str=\4, target_str=\5)", false},
    {"normalize(source_str=\4, target_str=\5, all=true)", false},
    {"normalize(source_str=\4)", false},
    {"normalize(source_str=\4, all=true)", false},
    {"normalize(\4, \5)", false},
    {"normalize(\4, \5, all=true)", false},
    {"remove_str(line=\3, str=\4)", false},
    {"remove_str(line=\3, str=\4, all=true)", false},
    {"remove_str(\3, \4)", false},
    {"remove_str(\3, \4, all=true)", false},
    {"replace_str(line=\3, old=\4, new=\5)", false},
    {"replace_str(line=\3, old=\4, new=\5, all=true)", false},
    {"replace_str(\3, \4, \5)", false},
    {"replace_str(\3, \4, \5, all=true)", false},
    {NULL, false},
};

static const struct spelling REFINEX_CHUNK[] = {
    {"keep_all()", true},
    {"remove_lines(start_line=\1, end_line=\2)", false},
    {"remove_lines(\1, \2)", false},
    {"remove_str(line=\3, del_str=\4)", false},
    {"remove_str(\3, \4)", false},
    {NULL, false},
};

static const struct spelling ULTRAX_DOC[] = {
    {"keep_all()", true},
    {"remove_all()", true},
    {NULL, false},
};

static const struct spelling ULTRAX_CHUNK[] = {
    {"keep_all()", true},
    {"remove_all()", true},
    {"remove_lines(start=\1, end=\2)", false},
    {"remove_lines(\1, \2)", false},
    {"replace_str(line=\3, old=\4, new=\5)", false},
    {"replace_str(\3, \4, \5)", false},
    {NULL, false},
};

/* No primary source shows what the document model prints. */
static const struct spelling PROX_DOC[] = {
    {"keep_doc()", true}, {"drop_doc()", true}, {"keep", true}, {"drop", true}, {NULL, false},
};

static const struct spelling PROX_CHUNK[] = {
    {"untouch_doc()", true},
    {"remove_lines(start=\1, end=\2)", false},
    {"normalize(source_str=\4, target_str=\5)", false},
    {NULL, false},
};

struct spelling_set spelling_set_of(int dialect, enum program_level level)
{
    static const struct spelling_set SETS[][LEVEL_COUNT] = {
        [WINNOW_DIALECT_WINNOW] = {{WINNOW_DOC, 0, false}, {WINNOW_CHUNK, 0, false}},
        [WINNOW_DIALECT_REFINEX] = {{NULL, 0, false}, {REFINEX_CHUNK, 0, false}},
        [WINNOW_DIALECT_ULTRAX] = {{ULTRAX_DOC, 1, false}, {ULTRAX_CHUNK, 1, false}},
        [WINNOW_DIALECT_PROX] = {{PROX_DOC, 0, true}, {PROX_CHUNK, 0, true}},
    };
    assert(dialect >= 0 && (size_t)dialect < sizeof SETS / sizeof SETS[0]);
    return SETS[dialect][level];
}

bool program_grammar_has(int dialect, enum program_level level)
{
    return spelling_set_of(dialect, level).items != NULL;
}
