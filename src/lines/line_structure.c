/* line_structure.c -- features of all rows of a page, one after another. */
#include "lines/line_structure.h"

#include "lines/structure_lines.h"

#include <assert.h>

void line_structure_build(const struct page_elements *page, size_t first, size_t count,
                          uint32_t rows, struct arena *keep, struct line_structure *out)
{
    assert(rows > 0 && (rows & (rows - 1)) == 0 && first + count <= page->s->line_count);
    uint32_t *tokens = ARENA_NEW(keep, uint32_t, count * STRUCTURE_TOKENS_MAX + 1);
    uint32_t *ends = ARENA_NEW(keep, uint32_t, count * LINE_STRUCTURE_GROUPS + 1);
    out->first = first;
    out->count = count;
    out->dense = ARENA_NEW(keep, float, count *LINE_STRUCTURE + 1);
    out->tokens = tokens;
    out->ends = ends;
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        structure_line_numbers(page, first + i, out->dense + i * LINE_STRUCTURE);
        uint32_t *end = ends + i * LINE_STRUCTURE_GROUPS;
        uint32_t got = (uint32_t)structure_line_tokens(page, first + i, rows, tokens + at, end);
        for (unsigned g = 0; g < LINE_STRUCTURE_GROUPS; g++) {
            end[g] += at;
        }
        at += got;
    }
}
