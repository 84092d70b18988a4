/* label_subject.c -- the questions of one document, their answers, its labels.
 *
 * Documents are judged by scores (educational value, and format where that is
 * middling); chunks get one program a question, and the programs are merged.  What was
 * cut off, refused or cannot be read makes the chunk or document "unread": no label is
 * better than a guessed one. */
#include "teach/label_subject.h"

#include "base/json_write.h"

#include <assert.h>

/* Chunks that can be shown come first; the others are counted. */
static void cut_chunks(struct label_subject *s, const struct label_plan *plan,
                       struct winnow_refiner_label_result *r)
{
    size_t n = 0;
    chunker_cut(plan->chunker, s->text, &s->chunks);
    for (size_t i = 0; i < s->chunks.count; i++) {
        const struct chunk *c = &s->chunks.items[i];
        r->lines_skipped += c->skipped;
        if (!c->skipped && str_trim(c->text).len > 0) {
            s->chunks.items[n++] = *c;
        }
    }
    s->chunks.count = n;
    s->questions = n * EXPERT_OF_CHUNK;
    if (n > 0) {
        expert_start(s->text, &s->keep, &s->lines);
    }
}

bool label_subject_open(struct label_subject *s, const struct label_plan *plan, struct str id,
                        struct str text, struct winnow_refiner_label_result *r)
{
    *s = (struct label_subject){0};
    if (str_trim(text).len == 0) {
        return false;
    }
    arena_init(&s->keep, (size_t)1 << 16);
    s->id = (struct str){arena_strndup(&s->keep, id.ptr, id.len), id.len};
    s->text = (struct str){arena_strndup(&s->keep, text.ptr, text.len), text.len};
    if (plan->chunks) {
        cut_chunks(s, plan, r);
    } else {
        s->questions = EXPERT_OF_DOCUMENT;
    }
    if (s->questions == 0) {
        label_subject_release(s);
        return false;
    }
    s->hashes = ARENA_NEW(&s->keep, struct hash128, s->questions);
    return true;
}

void label_subject_release(struct label_subject *s)
{
    chunk_list_release(&s->chunks);
    buf_release(&s->labels);
    arena_release(&s->keep);
    *s = (struct label_subject){0};
}

bool label_subject_asks(const struct label_subject *s)
{
    return s->asked < s->questions;
}

bool label_subject_done(const struct label_subject *s)
{
    return s->answered == s->questions;
}

/* ---- questions ---- */

/* Of everything that decides what is asked, the model apart. */
static struct hash128 hash_question(const struct label_plan *plan, struct str text)
{
    struct buf settings = {0};
    struct hash_stream *h = hash_stream_new();
    buf_addf(&settings, "%d %u %llu\n%s\n", plan->chat, plan->answer_tokens,
             (unsigned long long)plan->seed, EXPERT_SYSTEM);
    hash_stream_add(h, buf_str(&settings));
    hash_stream_add(h, text);
    struct hash128 value = hash_stream_value(h);
    hash_stream_free(h);
    buf_release(&settings);
    return value;
}

static const struct chunk *chunk_of(const struct label_subject *s, size_t question)
{
    return &s->chunks.items[question / EXPERT_OF_CHUNK];
}

static enum expert_question kind_of(const struct label_plan *plan, size_t question)
{
    return (enum expert_question)(plan->chunks ? EXPERT_OF_DOCUMENT + question % EXPERT_OF_CHUNK
                                               : question);
}

static void describe(const struct label_subject *s, const struct label_plan *plan, size_t question,
                     struct label_entry *e)
{
    e->id = s->id;
    e->question = expert_question_name(kind_of(plan, question));
    e->of_chunk = plan->chunks;
    e->first = plan->chunks ? chunk_of(s, question)->first : 0;
    e->last = plan->chunks ? chunk_of(s, question)->last : 0;
    e->hash = s->hashes[question];
}

void label_subject_ask(struct label_subject *s, const struct label_plan *plan,
                       struct label_entry *e, struct buf *text)
{
    assert(label_subject_asks(s));
    size_t start = text->len;
    enum expert_question q = kind_of(plan, s->asked);
    if (plan->chunks) {
        expert_ask_chunk(q, chunk_of(s, s->asked), text);
    } else {
        expert_ask_document(q, s->text, plan->document_bytes, text);
    }
    s->hashes[s->asked] = hash_question(plan, str_sub(buf_str(text), start, text->len));
    describe(s, plan, s->asked, e);
    s->asked++;
}

void label_subject_due(const struct label_subject *s, const struct label_plan *plan,
                       struct label_entry *e)
{
    assert(s->answered < s->asked);
    describe(s, plan, s->answered, e);
}

/* ---- answers ---- */

static void answer_document(struct label_subject *s, const struct label_entry *e)
{
    size_t q = s->answered;
    bool whole = !e->cut && !e->refused.ptr;
    s->known[q] = whole && !expert_read_score((enum expert_question)q, e->answer, &s->scores[q]);
}

static void end_chunk(struct label_subject *s, const struct label_plan *plan, const struct chunk *c,
                      struct winnow_refiner_label_result *r)
{
    struct expert_merge m;
    struct buf program = {0};
    if (s->unread) {
        r->chunks_unread++;
        s->unread = false;
        return;
    }
    expert_merge(&s->lines, c, s->programs, EXPERT_OF_CHUNK, &s->keep, &m, &program);
    r->calls += m.calls;
    r->calls_rejected += m.rejected;
    if (m.removed > plan->removal_max) {
        r->chunks_over++;
    } else {
        struct json_writer w = {.out = &s->labels};
        r->chunks_edited += m.removed > 0;
        r->chunks_kept += !(m.removed > 0);
        buf_add_text(&s->labels, s->labels.len > 0 ? ", " : "");
        json_open(&w, '{');
        json_member_u64(&w, "first", c->first);
        json_member_u64(&w, "last", c->last);
        json_member_str(&w, "program", buf_str(&program));
        json_close(&w, '}');
    }
    buf_release(&program);
}

static void answer_chunk(struct label_subject *s, const struct label_plan *plan,
                         const struct label_entry *e, struct winnow_refiner_label_result *r)
{
    size_t which = s->answered % EXPERT_OF_CHUNK;
    bool whole = !e->cut && !e->refused.ptr;
    struct str answer = {arena_strndup(&s->keep, e->answer.ptr, e->answer.len), e->answer.len};
    if (!whole || expert_read_program(answer, &s->keep, &s->programs[which])) {
        s->unread = true;
    }
    if (which + 1 == EXPERT_OF_CHUNK) {
        end_chunk(s, plan, chunk_of(s, s->answered), r);
    }
}

void label_subject_answer(struct label_subject *s, const struct label_plan *plan,
                          const struct label_entry *e, struct winnow_refiner_label_result *r)
{
    assert(s->answered < s->asked);
    if (plan->chunks) {
        answer_chunk(s, plan, e, r);
    } else {
        answer_document(s, e);
    }
    s->answered++;
}

/* ---- labels ---- */

static void write_head(const struct label_subject *s, struct json_writer *w)
{
    json_open(w, '{');
    json_member_str(w, "id", s->id);
    json_member_str(w, "text", s->text);
}

static char close_document(struct label_subject *s, struct winnow_refiner_label_result *r,
                           struct buf *out)
{
    bool needed = s->known[EXPERT_EDUCATION] && expert_needs_format(s->scores[EXPERT_EDUCATION]);
    if (!s->known[EXPERT_EDUCATION] || (needed && !s->known[EXPERT_FORMAT])) {
        r->documents_unread++;
        return '?';
    }
    bool kept = expert_judge(s->scores[EXPERT_EDUCATION], s->scores[EXPERT_FORMAT]) == EXPERT_KEEP;
    r->documents_kept += kept;
    r->documents_dropped += !kept;
    struct json_writer w = {.out = out};
    write_head(s, &w);
    json_member_text(&w, "program", kept ? "keep_doc()" : "drop_doc()");
    for (size_t q = 0; q < EXPERT_OF_DOCUMENT; q++) {
        if (s->known[q]) {
            json_member_u64(&w, expert_question_name((enum expert_question)q), s->scores[q]);
        }
    }
    json_close(&w, '}');
    buf_add_char(out, '\n');
    return kept ? 'k' : 'd';
}

static char close_chunks(const struct label_subject *s, struct buf *out)
{
    if (s->labels.len > 0) {
        struct json_writer w = {.out = out};
        write_head(s, &w);
        json_member_open(&w, "chunks", '[');
        json_raw(&w, buf_str(&s->labels));
        json_close(&w, ']');
        json_close(&w, '}');
        buf_add_char(out, '\n');
    }
    return '?';
}

char label_subject_close(struct label_subject *s, const struct label_plan *plan,
                         struct winnow_refiner_label_result *r, struct buf *out)
{
    char verdict = plan->chunks ? close_chunks(s, out) : close_document(s, r, out);
    label_subject_release(s);
    return verdict;
}
