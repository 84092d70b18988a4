/* regex.c -- pre-tokenizer expressions by PCRE2, compiled to machine code.
 *
 * tokenizer.json writes them for Oniguruma.  The two agree on what is used
 * there but for \s: PCRE2 counts U+180E, which Unicode took out of White_Space,
 * so \s is spelled out.  Ill-formed bytes match nothing.
 *
 * A match that needs more than MATCH_STACK of stack or PCRE2's own limit of
 * steps counts as none: the text up to the end then is one word.  No published
 * pre-tokenizer comes near either.
 */
#include "base/mem.h"
#include "token/tokenizer_internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define PATTERN_MAX ((size_t)1 << 16)
#define MATCH_STACK ((size_t)8 << 20)

struct regex {
    pcre2_code *code;
};

struct regex_scratch {
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

/* White space, within []. */
#define SPACES "\\t-\\r\\x{85}\\p{Z}"

/* Appends what "\\e" means; false where it cannot be said. */
static bool add_escape(char e, bool in_class, struct buf *out)
{
    if (e != 's' && e != 'S') {
        buf_add_char(out, '\\');
        buf_add_char(out, e);
    } else if (!in_class) {
        buf_add_text(out, e == 's' ? "[" SPACES "]" : "[^" SPACES "]");
    } else if (e == 's') {
        buf_add_text(out, SPACES);
    } else {
        return false;
    }
    return true;
}

/* Appends the '[' at pattern[at] and what may follow it; returns the place of
 * the last character taken.  A ']' that comes first is a member. */
static size_t open_class(struct str pattern, size_t at, struct buf *out)
{
    buf_add_char(out, '[');
    if (at + 1 < pattern.len && pattern.ptr[at + 1] == '^') {
        buf_add_char(out, '^');
        at++;
    }
    if (at + 1 < pattern.len && pattern.ptr[at + 1] == ']') {
        buf_add_text(out, "\\]");
        at++;
    }
    return at;
}

/* Copies pattern with \s and \S spelled out.  Within a class only \s can be. */
static winnow_status spell_spaces(struct str pattern, struct buf *out, struct winnow_error *err)
{
    bool in_class = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\\' && i + 1 < pattern.len) {
            if (!add_escape(pattern.ptr[++i], in_class, out)) {
                return error_set(err, WINNOW_E_FORMAT,
                                 "\\S within [] of a regular expression is not understood: %.*s",
                                 (int)(pattern.len < 200 ? pattern.len : 200), pattern.ptr);
            }
        } else if (c == '[' && !in_class) {
            in_class = true;
            i = open_class(pattern, i, out);
        } else {
            in_class = in_class && c != ']';
            buf_add_char(out, c);
        }
    }
    return WINNOW_OK;
}

winnow_status regex_new(struct str pattern, struct regex **out, struct winnow_error *err)
{
    if (pattern.len > PATTERN_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a regular expression of %zu bytes is too long",
                         pattern.len);
    }
    struct buf spelled = {0};
    winnow_status st = spell_spaces(pattern, &spelled, err);
    if (st == WINNOW_OK) {
        int code = 0;
        PCRE2_SIZE at = 0;
        pcre2_code *compiled =
            pcre2_compile((PCRE2_SPTR)buf_cstr(&spelled), spelled.len,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                          &code, &at, NULL);
        if (compiled) {
            /* Without machine code (a processor PCRE2 does not know) it still works. */
            (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
            *out = mem_alloc(sizeof **out);
            (*out)->code = compiled;
        } else {
            char reason[128] = {0};
            (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
            st = error_set(err, WINNOW_E_FORMAT, "the regular expression %.*s does not compile: %s",
                           (int)(pattern.len < 200 ? pattern.len : 200), pattern.ptr, reason);
        }
    }
    buf_release(&spelled);
    return st;
}

void regex_free(struct regex *r)
{
    if (r) {
        pcre2_code_free(r->code);
        mem_free(r);
    }
}

struct regex_scratch *regex_scratch_new(void)
{
    struct regex_scratch *s = mem_zalloc(sizeof *s);
    s->match = pcre2_match_data_create(1, NULL);
    s->context = pcre2_match_context_create(NULL);
    s->stack = pcre2_jit_stack_create((size_t)32 << 10, MATCH_STACK, NULL);
    if (s->context && s->stack) {
        pcre2_jit_stack_assign(s->context, NULL, s->stack);
    }
    return s;
}

void regex_scratch_free(struct regex_scratch *s)
{
    if (s) {
        pcre2_match_data_free(s->match);
        pcre2_match_context_free(s->context);
        pcre2_jit_stack_free(s->stack);
        mem_free(s);
    }
}

bool regex_find(const struct regex *r, struct regex_scratch *scratch, struct str s, size_t at,
                size_t *start, size_t *end)
{
    int n = pcre2_match(r->code, (PCRE2_SPTR)s.ptr, s.len, at, 0, scratch->match, scratch->context);
    if (n < 0) {
        return false;
    }
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(scratch->match);
    *start = range[0];
    *end = range[1];
    /* \K can turn a match around. */
    return *start >= at && *end >= *start;
}
