/* examples.c -- a page and what is known of it become prompts with their answers.
 *
 * Either programs were given (an expert's), and are cut to the lines of each chunk; or
 * they are derived from a clean text or labels, as far as deletions reach it.  Pages
 * that say little are left out and counted: refused (ill-formed), unlike (deletions do
 * not reach the clean text), stripped (nearly all goes).  Prompts are those that
 * `refine` will ask with, token for token. */
#include "teach/examples.h"

#include "winnow/refine.h"

#include "base/mem.h"
#include "program/program.h"
#include "program/program_quote.h"
#include "refine/verdicts.h"
#include "teach/derive.h"

#include <inttypes.h>

struct example_maker {
    const struct tokenizer *tokenizer;
    struct example_options opt;
    struct chunker *chunker;
    struct prompter *prompter;
    struct tokenizer_scratch *scratch;
    struct chunk_list chunks;
    struct prompt prompt;
    struct buf answer;
    struct u32_list tokens;
    struct verdict_places places;
    struct arena keep;
    uint32_t stop; /* the token that ends an answer, or TOKENIZER_NONE */
    struct example_counts counts;

    example_take take;
    void *ctx;
};

winnow_status example_maker_new(const struct tokenizer *t, const struct example_options *opt,
                                struct example_maker **out, struct winnow_error *err)
{
    struct example_maker *m = mem_zalloc(sizeof *m);
    *m = (struct example_maker){.tokenizer = t, .opt = *opt};
    winnow_status st = prompter_new(opt->template, opt->system, t, &m->prompter, err);
    if (st != WINNOW_OK) {
        mem_free(m);
        return st;
    }
    m->chunker = chunker_new(t, &opt->chunk);
    m->scratch = tokenizer_scratch_new(t);
    arena_init(&m->keep, (size_t)1 << 18);
    struct str stop = prompter_stop_text(m->prompter);
    m->stop = stop.len > 0 ? tokenizer_id(t, stop) : tokenizer_eos(t);
    *out = m;
    return WINNOW_OK;
}

void example_maker_free(struct example_maker *m)
{
    if (!m) {
        return;
    }
    chunker_free(m->chunker);
    prompter_free(m->prompter);
    tokenizer_scratch_free(m->scratch);
    chunk_list_release(&m->chunks);
    prompt_release(&m->prompt);
    buf_release(&m->answer);
    u32_list_release(&m->tokens);
    verdict_places_release(&m->places);
    arena_release(&m->keep);
    mem_free(m);
}

const struct example_counts *example_maker_counts(const struct example_maker *m)
{
    return &m->counts;
}

/* Which lines of the chunk stay, by the program in m->answer. */
static winnow_status find_verdicts(struct example_maker *m, const struct chunk *c,
                                   struct example *e, struct winnow_error *err)
{
    struct program p;
    program_parse(WINNOW_DIALECT_WINNOW, buf_str(&m->answer), &m->keep, &p);
    e->lines = c->last - c->first + 1;
    bool *stays = ARENA_NEW(&m->keep, bool, e->lines);
    memset(stays, true, e->lines * sizeof *stays);
    for (size_t i = 0; i < p.count; i++) {
        const struct program_call *call = &p.calls[i];
        for (size_t line = call->from;
             call->op == PROGRAM_REMOVE_LINES && !call->reason && line <= call->to; line++) {
            stays[line - c->first] = false;
        }
    }
    e->stays = stays;
    TRY(verdict_places_find(&m->places, m->tokenizer, e->tokens, e->prompt, e->lines, err));
    e->places = m->places.positions.ptr;
    return WINNOW_OK;
}

/* Hands over the prompt in m->prompt with the answer in m->answer; c is the chunk, or
 * NULL for a document. */
static winnow_status give(struct example_maker *m, bool keeps, const struct chunk *c,
                          struct winnow_error *err)
{
    while (m->answer.len > 0 && m->answer.ptr[m->answer.len - 1] == '\n') {
        m->answer.len--; /* the token that ends an answer ends its last line */
    }
    m->tokens.len = 0;
    const struct u32_list *prompt = &m->prompt.tokens;
    memcpy(u32_list_reserve(&m->tokens, prompt->len + 1), prompt->ptr,
           prompt->len * sizeof *prompt->ptr);
    m->tokens.len = prompt->len;
    tokenizer_encode(m->tokenizer, m->scratch, buf_str(&m->answer), TOKENIZER_PLAIN_SPECIAL,
                     &m->tokens);
    if (m->stop != TOKENIZER_NONE) {
        u32_list_add(&m->tokens, m->stop);
    }
    if (m->tokens.len > m->opt.sequence_max || m->tokens.len - prompt->len > m->opt.answer_max) {
        m->counts.too_long++;
        return WINNOW_OK;
    }
    m->counts.examples++;
    m->counts.kept += keeps;
    struct example e = {
        .tokens = m->tokens.ptr, .prompt = (uint32_t)prompt->len, .count = (uint32_t)m->tokens.len};
    if (m->opt.verdicts && c) {
        TRY(find_verdicts(m, c, &e, err));
    }
    m->take(m->ctx, &e);
    return WINNOW_OK;
}

static winnow_status give_document(struct example_maker *m, const struct pair *p, bool drops,
                                   struct winnow_error *err)
{
    uint32_t room = m->opt.sequence_max > 64 ? m->opt.sequence_max - 64 : 1;
    prompter_document(m->prompter, p->raw, false,
                      room < PROMPT_DOC_TOKENS ? room : PROMPT_DOC_TOKENS, &m->prompt);
    buf_clear(&m->answer);
    buf_add_text(&m->answer, drops ? "drop_doc()" : "keep_doc()");
    return give(m, !drops, NULL, err);
}

/* ---- programs that were given ---- */

/* One call cut to lines first..last; false where it says nothing about them. */
static bool write_call(const struct program_call *c, size_t first, size_t last, struct str text,
                       struct buf *out)
{
    switch (c->op) {
    case PROGRAM_REMOVE_LINES:
        if (c->from > last || c->to < first) {
            return false;
        }
        buf_addf(out, "remove_lines(%zu, %zu)\n", c->from > first ? c->from : first,
                 c->to < last ? c->to : last);
        return true;
    case PROGRAM_REMOVE_STR:
    case PROGRAM_REPLACE_STR:
        if (c->from > last || c->from < first) {
            return false;
        }
        buf_addf(out,
                 c->op == PROGRAM_REMOVE_STR ? "remove_str(%" PRIu32 ", "
                                             : "replace_str(%" PRIu32 ", ",
                 c->from);
        break;
    case PROGRAM_NORMALIZE:
        if (str_find(text, c->source) == SIZE_MAX) {
            return false;
        }
        buf_add_text(out, "normalize(");
        break;
    default:
        return false;
    }
    program_add_quoted(out, c->source);
    if (c->op != PROGRAM_REMOVE_STR) {
        buf_add_text(out, ", ");
        program_add_quoted(out, c->target);
    }
    buf_add_text(out, c->all ? ", all=true)\n" : ")\n");
    return true;
}

static void write_calls(const struct program *p, const struct chunk *c, struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < p->count; i++) {
        (void)write_call(&p->calls[i], c->first, c->last, c->text, out);
    }
    if (out->len == start) {
        buf_add_text(out, "keep_chunk()\n");
    }
}

static bool is_keep(const struct buf *answer)
{
    return str_starts(buf_str(answer), STR_LIT("keep_"));
}

static winnow_status give_chunk(struct example_maker *m, const struct chunk *c,
                                struct winnow_error *err)
{
    prompter_chunk(m->prompter, c, m->opt.chunk.numbers, &m->prompt);
    return give(m, is_keep(&m->answer), c, err);
}

static bool drops(const struct program *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->calls[i].op == PROGRAM_DROP_DOC || p->calls[i].op == PROGRAM_REMOVE_ALL) {
            return true;
        }
    }
    return false;
}

/* Lines first..last of the page, as a chunk. */
static bool chunk_of_lines(struct str raw, size_t first, size_t last, struct chunk *out)
{
    size_t line = 0, at = 0;
    while (line < first) {
        const char *newline = at < raw.len ? memchr(raw.ptr + at, '\n', raw.len - at) : NULL;
        if (!newline) {
            return false;
        }
        at = (size_t)(newline - raw.ptr) + 1;
        line++;
    }
    size_t from = at;
    for (;; line++) {
        const char *newline = at < raw.len ? memchr(raw.ptr + at, '\n', raw.len - at) : NULL;
        at = newline ? (size_t)(newline - raw.ptr) : raw.len;
        if (line == last || !newline) {
            break;
        }
        at++;
    }
    struct str text = str_sub(raw, from, at);
    *out = (struct chunk){.first = first, .last = line, .text = text, .shown = text.len};
    return true;
}

/* Chunks as they were given, each with its own program. */
static winnow_status give_given_chunks(struct example_maker *m, const struct pair *p,
                                       const struct program *parsed, struct winnow_error *err)
{
    for (size_t i = 0; i < p->program_count; i++) {
        struct chunk c;
        if (chunk_of_lines(p->raw, p->programs[i].first, p->programs[i].last, &c)) {
            buf_clear(&m->answer);
            write_calls(&parsed[i], &c, &m->answer);
            TRY(give_chunk(m, &c, err));
        }
    }
    return WINNOW_OK;
}

static winnow_status give_cut_chunks(struct example_maker *m, struct str raw,
                                     const struct program *parsed, struct winnow_error *err)
{
    chunker_cut(m->chunker, raw, &m->chunks);
    for (size_t i = 0; i < m->chunks.count; i++) {
        m->counts.lines_skipped += m->chunks.items[i].skipped;
        if (!m->chunks.items[i].skipped) {
            buf_clear(&m->answer);
            write_calls(parsed, &m->chunks.items[i], &m->answer);
            TRY(give_chunk(m, &m->chunks.items[i], err));
        }
    }
    return WINNOW_OK;
}

static winnow_status from_programs(struct example_maker *m, const struct pair *p,
                                   struct winnow_error *err)
{
    bool whole = p->program_count == 1 && p->programs[0].last == SIZE_MAX, bad = false;
    struct program *parsed = ARENA_NEW(&m->keep, struct program, p->program_count);
    for (size_t i = 0; i < p->program_count; i++) {
        program_parse((enum winnow_refine_dialect)m->opt.dialect, p->programs[i].text, &m->keep,
                      &parsed[i]);
        bad = bad || parsed[i].rejected > 0 || parsed[i].truncated;
        bad = bad || (!whole && drops(&parsed[i])); /* a chunk has no say over the document */
    }
    bool dropped = whole && drops(&parsed[0]);
    m->counts.refused += bad;
    m->counts.dropped += dropped && !bad;
    if (bad) {
        return WINNOW_OK;
    }
    if (m->opt.levels != EXAMPLES_CHUNK) {
        TRY(give_document(m, p, dropped, err));
    }
    if (m->opt.levels == EXAMPLES_DOC || dropped) {
        return WINNOW_OK;
    }
    return whole ? give_cut_chunks(m, p->raw, &parsed[0], err)
                 : give_given_chunks(m, p, parsed, err);
}

/* ---- programs that are derived ---- */

static winnow_status derive_page(const struct pair *p, const struct example_options *o,
                                 struct arena *keep, struct derived *d, struct winnow_error *err)
{
    static const struct derive_options opt = {.spaces = false};
    if (p->drop) {
        return derive_pair(p->raw, STR_LIT(""), &opt, keep, d, err);
    }
    if (p->clean.ptr && (!p->labels || o->prefer_text)) {
        return derive_pair(p->raw, p->clean, &opt, keep, d, err);
    }
    if (p->labels) {
        return derive_labels(p->raw, p->labels, keep, d, err);
    }
    return error_set(
        err, WINNOW_E_FORMAT,
        "nothing is known of the page: \"program\", \"label\", \"clean\" (or \"gold\") "
        "or \"drop\": true is needed");
}

winnow_status example_program(const struct pair *p, const struct example_options *opt,
                              struct arena *scratch, struct buf *out, struct winnow_error *err)
{
    for (size_t i = 0; i < p->program_count; i++) {
        buf_add_str(out, p->programs[i].text);
        buf_add_char(out, '\n');
    }
    if (p->program_count > 0) {
        return WINNOW_OK;
    }
    struct derived d;
    TRY(derive_page(p, opt, scratch, &d, err));
    derived_program(&d, 0, d.count - 1, out);
    return WINNOW_OK;
}

static winnow_status from_derived(struct example_maker *m, const struct pair *p,
                                  struct winnow_error *err)
{
    struct derived d;
    TRY(derive_page(p, &m->opt, &m->keep, &d, err));
    m->counts.clean_chars += d.clean_chars;
    m->counts.covered_chars += d.covered_chars;
    bool dropped = derived_drops(&d);
    bool unlike = derived_share(&d) < m->opt.derivable_min;
    bool stripped = !dropped && derived_removal(&d) > m->opt.removal_max;
    m->counts.dropped += dropped && !unlike;
    m->counts.unlike += unlike;
    m->counts.stripped += stripped && !unlike;
    if (unlike || stripped) {
        return WINNOW_OK;
    }
    if (m->opt.levels != EXAMPLES_CHUNK) {
        TRY(give_document(m, p, dropped, err));
    }
    if (m->opt.levels == EXAMPLES_DOC || dropped) {
        return WINNOW_OK;
    }
    chunker_cut(m->chunker, p->raw, &m->chunks);
    for (size_t i = 0; i < m->chunks.count; i++) {
        const struct chunk *c = &m->chunks.items[i];
        m->counts.lines_skipped += c->skipped;
        if (!c->skipped) {
            buf_clear(&m->answer);
            derived_program(&d, c->first, c->last, &m->answer);
            TRY(give_chunk(m, c, err));
        }
    }
    return WINNOW_OK;
}

winnow_status example_maker_page(struct example_maker *m, const struct pair *p, example_take take,
                                 void *ctx, struct winnow_error *err)
{
    arena_reset(&m->keep);
    m->take = take;
    m->ctx = ctx;
    m->counts.pages++;
    if (p->program_count > 0) {
        return from_programs(m, p, err);
    }
    return from_derived(m, p, err);
}
