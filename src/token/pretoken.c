/* pretoken.c -- cuts a normalized text into the words that are encoded apart.
 *
 * A pre-tokenizer is a list of steps, each of which cuts the pieces that the
 * step before left, or puts a space before them.  Pieces are ranges of one
 * text; a step that changes text writes a new one.  The usual pre-tokenizers are
 * one scanner and need no list: each word is encoded as soon as it is found.
 */
#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>

/* U+2581, which stands for a space in SentencePiece's vocabularies. */
#define LOWER_BLOCK "\xE2\x96\x81"

void pieces_add(struct pieces *p, size_t start, size_t end)
{
    assert(start <= end);
    if (start == end) {
        return;
    }
    GROW(p->spans, p->count, p->cap, 256);
    p->spans[p->count++] = (struct span){start, end};
}

/* One step at work on one piece. */
struct cutter {
    const struct tokenizer *t;
    struct tokenizer_scratch *s;
    const struct pre_step *step;
    struct str text; /* that the spans refer to */
    struct pieces *out;
    struct buf *to; /* for steps that write a text */
    /* What the behaviour of a split needs to remember. */
    size_t held_from; /* a piece begun but not given out */
    size_t held_to;
    bool held, held_match;
};

static void cutter_flush(struct cutter *c)
{
    if (c->held) {
        pieces_add(c->out, c->held_from, c->held_to);
    }
    c->held = false;
}

/* The next stretch of the piece, a match or what lies between matches. */
static void cutter_give(struct cutter *c, size_t start, size_t end, bool match)
{
    match = match != c->step->invert;
    enum split_behavior how = c->step->behavior;
    if (how == SPLIT_REMOVED || how == SPLIT_ISOLATED) {
        if (!match || how == SPLIT_ISOLATED) {
            pieces_add(c->out, start, end);
        }
        return;
    }
    bool join = c->held && (how == SPLIT_CONTIGUOUS ? match == c->held_match
                            : how == SPLIT_PREVIOUS ? match && !c->held_match
                                                    : !match && c->held_match);
    if (!join) {
        cutter_flush(c);
        c->held_from = start;
    }
    c->held = true;
    c->held_to = end;
    c->held_match = match;
}

static void cut_by_scan(struct cutter *c, struct span p, enum scan_kind kind)
{
    struct str piece = str_sub(c->text, p.start, p.end);
    for (size_t at = 0; at < piece.len;) {
        size_t end = scan_next(kind, c->t->classes, piece, at);
        pieces_add(c->out, p.start + at, p.start + end);
        at = end;
    }
}

static void cut_by_regex(struct cutter *c, struct span p)
{
    struct str piece = str_sub(c->text, p.start, p.end);
    size_t done = 0, at = 0, start = 0, end = 0;
    while (at <= piece.len && regex_find(c->step->regex, c->s->regex, piece, at, &start, &end)) {
        if (done < start) {
            cutter_give(c, p.start + done, p.start + start, false);
        }
        if (start < end) {
            cutter_give(c, p.start + start, p.start + end, true);
        }
        done = end;
        at = end;
        if (start == end) { /* an empty match cuts; go on behind the next character */
            uint32_t code = 0;
            size_t len = end < piece.len ? utf8_decode(piece, end, &code) : 1;
            at += len > 0 ? len : 1;
        }
    }
    if (done < piece.len) {
        cutter_give(c, p.start + done, p.end, false);
    }
    cutter_flush(c);
}

static void cut_by_text(struct cutter *c, struct span p, struct str needle)
{
    size_t done = p.start;
    while (done < p.end) {
        const char *hit = memmem(c->text.ptr + done, p.end - done, needle.ptr, needle.len);
        size_t at = hit ? (size_t)(hit - c->text.ptr) : p.end;
        if (done < at) {
            cutter_give(c, done, at, false);
        }
        if (hit) {
            cutter_give(c, at, at + needle.len, true);
        }
        done = at + (hit ? needle.len : 0);
    }
    cutter_flush(c);
}

static void cut_digits(struct cutter *c, struct span p)
{
    struct str piece = str_sub(c->text, 0, p.end);
    size_t done = p.start;
    for (size_t at = p.start; at < p.end;) {
        uint32_t code = 0;
        size_t len = utf8_decode(piece, at, &code);
        bool digit = len > 0 && class_of(code) == CLASS_NUMBER;
        len = len > 0 ? len : 1;
        if (digit) {
            if (done < at) {
                cutter_give(c, done, at, false);
            }
            cutter_give(c, at, at + len, true);
            done = at + len;
        }
        at += len;
    }
    if (done < p.end) {
        cutter_give(c, done, p.end, false);
    }
    cutter_flush(c);
}

/* Writes the piece to out's text, with a prefix and spaces replaced. */
static struct span rewrite(struct cutter *c, struct span p, struct str prefix, struct str space)
{
    struct buf *to = c->to;
    size_t start = to->len;
    struct str piece = str_sub(c->text, p.start, p.end);
    bool has = space.len > 0 && str_starts(piece, STR_LIT(" "));
    if (prefix.len > 0 && !has && !str_starts(piece, prefix)) {
        buf_add_str(to, prefix);
    }
    while (piece.len > 0) {
        const char *hit = space.len > 0 ? memchr(piece.ptr, ' ', piece.len) : NULL;
        size_t at = hit ? (size_t)(hit - piece.ptr) : piece.len;
        buf_add_str(to, str_sub(piece, 0, at));
        if (hit) {
            buf_add_str(to, space);
            at++;
        }
        piece = str_sub(piece, at, piece.len);
    }
    return (struct span){start, to->len};
}

/* Whether the step writes a text of its own. */
static bool rewrites(const struct pre_step *step)
{
    return step->kind == PRE_METASPACE || (step->kind == PRE_BYTE_LEVEL && step->add_prefix_space);
}

static void cut_piece(struct cutter *c, struct span p, bool first)
{
    const struct pre_step *step = c->step;
    switch (step->kind) {
    case PRE_SPLIT:
        if (step->scan != SCAN_NONE) {
            cut_by_scan(c, p, step->scan);
        } else if (step->is_regex) {
            cut_by_regex(c, p);
        } else {
            cut_by_text(c, p, step->pattern);
        }
        break;
    case PRE_DIGITS:
        cut_digits(c, p);
        break;
    case PRE_BYTE_LEVEL:
        if (step->add_prefix_space) {
            p = rewrite(c, p, STR_LIT(" "), (struct str){0});
            c->text = buf_str(c->to);
        }
        if (step->use_regex) {
            cut_by_scan(c, p, SCAN_GPT2);
        } else {
            pieces_add(c->out, p.start, p.end);
        }
        break;
    case PRE_METASPACE: {
        bool prefix = step->scheme == PREPEND_ALWAYS || (step->scheme == PREPEND_FIRST && first);
        struct str none = {0};
        p = rewrite(c, p, prefix ? step->replacement : none, step->replacement);
        c->text = buf_str(c->to);
        if (step->split) {
            cut_by_text(c, p, step->replacement);
        } else {
            pieces_add(c->out, p.start, p.end);
        }
        break;
    }
    }
}

/* Runs one step over all pieces of `in`, whose text is text. */
static struct str run_step(struct cutter c, const struct pieces *in, struct str text, bool first)
{
    c.out->count = 0;
    if (rewrites(c.step)) {
        buf_clear(c.to);
    }
    for (size_t i = 0; i < in->count; i++) {
        c.text = text;
        cut_piece(&c, in->spans[i], first && in->spans[i].start == 0);
    }
    return rewrites(c.step) ? buf_str(c.to) : text;
}

static inline bool is_block(struct str s, size_t at)
{
    return at + 3 <= s.len && s.ptr[at] == LOWER_BLOCK[0] && s.ptr[at + 1] == LOWER_BLOCK[1] &&
           s.ptr[at + 2] == LOWER_BLOCK[2];
}

/* Encodes a word of characters.  Where no merge crosses the gap before a
 * U+2581, the parts between such gaps give the same ids one by one, and most of
 * them are words seen before. */
static void encode_chars(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word,
                         struct u32_list *out)
{
    size_t from = 0;
    while (t->cut_at_space && from < word.len) {
        size_t at = from;
        while (is_block(word, at)) {
            at += 3;
        }
        while (at < word.len && !is_block(word, at)) {
            at++;
        }
        bpe_encode_word(t, s, str_sub(word, from, at), out);
        from = at;
    }
    if (from < word.len) {
        bpe_encode_word(t, s, str_sub(word, from, word.len), out);
    }
}

static void encode_scanned(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                           struct u32_list *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = scan_next(t->fast, t->classes, text, at);
        bpe_encode_word(t, s, str_sub(text, at, end), out);
        at = end;
    }
}

void pretoken_encode(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                     bool first, struct u32_list *out)
{
    if (text.len == 0) {
        return;
    }
    if (t->fast != SCAN_NONE) {
        encode_scanned(t, s, text, out);
        return;
    }
    struct pieces *in = &s->pieces[0], *next = &s->pieces[1];
    in->count = 0;
    pieces_add(in, 0, text.len);
    size_t written = 0;
    for (size_t i = 0; i < t->pre_count; i++) {
        struct buf *to = &s->rewritten[written % 2];
        written += rewrites(&t->pres[i]);
        text = run_step((struct cutter){.t = t, .s = s, .step = &t->pres[i], .out = next, .to = to},
                        in, text, first);
        struct pieces *swap = in;
        in = next;
        next = swap;
    }
    for (size_t i = 0; i < in->count; i++) {
        struct str word = str_sub(text, in->spans[i].start, in->spans[i].end);
        if (t->byte_level) {
            bpe_encode_word(t, s, word, out);
        } else {
            encode_chars(t, s, word, out);
        }
    }
}
