/* decode.c -- ids back to text.
 *
 * What the decoder's steps make of a token does not depend on its neighbours
 * (up to Fuse), but for Metaspace at the start of a text; so it is computed once
 * for every token.  Steps behind Fuse see the whole text.
 *
 * Bytes come out as they are.  `tokenizers` would put U+FFFD for those that are
 * no UTF-8; a caller that shows text to people does that itself.
 */
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "<0x0A>" stands for, or -1. */
static int fallback_byte(struct str s)
{
    if (s.len != 6 || memcmp(s.ptr, "<0x", 3) != 0 || s.ptr[5] != '>') {
        return -1;
    }
    int high = hex_digit(s.ptr[3]), low = hex_digit(s.ptr[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Appends the bytes that the characters of s stand for in the byte alphabet;
 * s itself where one of them is none. */
static void add_alphabet_bytes(struct buf *out, struct str s)
{
    size_t start = out->len;
    for (size_t at = 0; at < s.len;) {
        uint32_t code = 0;
        size_t len = utf8_decode(s, at, &code);
        int byte = len > 0 ? alphabet_byte(code) : -1;
        if (byte < 0) {
            out->len = start;
            buf_add_str(out, s);
            return;
        }
        buf_add_char(out, (char)byte);
        at += len;
    }
}

static void add_replaced(struct buf *out, struct str s, struct str from, struct str to)
{
    while (s.len > 0) {
        size_t at = from.len > 0 ? str_find(s, from) : SIZE_MAX;
        size_t until = at == SIZE_MAX ? s.len : at;
        buf_add_str(out, str_sub(s, 0, until));
        if (at != SIZE_MAX) {
            buf_add_str(out, to);
            until += from.len;
        }
        s = str_sub(s, until, s.len);
    }
}

static struct str strip(struct str s, const struct dec_step *d)
{
    for (size_t i = 0; i < d->start && d->from.len > 0 && str_starts(s, d->from); i++) {
        s = str_sub(s, d->from.len, s.len);
    }
    for (size_t i = 0; i < d->stop && d->from.len > 0 && str_ends(s, d->from); i++) {
        s.len -= d->from.len;
    }
    return s;
}

/* Appends what one step makes of s. */
static void apply(const struct dec_step *d, struct str s, bool first, struct buf *out)
{
    int byte;
    switch (d->kind) {
    case DEC_BYTE_LEVEL:
        add_alphabet_bytes(out, s);
        break;
    case DEC_REPLACE:
        add_replaced(out, s, d->from, d->to);
        break;
    case DEC_BYTE_FALLBACK:
        byte = fallback_byte(s);
        if (byte >= 0) {
            buf_add_char(out, (char)byte);
        } else {
            buf_add_str(out, s);
        }
        break;
    case DEC_STRIP:
        buf_add_str(out, strip(s, d));
        break;
    case DEC_METASPACE: {
        struct str space = STR_LIT(" ");
        space.len = first && d->scheme != PREPEND_NEVER ? 0 : 1;
        add_replaced(out, s, d->from, space);
        break;
    }
    case DEC_FUSE:
        buf_add_str(out, s);
        break;
    }
}

/* The number of steps that see single tokens. */
static size_t token_steps(const struct tokenizer *t)
{
    size_t n = 0;
    while (n < t->dec_count && t->decs[n].kind != DEC_FUSE) {
        n++;
    }
    return n;
}

/* Puts s through steps from..to-1 into out, cleared first; spare is used. */
static void run_steps(const struct tokenizer *t, size_t from, size_t to, bool first, struct str s,
                      struct buf *out, struct buf *spare)
{
    buf_clear(out);
    buf_add_str(out, s);
    for (size_t i = from; i < to; i++) {
        buf_clear(spare);
        apply(&t->decs[i], buf_str(out), first, spare);
        struct buf swap = *out;
        *out = *spare;
        *spare = swap;
    }
}

void decode_prepare(struct tokenizer *t)
{
    struct buf out = {0}, spare = {0};
    t->decoded = ARENA_NEW(&t->keep, struct str, t->size);
    size_t steps = token_steps(t);
    struct buf all = {0};
    for (uint32_t id = 0; id < t->size; id++) {
        run_steps(t, 0, steps, false, t->tokens[id], &out, &spare);
        t->decoded[id].len = out.len;
        buf_add(&all, out.ptr, out.len);
    }
    char *bytes = arena_strndup(&t->keep, all.ptr, all.len);
    for (uint32_t id = 0; id < t->size; id++) {
        t->decoded[id].ptr = bytes;
        bytes += t->decoded[id].len;
    }
    buf_release(&all);
    buf_release(&out);
    buf_release(&spare);
}

winnow_status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                               unsigned flags, struct buf *out, struct winnow_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= t->size || !t->tokens[ids[i]].ptr) {
            return error_set(err, WINNOW_E_FORMAT, "token %u is not in the vocabulary of %u",
                             (unsigned)ids[i], (unsigned)t->size);
        }
    }
    struct buf whole = {0}, spare = {0};
    size_t steps = token_steps(t), start = out->len;
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if ((flags & TOKENIZER_SKIP_SPECIAL) && t->special[ids[i]]) {
            continue;
        }
        if (t->dec_count == 0 && !first) {
            buf_add_char(out, ' '); /* as `tokenizers` does without a decoder */
        }
        if (first) {
            run_steps(t, 0, steps, true, t->tokens[ids[i]], &whole, &spare);
            buf_add(out, whole.ptr, whole.len);
        } else {
            buf_add_str(out, t->decoded[ids[i]]);
        }
        first = false;
    }
    if (steps + 1 < t->dec_count) { /* steps behind Fuse */
        run_steps(t, steps + 1, t->dec_count, true,
                  (struct str){out->ptr + start, out->len - start}, &whole, &spare);
        out->len = start;
        buf_add(out, whole.ptr, whole.len);
    }
    buf_release(&whole);
    buf_release(&spare);
    return WINNOW_OK;
}
