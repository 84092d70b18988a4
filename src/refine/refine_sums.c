/* refine_sums.c -- counts of a refinement, and refine.json.
 *
 * Each worker counts for itself and the parts are added; all of it commutes, so
 * threads do not show.  Examples are the documents of least hash of id, which is a
 * random choice that needs no random numbers. */
#include "refine/refine_sums.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"

static void free_example(struct refine_example *e)
{
    mem_free(e->id);
    mem_free(e->before);
    mem_free(e->after);
    mem_free(e->programs);
}

void refine_sums_release(struct refine_sums *s)
{
    for (size_t i = 0; i < s->example_count; i++) {
        free_example(&s->examples[i]);
    }
    for (size_t i = 0; i < s->heard_count; i++) {
        mem_free(s->heard[i]);
    }
    s->example_count = s->heard_count = 0;
}

static void add_reason(struct refine_sums *s, const char *reason, uint64_t count)
{
    size_t i = 0;
    while (i < REFINE_REASONS && s->reasons[i].text && strcmp(s->reasons[i].text, reason) != 0) {
        i++;
    }
    if (i < REFINE_REASONS) {
        s->reasons[i].text = reason;
        s->reasons[i].count += count;
    }
}

void refine_sums_calls(struct refine_sums *one, const struct program *p)
{
    one->programs++;
    one->calls += p->count + p->truncated;
    one->ill_formed += p->rejected + p->truncated;
    uint64_t refused = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct program_call *c = &p->calls[i];
        one->accepted[c->op] += c->reason == NULL;
        one->refused[c->op] += c->reason != NULL;
        one->matches[c->op] += c->matches;
        refused += c->reason != NULL;
        if (c->reason) {
            add_reason(one, c->reason, 1);
        }
    }
    one->rejected += refused - p->rejected;
}

/* ---- examples ---- */

static char *copy_head(struct str s, bool *cut)
{
    size_t len = utf8_cut(s, REFINE_EXAMPLE_BYTES).len;
    *cut = len < s.len;
    char *copy = mem_alloc(len + 1);
    if (len > 0) {
        memcpy(copy, s.ptr, len);
    }
    copy[len] = '\0';
    return copy;
}

/* Those of one id by their texts: in whatever order they come, the same are kept. */
static bool comes_before(const struct refine_example *a, const struct refine_example *b)
{
    if (a->order != b->order) {
        return a->order < b->order;
    }
    int by_text = strcmp(a->before, b->before);
    return by_text != 0 ? by_text < 0 : strcmp(a->after, b->after) < 0;
}

/* Keeps those of least order; takes e over. */
static void put_example(struct refine_sums *s, struct refine_example e)
{
    size_t at = s->example_count;
    while (at > 0 && comes_before(&e, &s->examples[at - 1])) {
        at--;
    }
    if (at == REFINE_EXAMPLES) {
        free_example(&e);
        return;
    }
    if (s->example_count == REFINE_EXAMPLES) {
        free_example(&s->examples[--s->example_count]);
    }
    memmove(&s->examples[at + 1], &s->examples[at],
            (s->example_count - at) * sizeof s->examples[0]);
    s->examples[at] = e;
    s->example_count++;
}

bool refine_sums_wants(const struct refine_sums *s, struct str id)
{
    return s->example_count < REFINE_EXAMPLES ||
           hash64(id, 0) <= s->examples[REFINE_EXAMPLES - 1].order;
}

void refine_sums_offer(struct refine_sums *s, struct str id, struct str before, struct str after,
                       struct str programs, bool dropped)
{
    bool cut = false;
    struct refine_example e = {.order = hash64(id, 0), .dropped = dropped};
    e.id = copy_head(id, &cut);
    e.before = copy_head(before, &e.before_cut);
    e.after = copy_head(after, &e.after_cut);
    e.programs = copy_head(programs, &cut);
    put_example(s, e);
}

void refine_sums_add(struct refine_sums *s, struct refine_sums *one)
{
#define ADD(field) s->field += one->field
    ADD(documents), ADD(with_program), ADD(dropped), ADD(emptied), ADD(edited);
    ADD(text_bytes), ADD(text_bytes_kept), ADD(lines), ADD(lines_removed), ADD(bytes_removed);
    ADD(bytes_added), ADD(programs), ADD(programs_of_documents), ADD(unknown), ADD(calls);
    ADD(ill_formed), ADD(rejected), ADD(no_ops), ADD(prox_reverted), ADD(prox_refused);
    ADD(asked), ADD(cut), ADD(looped), ADD(refusals), ADD(skipped), ADD(shown_in_part);
    ADD(prompt_tokens), ADD(new_tokens), ADD(structured), ADD(stale);
#undef ADD
    for (size_t i = 0; i < PROGRAM_OPS; i++) {
        s->accepted[i] += one->accepted[i];
        s->refused[i] += one->refused[i];
        s->matches[i] += one->matches[i];
    }
    for (size_t i = 0; i < REFINE_REASONS && one->reasons[i].text; i++) {
        add_reason(s, one->reasons[i].text, one->reasons[i].count);
    }
    for (size_t i = 0; i < one->example_count; i++) {
        put_example(s, one->examples[i]);
    }
    one->example_count = 0;
}

/* ---- over ranks ---- */

static void tell_text(struct buf *out, const char *text)
{
    buf_add(out, text, strlen(text) + 1);
}

void refine_sums_tell(const struct refine_sums *s, struct buf *out)
{
    buf_add(out, s, sizeof *s); /* numbers; its addresses are of no use to others */
    for (size_t i = 0; i < REFINE_REASONS && s->reasons[i].text; i++) {
        tell_text(out, s->reasons[i].text);
    }
    for (size_t i = 0; i < s->example_count; i++) {
        const struct refine_example *e = &s->examples[i];
        tell_text(out, e->id);
        tell_text(out, e->before);
        tell_text(out, e->after);
        tell_text(out, e->programs);
    }
}

/* A copy of the next text, or NULL. */
static char *hear_text(struct str *told)
{
    size_t len = str_find(*told, (struct str){"", 1});
    if (len == SIZE_MAX) {
        return NULL;
    }
    char *text = mem_strdup(told->ptr);
    *told = str_sub(*told, len + 1, told->len);
    return text;
}

/* The text of a reason that lives as long as s. */
static const char *own_reason(struct refine_sums *s, char *heard)
{
    for (size_t i = 0; heard && i < REFINE_REASONS && s->reasons[i].text; i++) {
        if (strcmp(s->reasons[i].text, heard) == 0) {
            mem_free(heard);
            return s->reasons[i].text;
        }
    }
    if (heard && s->heard_count < REFINE_REASONS) {
        s->heard[s->heard_count++] = heard;
        return heard;
    }
    mem_free(heard);
    return NULL;
}

winnow_status refine_sums_hear(struct refine_sums *s, struct str told, struct winnow_error *err)
{
    struct refine_sums one;
    bool whole = told.len >= sizeof one;
    if (!whole) {
        return error_set(err, WINNOW_E_INTERNAL, "refine: another rank's sums break off");
    }
    memcpy(&one, told.ptr, sizeof one);
    told = str_sub(told, sizeof one, told.len);
    one.heard_count = 0;
    size_t reasons = 0;
    for (size_t i = 0; i < REFINE_REASONS && one.reasons[i].text; i++) {
        const char *text = own_reason(s, hear_text(&told));
        if (text) {
            one.reasons[reasons].text = text;
            one.reasons[reasons++].count = one.reasons[i].count;
        }
    }
    if (reasons < REFINE_REASONS) {
        one.reasons[reasons].text = NULL;
    }
    for (size_t i = 0; i < one.example_count; i++) {
        struct refine_example *e = &one.examples[i];
        e->id = hear_text(&told);
        e->before = hear_text(&told);
        e->after = hear_text(&told);
        e->programs = hear_text(&told);
        whole = whole && e->programs;
    }
    if (!whole) {
        refine_sums_release(&one);
        return error_set(err, WINNOW_E_INTERNAL, "refine: another rank's examples break off");
    }
    refine_sums_add(s, &one);
    return WINNOW_OK;
}

/* ---- refine.json ---- */

static void write_documents(const struct refine_sums *s, struct json_writer *w)
{
    json_member_open(w, "documents", '{');
    json_member_u64(w, "in", s->documents);
    json_member_u64(w, "with_program", s->with_program);
    json_member_u64(w, "edited", s->edited);
    json_member_u64(w, "dropped", s->dropped);
    json_member_u64(w, "emptied", s->emptied);
    json_member_u64(w, "with_structure", s->structured);
    json_member_u64(w, "stale_structure", s->stale);
    json_close(w, '}');
    json_member_open(w, "text_bytes", '{');
    json_member_u64(w, "in", s->text_bytes);
    json_member_u64(w, "kept", s->text_bytes_kept);
    json_member_u64(w, "removed_by_strings", s->bytes_removed);
    json_member_u64(w, "added_by_strings", s->bytes_added);
    json_close(w, '}');
    json_member_open(w, "lines", '{');
    json_member_u64(w, "in", s->lines);
    json_member_u64(w, "removed", s->lines_removed);
    json_close(w, '}');
}

static void write_calls(const struct refine_sums *s, struct json_writer *w)
{
    json_member_open(w, "programs", '{');
    json_member_u64(w, "count", s->programs);
    json_member_u64(w, "of_documents", s->programs_of_documents);
    json_member_u64(w, "unknown", s->unknown);
    json_member_u64(w, "reverted", s->prox_reverted);
    json_member_u64(w, "refused", s->prox_refused);
    json_close(w, '}');
    json_member_open(w, "calls", '{');
    json_member_u64(w, "count", s->calls);
    json_member_u64(w, "ill_formed", s->ill_formed);
    json_member_u64(w, "rejected", s->rejected);
    json_member_u64(w, "no_ops", s->no_ops);
    json_close(w, '}');
    json_member_open(w, "operations", '[');
    for (enum program_op op = 0; op < PROGRAM_OPS; op++) {
        if (s->accepted[op] + s->refused[op] > 0) {
            json_open(w, '{');
            json_member_text(w, "call", program_op_name(op));
            json_member_u64(w, "accepted", s->accepted[op]);
            json_member_u64(w, "rejected", s->refused[op]);
            json_member_u64(w, "matches", s->matches[op]);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

/* Most frequent first; by text where two are as frequent, so that threads do not
 * show. */
static void write_reasons(const struct refine_sums *s, struct json_writer *w)
{
    bool done[REFINE_REASONS] = {false};
    json_member_open(w, "reasons", '{');
    for (;;) {
        size_t best = REFINE_REASONS;
        for (size_t i = 0; i < REFINE_REASONS && s->reasons[i].text; i++) {
            if (!done[i] &&
                (best == REFINE_REASONS || s->reasons[i].count > s->reasons[best].count ||
                 (s->reasons[i].count == s->reasons[best].count &&
                  strcmp(s->reasons[i].text, s->reasons[best].text) < 0))) {
                best = i;
            }
        }
        if (best == REFINE_REASONS) {
            break;
        }
        done[best] = true;
        json_member_u64(w, s->reasons[best].text, s->reasons[best].count);
    }
    json_close(w, '}');
}

double refine_sums_flops(const struct refine_sums *s, const struct refine_description *d)
{
    return d->flops_a_token * (double)(s->prompt_tokens + s->new_tokens) +
           d->flops_a_line * (double)s->lines;
}

static void write_asked(const struct refine_sums *s, const struct refine_description *d,
                        struct json_writer *w)
{
    json_key(w, "asked");
    if (!d->refiner) {
        json_null(w);
        return;
    }
    json_open(w, '{');
    json_member_u64(w, "requests", s->asked);
    json_member_u64(w, "cut", s->cut);
    json_member_u64(w, "looped", s->looped);
    json_member_u64(w, "refused", s->refusals);
    json_member_u64(w, "long_lines_skipped", s->skipped);
    json_member_u64(w, "shown_in_part", s->shown_in_part);
    json_member_u64(w, "prompt_tokens", s->prompt_tokens);
    json_member_u64(w, "new_tokens", s->new_tokens);
    json_member_double(w, "flops", refine_sums_flops(s, d));
    json_close(w, '}');
}

static void write_examples(const struct refine_sums *s, struct json_writer *w)
{
    json_member_open(w, "examples", '[');
    for (size_t i = 0; i < s->example_count; i++) {
        const struct refine_example *e = &s->examples[i];
        json_open(w, '{');
        json_member_text(w, "id", e->id);
        json_member_bool(w, "dropped", e->dropped);
        json_member_text(w, "programs", e->programs);
        json_member_text(w, "before", e->before);
        json_member_bool(w, "before_cut", e->before_cut);
        json_member_text(w, "after", e->after);
        json_member_bool(w, "after_cut", e->after_cut);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void text_or_null(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    if (text) {
        json_text(w, text);
    } else {
        json_null(w);
    }
}

winnow_status refine_sums_write(const struct refine_sums *s, const struct refine_description *d,
                                const char *path, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "winnow_refine", 1);
    text_or_null(&w, "dialect", d->dialect);
    text_or_null(&w, "refiner", d->refiner);
    text_or_null(&w, "engine", d->engine);
    text_or_null(&w, "level", d->level);
    write_documents(s, &w);
    write_calls(s, &w);
    write_reasons(s, &w);
    write_asked(s, d, &w);
    write_examples(s, &w);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}
