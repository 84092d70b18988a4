/* mask.c -- the stage `mask`: find, note, replace.
 *
 * It is a stage of its own and no set of `rules`: those judge whole documents by limits,
 * this one edits every text that has something to hide, whatever its worth.  Spans are noted
 * in code points of the text as it came, so that they hold whether it is edited or not.  What was
 * found is written nowhere but in the texts before this stage: ledger and attributes have
 * places only. */
#include "mask/mask.h"

#include "winnow/mask.h"

#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "mask/mask_find.h"
#include "option/tables.h"

#define PERSONAL  (1U << MASK_EMAIL | 1U << MASK_PHONE | 1U << MASK_CARD | 1U << MASK_IP)
#define SHOWN_MAX 100U /* spans in a line of the ledger */

struct mask {
    const struct winnow_mask_options *opt;
    unsigned kinds;
    struct str placeholders[MASK_KINDS];
    uint64_t documents, documents_with, spans[MASK_KINDS];
};

static winnow_status read_kinds(const struct winnow_mask_options *o, unsigned *kinds,
                                struct winnow_error *err)
{
    *kinds = o->kinds.count > 0 ? 0 : PERSONAL;
    for (size_t i = 0; i < o->kinds.count; i++) {
        unsigned kind = 0;
        while (kind < MASK_KINDS &&
               strcmp(mask_kind_name((enum mask_kind)kind), o->kinds.items[i]) != 0) {
            kind++;
        }
        if (kind == MASK_KINDS) {
            return error_set(err, WINNOW_E_USAGE,
                             "nothing is called '%s' that could be masked; there are email, phone, "
                             "card, ip and url",
                             o->kinds.items[i]);
        }
        *kinds |= 1U << kind;
    }
    return WINNOW_OK;
}

/* ---- a document ---- */

/* `"mask__email": [[from, to, 1], ...]` a kind, in code points. */
static void add_attributes(const struct mask_spans *spans, struct str text, struct buf *out)
{
    for (unsigned kind = 0; kind < MASK_KINDS; kind++) {
        size_t counted = 0, chars = 0, n = 0;
        for (size_t i = 0; i < spans->count; i++) {
            const struct mask_span *s = &spans->items[i];
            if (s->kind != kind) {
                continue;
            }
            if (n++ == 0) {
                buf_addf(out, "%s\"mask__%s\": [", out->len > 0 ? ", " : "",
                         mask_kind_name((enum mask_kind)kind));
            }
            chars += utf8_count(str_sub(text, counted, s->start));
            size_t end = chars + utf8_count(str_sub(text, s->start, s->end));
            buf_addf(out, "%s[%zu, %zu, 1]", n > 1 ? ", " : "", chars, end);
            chars = end;
            counted = s->end;
        }
        buf_add_text(out, n > 0 ? "]" : "");
    }
}

/* `"masked": [["email", from, to], ...]`: of the first hundred. */
static void add_detail(const struct mask_spans *spans, struct str text, struct buf *out)
{
    size_t counted = 0, chars = 0;
    buf_add_text(out, "\"masked\": [");
    for (size_t i = 0; i < spans->count && i < SHOWN_MAX; i++) {
        const struct mask_span *s = &spans->items[i];
        chars += utf8_count(str_sub(text, counted, s->start));
        size_t end = chars + utf8_count(str_sub(text, s->start, s->end));
        buf_addf(out, "%s[\"%s\", %zu, %zu]", i > 0 ? ", " : "", mask_kind_name(s->kind), chars,
                 end);
        chars = end;
        counted = s->end;
    }
    buf_add_char(out, ']');
}

/* Where nothing takes the place of a span, one of the blanks around it goes, too. */
static size_t cut_blank(struct buf *out, struct str text, size_t end)
{
    bool at_end = end == text.len || text.ptr[end] == '\n' || text.ptr[end] == ' ';
    if (at_end && out->len > 0 && out->ptr[out->len - 1] == ' ') {
        out->len--;
    } else if (end < text.len && text.ptr[end] == ' ' &&
               (out->len == 0 || out->ptr[out->len - 1] == '\n')) {
        end++;
    }
    return end;
}

static void replace(const struct mask *m, const struct mask_spans *spans, struct str text,
                    struct buf *out)
{
    size_t from = 0;
    for (size_t i = 0; i < spans->count; i++) {
        const struct mask_span *s = &spans->items[i];
        struct str placeholder = m->placeholders[s->kind];
        buf_add_str(out, str_sub(text, from, s->start));
        buf_add_str(out, placeholder);
        from = placeholder.len > 0 ? s->end : cut_blank(out, text, s->end);
    }
    buf_add_str(out, str_sub(text, from, text.len));
}

static winnow_status mask_document(void *state, void *worker, const struct document *d,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct mask *m = state;
    struct mask_spans *spans = worker;
    uint32_t counts[MASK_KINDS] = {0}, personal = 0;
    mask_find(d->text, m->kinds, m->opt->public_only, spans);
    for (size_t i = 0; i < spans->count; i++) {
        counts[spans->items[i].kind]++;
        personal += spans->items[i].kind != MASK_URL;
    }
    _Static_assert(sizeof counts <= sizeof r->carry, "counts fit");
    memcpy(r->carry, counts, sizeof counts);
    if (spans->count == 0) {
        return WINNOW_OK;
    }
    if (m->opt->annotate) {
        add_attributes(spans, d->text, &r->attributes[0]);
    }
    add_detail(spans, d->text, &r->detail);
    r->score = (double)spans->count;
    r->rule = "mask.found";
    if (m->opt->spans_max > 0 && personal > m->opt->spans_max) {
        r->verdict = STAGE_REMOVE;
        r->rule = "mask.many";
        r->score = personal;
        r->threshold = (double)m->opt->spans_max;
    } else if (m->opt->edit) {
        r->verdict = STAGE_EDIT;
        replace(m, spans, d->text, &r->text);
    }
    return WINNOW_OK;
}

static winnow_status count_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    (void)err;
    struct mask *m = state;
    uint32_t counts[MASK_KINDS], all = 0;
    memcpy(counts, r->carry, sizeof counts);
    for (size_t i = 0; i < MASK_KINDS; i++) {
        m->spans[i] += counts[i];
        all += counts[i];
    }
    m->documents++;
    m->documents_with += all > 0;
    return WINNOW_OK;
}

/* The sums as numbers, for other ranks and of them. */
static void tell_counts(const void *state, struct buf *out)
{
    const struct mask *m = state;
    buf_add(out, m->spans, sizeof m->spans);
    buf_add(out, &m->documents, sizeof m->documents);
    buf_add(out, &m->documents_with, sizeof m->documents_with);
}

static winnow_status hear_counts(void *state, struct str told, struct winnow_error *err)
{
    struct mask *m = state;
    uint64_t sums[MASK_KINDS + 2];
    if (told.len != sizeof sums) {
        return error_set(err, WINNOW_E_INTERNAL, "mask: another rank's counts are of another kind");
    }
    memcpy(sums, told.ptr, sizeof sums);
    for (size_t i = 0; i < MASK_KINDS; i++) {
        m->spans[i] += sums[i];
    }
    m->documents += sums[MASK_KINDS];
    m->documents_with += sums[MASK_KINDS + 1];
    return WINNOW_OK;
}

/* ---- the stage ---- */

static struct str placeholder_of(const char *text)
{
    return str_of(text ? text : "");
}

static void *worker_new(void *state)
{
    (void)state;
    return mem_zalloc(sizeof(struct mask_spans));
}

static void worker_free(void *worker)
{
    mask_spans_release(worker);
    mem_free(worker);
}

static winnow_status mask_check(const void *options, const struct stage_plan *plan,
                                struct winnow_error *err)
{
    (void)plan;
    const struct winnow_mask_options *o = options;
    unsigned kinds;
    TRY(read_kinds(o, &kinds, err));
    if (!o->edit && !o->annotate && o->spans_max == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "mask without --edit, --annotate and --spans-max would do nothing");
    }
    return WINNOW_OK;
}

static void note_counts(const struct mask *m, struct stage *stage)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    for (unsigned kind = 0; kind < MASK_KINDS; kind++) {
        if (m->kinds >> kind & 1) {
            json_member_u64(&w, mask_kind_name((enum mask_kind)kind), m->spans[kind]);
        }
    }
    json_close(&w, '}');
    stage_note(stage, "spans", buf_str(&text));
    stage_note_double(stage, "documents_with_spans", (double)m->documents_with);
    buf_release(&text);
}

static winnow_status mask_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    static const char *const ATTRIBUTES[] = {"mask", NULL};
    const struct winnow_mask_options *o = options;
    struct mask m = {.opt = o,
                     .placeholders = {[MASK_URL] = placeholder_of(o->url),
                                      [MASK_EMAIL] = placeholder_of(o->email),
                                      [MASK_PHONE] = placeholder_of(o->phone),
                                      [MASK_CARD] = placeholder_of(o->card),
                                      [MASK_IP] = placeholder_of(o->ip)}};
    TRY(read_kinds(o, &m.kinds, err));
    struct stage_pass pass = {.name = "mask",
                              .verdicts = true,
                              .attributes = o->annotate ? ATTRIBUTES : NULL,
                              .state = &m,
                              .worker_new = worker_new,
                              .worker_free = worker_free,
                              .document = mask_document,
                              .decide = count_document,
                              .apart = true,
                              .tell = tell_counts,
                              .hear = hear_counts,
                              .scratch_factor = 4, /* spans, for a text of nothing else */
                              .edits = o->edit};
    TRY(stage_run_pass(stage, &pass, err));
    if (m.documents == 0 && stage_documents(stage) > 0) { /* an earlier life did the pass */
        pass.name = "count";
        pass.verdicts = false;
        pass.attributes = NULL;
        TRY(stage_run_pass(stage, &pass, err));
    }
    note_counts(&m, stage);
    return WINNOW_OK;
}

/* A document is judged by itself. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind MASK_STAGE = {
    .table = &MASK_TABLE,
    .check = mask_check,
    .run = mask_run,
    .over_ranks = over_ranks,
};
