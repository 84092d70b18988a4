/* structure_tokens.c -- words of classes and tags as hashed tokens.
 *
 * Words are hashed, not looked up: pages of all languages name their parts. */
#include "base/hash.h"
#include "lines/line_scan.h"
#include "lines/structure_lines.h"

#define NEAR_STEPS 3U  /* elements outwards whose words are "near" */
#define FAR_STEPS  10U /* and "far" */
#define WORDS_MAX  64U /* of a line */
#define TAGS_SHOWN 3U  /* blocks outwards whose tags are combined */

struct token_out {
    uint32_t *out;
    uint32_t count, mask;
};

static void put_token(struct token_out *o, uint64_t hash)
{
    o->out[o->count++] = line_mix((uint32_t)(hash ^ (hash >> 32))) & o->mask;
}

static void put_words(struct token_out *o, struct str words, uint64_t seed)
{
    while (words.len > 0 && o->count < WORDS_MAX) {
        const char *blank = memchr(words.ptr, ' ', words.len);
        size_t end = blank ? (size_t)(blank - words.ptr) : words.len;
        if (end > 1) { /* a single letter or digit, and the '#' before an id, say nothing */
            put_token(o, hash64(str_sub(words, 0, end), seed));
        }
        words = str_sub(words, blank ? end + 1 : end, words.len);
    }
}

static void put_class_words(struct token_out *o, const struct page_elements *p, uint32_t owner)
{
    uint32_t node = owner;
    for (unsigned steps = 0; steps < FAR_STEPS; steps++) {
        const struct structure_kind *k = &p->s->kinds[p->s->nodes[node].kind];
        uint64_t seed = steps < NEAR_STEPS ? 0xA1 : 0xA2;
        put_words(o, k->words, seed);
        put_words(o, k->role, seed + 0x10);
        if (node == 0) {
            break;
        }
        node = p->items[node].parent;
    }
}

static uint64_t tag_hash(const struct page_elements *p, uint32_t node)
{
    return hash64(p->s->kinds[p->s->nodes[node].kind].tag, 0xB1);
}

static void put_tag_tokens(struct token_out *o, const struct page_elements *p, uint32_t owner)
{
    uint32_t node = p->items[owner].block;
    uint64_t path = 0xB2;
    put_token(o, tag_hash(p, owner) + 0xB3);
    for (unsigned i = 0; i < TAGS_SHOWN; i++) {
        path = path * 0x9E3779B97F4A7C15U + tag_hash(p, node);
        put_token(o, path);
        node = p->items[p->items[node].parent].block;
    }
    for (node = owner;; node = p->items[node].parent) {
        if (p->items[node].semantic != SEMANTIC_NONE && o->count < STRUCTURE_TOKENS_MAX) {
            put_token(o, 0xB4U + p->items[node].semantic * 0x10001ULL);
        }
        if (node == 0) {
            break;
        }
    }
}

size_t structure_line_tokens(const struct page_elements *p, size_t line, uint32_t rows,
                             uint32_t *out, uint32_t ends[LINE_STRUCTURE_GROUPS])
{
    struct token_out o = {out, 0, rows - 1};
    uint32_t owner = p->s->lines[line].node;
    if (owner != STRUCTURE_NONE) {
        put_class_words(&o, p, owner);
    }
    ends[0] = o.count;
    if (owner != STRUCTURE_NONE) {
        put_tag_tokens(&o, p, owner);
    }
    ends[1] = o.count;
    return o.count;
}
