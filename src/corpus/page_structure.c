/* page_structure.c -- sums over nodes, and what is left of a page cut to its main part.
 *
 * A node's parent has a smaller number, so sums are folded from the last node to
 * the first, without a stack. */
#include "corpus/page_structure.h"

#include "base/hash.h"

#include <assert.h>

bool structure_is_long(struct str line, uint32_t chars, uint32_t link)
{
    static const char *const ENDS[] = {"\xE2\x80\x9D", "\xE3\x80\x82", "\xEF\xBC\x81",
                                       "\xEF\xBC\x9F", "\xE2\x80\xA6"};
    if (chars < STRUCTURE_LONG || link * 5ULL >= chars * 2ULL) {
        return false;
    }
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == '.' || c == '!' || c == '?' || c == '"') {
            return true;
        }
        for (size_t k = 0; (unsigned char)c >= 0xE2 && k < sizeof ENDS / sizeof ENDS[0]; k++) {
            if (line.len - i >= 3 && memcmp(line.ptr + i, ENDS[k], 3) == 0) {
                return true;
            }
        }
    }
    return false;
}

struct str structure_class(const struct structure_kind *k)
{
    const char *id = k->words.len > 0 ? memchr(k->words.ptr, '#', k->words.len) : NULL;
    return id ? str_sub(k->words, 0, (size_t)(id - k->words.ptr)) : k->words;
}

static void sum_lines(struct page_structure *s, struct str text)
{
    struct str line;
    for (size_t i = 0; i < s->line_count && str_next_line(&text, &line); i++) {
        struct structure_line *l = &s->lines[i];
        uint32_t chars = l->end - l->start;
        l->is_long = structure_is_long(line, chars, l->link);
        if (l->node == STRUCTURE_NONE || chars == 0) {
            continue;
        }
        struct structure_node *n = &s->nodes[l->node];
        n->text += chars;
        n->link += l->link;
        n->lines++;
        n->long_text += l->is_long ? chars : 0;
    }
}

/* What siblings of one tag and class have in common. */
static uint64_t signature(const struct page_structure *s, const struct structure_node *n)
{
    const struct structure_kind *k = &s->kinds[n->kind];
    return hash64(structure_class(k), hash64(k->tag, n->parent));
}

/* How many of a node's siblings are like it, itself included: a table of counts, open
 * addressing, since a list of 65,536 items is no reason to look at each pair. */
static void count_same(struct page_structure *s, struct arena *scratch)
{
    struct slot {
        uint64_t hash;
        uint32_t count;
    };
    size_t size = 64;
    while (size < 2 * s->node_count) {
        size *= 2;
    }
    struct slot *slots = ARENA_NEW(scratch, struct slot, size);
    uint32_t *where = ARENA_NEW(scratch, uint32_t, s->node_count + 1);
    for (size_t i = 0; i < s->node_count; i++) {
        uint64_t hash = signature(s, &s->nodes[i]);
        size_t at = hash & (size - 1);
        while (slots[at].count > 0 && slots[at].hash != hash) {
            at = (at + 1) & (size - 1);
        }
        slots[at].hash = hash;
        slots[at].count++;
        where[i] = (uint32_t)at;
    }
    for (size_t i = 0; i < s->node_count; i++) {
        s->nodes[i].same = slots[where[i]].count;
    }
}

void structure_sum(struct page_structure *s, struct str text, struct arena *scratch)
{
    sum_lines(s, text);
    for (size_t i = s->node_count; i-- > 1;) {
        const struct structure_node *n = &s->nodes[i];
        assert(n->parent < i);
        struct structure_node *p = &s->nodes[n->parent];
        p->text += n->text;
        p->link += n->link;
        p->lines += n->lines;
        p->long_text += n->long_text;
    }
    count_same(s, scratch);
}

bool structure_cut_to_main(struct page_structure *s, struct str text, struct buf *out)
{
    size_t kept = 0;
    uint32_t at = 0;
    struct str line;
    for (size_t i = 0; i < s->line_count && str_next_line(&text, &line); i++) {
        struct structure_line l = s->lines[i];
        if (!l.main) {
            continue;
        }
        if (kept > 0) {
            buf_add_char(out, '\n');
        }
        buf_add_str(out, line);
        uint32_t chars = l.end - l.start;
        l.start = at;
        l.end = at + chars;
        at = l.end + 1;
        s->lines[kept++] = l;
    }
    s->line_count = kept;
    return kept > 0;
}

enum structure_state structure_of_document(const struct document *d, struct arena *keep,
                                           struct page_structure *out)
{
    struct json_value value;
    const char *reason = NULL;
    if (!document_structure(d, &value)) {
        return STRUCTURE_ABSENT;
    }
    if (!structure_read(value, d->text, keep, out, &reason)) {
        return STRUCTURE_STALE;
    }
    structure_sum(out, d->text, keep);
    return STRUCTURE_READ;
}
