/* causal_results.c -- a study as JSON, as a table, and fact by fact. */
#include "base/json_write.h"
#include "option/tables.h"
#include "study/study_internal.h"

#include <inttypes.h>
#include <math.h>

static double accuracy(const struct study *s, enum who w)
{
    double right = 0;
    for (size_t i = 0; i < s->facts.count; i++) {
        right += s->says[w][i] == s->facts.items[i].object;
    }
    return right / (double)s->facts.count;
}

/* Why there is no estimate, or no interval, or what makes one say little; nothing: it stands by
 * itself. */
static void add_note(struct buf *out, enum treatment t, const struct effect *e)
{
    static const char *const NO_ROWS[] = {
        "there is no fact",
        "no subject stands with one object of its relation more often than with the others",
        "no pattern has one object more often than the others, and in 5 sentences or more"};
    if (e->rows == 0) {
        buf_add_text(out, NO_ROWS[t]);
    } else if (e->treated == 0) {
        buf_add_text(out, "none is treated: the corpus states no fact in its pattern's words");
    } else if (e->treated == e->rows) {
        buf_add_text(out, "all are treated: the corpus states every fact in its pattern's words");
    } else if (e->used == 0) {
        buf_addf(out,
                 "too few rows to a stratum: none of the %zu strata has both treated and others",
                 e->strata);
    } else if (e->outcomes == 0 || e->outcomes == e->rows) {
        buf_addf(out, "the answers do not vary: %s is what is asked for",
                 e->outcomes == 0 ? "none" : "every one");
    } else if (isnan(e->low) && e->redraws == 0) {
        buf_add_text(out, "no interval: --bootstrap is 0");
    } else if (isnan(e->low)) {
        buf_addf(out,
                 "no interval: %zu of %zu redraws have a stratum with both treated and others, and "
                 "40 are needed",
                 e->redraws_used, e->redraws);
    } else if (e->low == e->high) {
        buf_add_text(out, "the interval has no width: too few subjects, or all of them alike, so "
                          "that redraws of them tell nothing");
    }
}

static void write_note(struct json_writer *w, enum treatment t, const struct effect *e)
{
    struct buf note = {0};
    add_note(&note, t, e);
    json_key(w, "note");
    if (note.len > 0) {
        json_str(w, buf_str(&note));
    } else {
        json_null(w);
    }
    buf_release(&note);
}

static void write_effect(struct json_writer *w, enum treatment t, const char *key,
                         const struct effect *e)
{
    json_member_open(w, key, '{');
    json_member_u64(w, "rows", e->rows);
    json_member_u64(w, "treated", e->treated);
    json_member_u64(w, "strata", e->strata);
    json_member_u64(w, "strata_with_both", e->strata_used);
    json_member_u64(w, "rows_in_strata_with_both", e->used);
    json_member_double(w, "naive", e->naive);
    json_member_double(w, "back_door", e->adjusted);
    json_member_double(w, "low", e->low);
    json_member_double(w, "high", e->high);
    write_note(w, t, e);
    json_close(w, '}');
}

void study_write_json(const struct study *s, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "documents", s->result->documents);
    json_member_u64(&w, "sentences", s->result->sentences);
    json_member_u64(&w, "facts", s->facts.count);
    json_member_u64(&w, "subjects", s->facts.subjects.count);
    json_member_u64(&w, "subjects_absent", s->result->subjects_absent);
    json_member_u64(&w, "seed", s->env->seed);
    json_member_open(&w, "settings", '{');
    option_write_key(&STUDY_CAUSAL_TABLE, s->opt, &w);
    json_close(&w, '}');
    json_member_open(&w, "accuracy", '{');
    for (unsigned i = 0; i < WHOS; i++) {
        json_member_double(&w, STUDY_WHO[i], accuracy(s, (enum who)i));
    }
    json_close(&w, '}');
    json_member_open(&w, "effects", '{');
    for (unsigned t = 0; t < TREATMENTS; t++) {
        json_member_open(&w, STUDY_TREATMENT[t], '{');
        for (unsigned i = 0; i < WHOS; i++) {
            write_effect(&w, (enum treatment)t, STUDY_WHO[i], &s->effects[t][i]);
        }
        json_close(&w, '}');
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static void write_number(struct buf *out, double x)
{
    if (isnan(x)) {
        buf_add_text(out, "      -");
    } else {
        buf_addf(out, " %+.3f", x);
    }
}

void study_write_table(const struct study *s, struct buf *out)
{
    buf_addf(out, "%zu facts about %zu subjects; %" PRIu64 " sentences\n", s->facts.count,
             s->facts.subjects.count, s->result->sentences);
    struct buf note = {0};
    buf_add_text(out, "treatment       whom             rows  treated   naive back-door [95 %]\n");
    for (unsigned t = 0; t < TREATMENTS; t++) {
        for (unsigned i = 0; i < WHOS; i++) {
            const struct effect *e = &s->effects[t][i];
            buf_addf(out, "%-15s %-14s %6zu %8zu ", STUDY_TREATMENT[t], STUDY_WHO[i], e->rows,
                     e->treated);
            write_number(out, e->naive);
            buf_add_text(out, "  ");
            write_number(out, e->adjusted);
            buf_add_text(out, " [");
            write_number(out, e->low);
            write_number(out, e->high);
            buf_add_char(out, ']');
            note.len = 0;
            add_note(&note, (enum treatment)t, e);
            if (note.len > 0) {
                buf_addf(out, "  %.*s", (int)note.len, note.ptr);
            }
            buf_add_char(out, '\n');
        }
    }
    buf_release(&note);
}

void study_write_rows(const struct study *s, struct buf *out)
{
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct fact *f = &s->facts.items[i];
        struct json_writer w = {.out = out};
        json_open(&w, '{');
        json_member_str(&w, "subject", s->facts.subjects.entries[f->subject].key);
        json_member_str(&w, "pattern", s->facts.patterns.entries[f->pattern].key);
        json_member_str(&w, "object", s->facts.objects.entries[f->object].key);
        json_member_str(&w, "model", s->facts.objects.entries[s->says[MODEL][i]].key);
        json_member_u64(&w, "subject_sentences", fact_counts_subject(&s->counts, f->subject));
        json_member_u64(&w, "subject_object", study_with_subject(s, f, f->object));
        json_member_u64(&w, "pattern_object", study_with_pattern(s, f, f->object));
        json_member_u64(&w, "stated",
                        fact_counts_fact(&s->counts, f->pattern, f->subject, f->object));
        json_close(&w, '}');
        buf_add_char(out, '\n');
    }
}
