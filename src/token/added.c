/* added.c -- finds added tokens ("<s>", "<|endoftext|>") in a text.
 *
 * Two rounds, as in `tokenizers`: tokens with normalized = false in the raw
 * text, the others, themselves normalized, in each normalized piece between.
 * Matches are leftmost-longest and do not overlap; single_word drops a match
 * that stands within a word; lstrip and rstrip draw in the spaces around.
 */
#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>
#include <utf8proc.h>

void trie_release(struct trie *t)
{
    mem_free(t->nodes);
    *t = (struct trie){0};
}

static uint32_t trie_node_new(struct trie *t, uint8_t byte)
{
    GROW(t->nodes, t->count, t->cap, 64);
    t->nodes[t->count] = (struct trie_node){.byte = byte};
    return (uint32_t)t->count++;
}

static uint32_t trie_child(const struct trie *t, uint32_t node, uint8_t byte)
{
    assert(node < t->count);
    uint32_t child = t->nodes[node].child;
    while (child != 0 && t->nodes[child].byte != byte) {
        child = t->nodes[child].sibling;
    }
    return child;
}

void trie_put(struct trie *t, struct str text, uint32_t token)
{
    if (text.len == 0) {
        return;
    }
    if (t->count == 0) {
        (void)trie_node_new(t, 0);
    }
    t->first[(uint8_t)text.ptr[0]] = true;
    uint32_t node = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        uint32_t child = trie_child(t, node, byte);
        if (child == 0) {
            child = trie_node_new(t, byte);
            t->nodes[child].sibling = t->nodes[node].child;
            t->nodes[node].child = child;
        }
        node = child;
    }
    t->nodes[node].token = token + 1;
}

uint32_t trie_match(const struct trie *t, struct str s, size_t at, size_t *len)
{
    uint32_t found = 0, node = 0;
    for (size_t i = at; i < s.len; i++) {
        node = trie_child(t, node, (uint8_t)s.ptr[i]);
        if (node == 0) {
            break;
        }
        if (t->nodes[node].token != 0) {
            found = t->nodes[node].token;
            *len = i + 1 - at;
        }
    }
    return found;
}

void added_prepare(struct tokenizer *t)
{
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    t->special = ARENA_NEW(&t->keep, uint8_t, t->size);
    for (size_t i = 0; i < t->added_count; i++) {
        const struct added_token *a = &t->added[i];
        t->special[a->id] = a->special;
        struct str text = a->normalized ? normalize(t, s, a->content) : a->content;
        trie_put(a->normalized ? &t->normal : &t->raw, text, (uint32_t)i);
    }
    tokenizer_scratch_free(s);
}

/* \w: letters, marks, numbers, connectors. */
static bool is_word(uint32_t code)
{
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)code);
    return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_ND) || c == UTF8PROC_CATEGORY_NL ||
           c == UTF8PROC_CATEGORY_PC;
}

/* The character before `at`; its length, or 0. */
static size_t char_before(struct str s, size_t at, uint32_t *code)
{
    for (size_t len = 1; len <= 4 && len <= at; len++) {
        if (utf8_decode(str_sub(s, 0, at), at - len, code) == len) {
            return len;
        }
    }
    return 0;
}

static bool stands_alone(struct str s, size_t start, size_t stop)
{
    uint32_t code = 0;
    bool left = char_before(s, start, &code) > 0 && is_word(code);
    bool right = stop < s.len && utf8_decode(s, stop, &code) > 0 && is_word(code);
    return !left && !right;
}

static size_t spaces_before(struct str s, size_t at, size_t least)
{
    uint32_t code = 0;
    size_t len;
    while (at > least && (len = char_before(s, at, &code)) > 0 && (class_of(code) & CLASS_SPACE)) {
        at -= len;
    }
    return at > least ? at : least;
}

static size_t spaces_behind(struct str s, size_t at)
{
    uint32_t code = 0;
    size_t len;
    while (at < s.len && (len = utf8_decode(s, at, &code)) > 0 && (class_of(code) & CLASS_SPACE)) {
        at += len;
    }
    return at;
}

struct added_walk added_walk(const struct tokenizer *t, const struct trie *trie, struct str text,
                             bool plain_special)
{
    return (struct added_walk){.t = t, .trie = trie, .text = text, .plain_special = plain_special};
}

/* The next match from w->at: where it starts, or text.len. */
static size_t find(struct added_walk *w)
{
    struct str s = w->text;
    while (w->trie->count > 0 && w->at < s.len) {
        size_t len = 0;
        uint32_t found =
            w->trie->first[(uint8_t)s.ptr[w->at]] ? trie_match(w->trie, s, w->at, &len) : 0;
        if (found == 0) {
            w->at++;
            continue;
        }
        size_t start = w->at;
        w->at += len;
        const struct added_token *a = &w->t->added[found - 1];
        if ((w->plain_special && a->special) ||
            (a->single_word && !stands_alone(s, start, start + len))) {
            continue;
        }
        w->token = a;
        w->stop = a->rstrip ? spaces_behind(s, w->at) : w->at;
        return a->lstrip ? spaces_before(s, start, w->from) : start;
    }
    return s.len;
}

bool added_next(struct added_walk *w, struct str *piece, const struct added_token **token)
{
    *token = NULL;
    if (!w->token) {
        size_t start = find(w);
        if (start > w->from) { /* the token, if one was found, comes with the next call */
            *piece = str_sub(w->text, w->from, start);
            w->from = start;
            return true;
        }
    }
    if (!w->token) {
        return false;
    }
    assert(w->stop >= w->from && w->stop <= w->text.len);
    *token = w->token;
    w->from = w->stop;
    w->token = NULL;
    return true;
}
