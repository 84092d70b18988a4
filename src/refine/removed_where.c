/* removed_where.c -- runs of removed lines by the largest element that goes with them. */
#include "refine/removed_where.h"

#define WORDS_SHOWN 2U

/* Of each node how many of the lines from..to begin in it. */
static uint32_t *count_inside(const struct page_structure *s, size_t from, size_t to,
                              struct arena *scratch)
{
    uint32_t *inside = ARENA_NEW(scratch, uint32_t, s->node_count);
    for (size_t i = from; i <= to; i++) {
        const struct structure_line *l = &s->lines[i];
        if (l->node != STRUCTURE_NONE && l->end > l->start) {
            inside[l->node]++;
        }
    }
    for (size_t i = s->node_count; i-- > 1;) {
        inside[s->nodes[i].parent] += inside[i];
    }
    return inside;
}

/* The largest element around the line that goes as a whole; the line's own where none does. */
static uint32_t largest_gone(const struct page_structure *s, const uint32_t *inside, uint32_t node)
{
    while (node > 0) {
        uint32_t parent = s->nodes[node].parent;
        if (inside[parent] < s->nodes[parent].lines) {
            break;
        }
        node = parent;
    }
    return node;
}

/* As a selector writes it: nav.main.menu */
static void write_name(const struct page_structure *s, uint32_t node, struct buf *scratch,
                       struct json_writer *w)
{
    const struct structure_kind *k = &s->kinds[s->nodes[node].kind];
    struct str words = structure_class(k);
    buf_clear(scratch);
    buf_add_str(scratch, k->tag);
    for (unsigned i = 0; i < WORDS_SHOWN && words.len > 0; i++) {
        const char *blank = memchr(words.ptr, ' ', words.len);
        size_t end = blank ? (size_t)(blank - words.ptr) : words.len;
        if (end > 0) {
            buf_add_char(scratch, '.');
            buf_add_str(scratch, str_sub(words, 0, end));
        }
        words = str_sub(words, blank ? end + 1 : end, words.len);
    }
    json_key(w, "in");
    json_str(w, buf_str(scratch));
}

static void write_piece(const struct page_structure *s, uint32_t node, size_t from, size_t to,
                        struct json_writer *w)
{
    const struct structure_node *n = &s->nodes[node];
    struct buf name = {0};
    json_open(w, '{');
    json_key(w, "from");
    json_u64(w, from);
    json_key(w, "to");
    json_u64(w, to);
    write_name(s, node, &name, w);
    json_key(w, "links");
    uint64_t percent = n->text > 0 ? (n->link * 100ULL + n->text / 2) / n->text : 0;
    json_double(w, (double)percent / 100);
    json_close(w, '}');
    buf_release(&name);
}

void removed_where(const struct page_structure *s, size_t from, size_t to, struct arena *scratch,
                   struct json_writer *w)
{
    if (from > to || to >= s->line_count) {
        return;
    }
    const uint32_t *inside = count_inside(s, from, to, scratch);
    size_t written = 0;
    json_key(w, "where");
    json_open(w, '[');
    for (size_t i = from; i <= to && written < REMOVED_WHERE_MAX;) {
        uint32_t node = s->lines[i].node;
        if (node == STRUCTURE_NONE) {
            i++;
            continue;
        }
        uint32_t element = largest_gone(s, inside, node);
        size_t end = i + 1;
        while (end <= to && s->lines[end].node != STRUCTURE_NONE &&
               largest_gone(s, inside, s->lines[end].node) == element) {
            end++;
        }
        write_piece(s, element, i, end - 1, w);
        written++;
        i = end;
    }
    json_close(w, ']');
}
