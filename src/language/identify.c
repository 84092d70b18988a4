/* identify.c -- see identify.h. */
#include "language/identify.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "language/cld2.h"
#include "quality/fasttext.h"

#include <stdio.h>

struct language_identifier {
    struct fasttext *model; /* NULL: CLD2 */
};

struct language_scratch {
    struct fasttext_scratch *model;
    struct buf clean;
};

winnow_status language_identifier_new(const char *model, struct language_identifier **out,
                                      struct winnow_error *err)
{
    *out = NULL;
    if (!model && !cld2_is_there()) {
        return error_set(err, WINNOW_E_USAGE,
                         "this winnow was built without CLD2 (libcld2-dev): give a fastText model "
                         "of languages with --model, or build it again with CLD2");
    }
    struct fasttext *m = NULL;
    if (model) {
        TRY(fasttext_open(model, &m, err));
    }
    *out = mem_zalloc(sizeof **out);
    (*out)->model = m;
    return WINNOW_OK;
}

void language_identifier_free(struct language_identifier *i)
{
    if (i) {
        fasttext_free(i->model);
        mem_free(i);
    }
}

/* A label is bytes from outside, and the code goes into JSON as it is. */
static void keep_plain(char *code)
{
    for (; *code; code++) {
        bool plain = (*code >= 'a' && *code <= 'z') || (*code >= 'A' && *code <= 'Z') ||
                     (*code >= '0' && *code <= '9') || *code == '-' || *code == '_';
        *code = plain ? *code : '_';
    }
}

/* What documents of that label are said to be in. */
static void code_of_label(const struct fasttext *m, uint32_t label, char code[LANGUAGE_CODE])
{
    struct str name = fasttext_label(m, label);
    if (str_starts(name, STR_LIT("__label__"))) {
        name = str_sub(name, strlen("__label__"), name.len);
    }
    (void)snprintf(code, LANGUAGE_CODE, "%.*s", STR_ARG(name));
    keep_plain(code);
}

static winnow_status check_label(const struct fasttext *m, const char *wanted,
                                 struct winnow_error *err)
{
    struct buf names = {0};
    char code[LANGUAGE_CODE];
    for (uint32_t i = 0; i < m->label_count; i++) {
        code_of_label(m, i, code);
        if (strcmp(code, wanted) == 0) {
            buf_release(&names);
            return WINNOW_OK;
        }
        if (names.len < 200) {
            buf_addf(&names, "%s%s", i > 0 ? ", " : "", code);
        }
    }
    winnow_status st =
        error_set(err, WINNOW_E_USAGE, "--keep %s: the model has no such language; its %u are %s%s",
                  wanted, m->label_count, buf_cstr(&names), names.len < 200 ? "" : ", ...");
    buf_release(&names);
    return st;
}

winnow_status language_check_code(const struct language_identifier *i, const char *code,
                                  struct winnow_error *err)
{
    const char *meant = NULL;
    if (strcmp(code, LANGUAGE_UNKNOWN) == 0) { /* documents of which nothing can be said */
        return WINNOW_OK;
    }
    if (i->model) {
        return check_label(i->model, code, err);
    }
    if (cld2_knows(code, &meant)) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE, "--keep %s: CLD2 has no language of that code; %s%s%s",
                     code, meant ? "did you mean " : "codes are as en, de, ",
                     meant ? meant : "zh-Hant, iw for Hebrew, no for Norwegian", meant ? "?" : "");
}

struct language_scratch *language_scratch_new(const struct language_identifier *i)
{
    struct language_scratch *s = mem_zalloc(sizeof *s);
    s->model = i->model ? fasttext_scratch_new(i->model) : NULL;
    return s;
}

void language_scratch_free(struct language_scratch *s)
{
    if (s) {
        if (s->model) {
            fasttext_scratch_free(s->model);
        }
        buf_release(&s->clean);
        mem_free(s);
    }
}

/* CLD2 takes what may be interchanged only: no controls but white space, no code points
 * that are none. */
static bool is_clean(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7F) ||
           (c >= 0xA0 && !(c >= 0xFDD0 && c <= 0xFDEF) && (c & 0xFFFE) != 0xFFFE);
}

static struct str clean(struct str text, struct buf *room)
{
    size_t from = 0;
    buf_clear(room);
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        size_t n = utf8_decode(text, at, &code);
        if (n == 0 || !is_clean(code)) {
            buf_add_str(room, str_sub(text, from, at));
            buf_add_char(room, ' ');
            from = at + (n > 0 ? n : 1);
        }
        at += n > 0 ? n : 1;
    }
    if (from == 0) {
        return text;
    }
    buf_add_str(room, str_sub(text, from, text.len));
    return buf_str(room);
}

static void ask_cld2(struct language_scratch *s, struct str text, struct language_guesses *out)
{
    struct cld2_answer answer = {.count = 0};
    struct str ours = clean(text, &s->clean);
    if (ours.len > 0) {
        cld2_ask(ours.ptr, ours.len, &answer);
    }
    for (int i = 0; i < answer.count; i++) {
        struct language_guess *g = &out->best[out->count++];
        (void)snprintf(g->code, sizeof g->code, "%s", answer.code[i]);
        g->score = answer.percent[i] / 100.0;
    }
    out->reliable = answer.reliable;
}

static void ask_model(const struct fasttext *m, struct language_scratch *s, struct str text,
                      struct language_guesses *out)
{
    uint32_t taken[LANGUAGES_TOLD] = {0};
    out->reliable = fasttext_score(m, text, s->model);
    size_t most = m->label_count < LANGUAGES_TOLD ? m->label_count : LANGUAGES_TOLD;
    while (out->reliable && out->count < most) {
        uint32_t best = UINT32_MAX;
        for (uint32_t l = 0; l < m->label_count; l++) {
            bool free = true;
            for (size_t k = 0; k < out->count; k++) {
                free = free && taken[k] != l;
            }
            if (free && (best == UINT32_MAX || s->model->scores[l] > s->model->scores[best])) {
                best = l;
            }
        }
        struct language_guess *g = &out->best[out->count];
        code_of_label(m, best, g->code);
        g->score = s->model->scores[best];
        taken[out->count++] = best;
    }
}

void language_identify(const struct language_identifier *i, struct language_scratch *s,
                       struct str text, struct language_guesses *out)
{
    *out = (struct language_guesses){.count = 0};
    if (i->model) {
        ask_model(i->model, s, text, out);
    } else {
        ask_cld2(s, text, out);
    }
}
