/* job.c -- a block becomes records, verdicts, and the lines of every output file.
 *
 * Records point into `store` by offset, because it moves as it grows; raw lines are
 * views of the block, which lives as long as the job.  Lines of attributes are
 * written while documents are read, as they may be larger than all else; the others
 * when verdicts stand.  Nothing here knows of other jobs: order is pass.c's. */
#include "base/mem.h"
#include "corpus/page_structure.h"
#include "run/job_internal.h"
#include "run/ledger.h"

#include <math.h>

void stage_result_clear(struct stage_result *r)
{
    r->verdict = STAGE_KEEP;
    r->times = 1;
    r->rule = NULL;
    r->score = r->threshold = (double)NAN;
    buf_clear(&r->text);
    buf_clear(&r->detail);
    for (size_t i = 0; i < STAGE_ATTRIBUTES_MAX; i++) {
        buf_clear(&r->attributes[i]);
    }
    for (size_t i = 0; i < STAGE_CARRY; i++) {
        r->carry[i] = 0;
    }
}

void stage_result_release(struct stage_result *r)
{
    buf_release(&r->text);
    buf_release(&r->detail);
    for (size_t i = 0; i < STAGE_ATTRIBUTES_MAX; i++) {
        buf_release(&r->attributes[i]);
    }
}

void job_release(struct job *j)
{
    shard_block_release(&j->block);
    mem_free(j->records);
    mem_free(j->carry);
    buf_release(&j->store);
    for (size_t i = 0; i < STREAMS; i++) {
        buf_release(&j->lines[i]);
    }
    counts_release(&j->counts);
    *j = (struct job){0};
}

void job_clear(struct job *j)
{
    j->end_of_shard = j->end = false;
    j->count = 0;
    buf_clear(&j->store);
    for (size_t i = 0; i < STREAMS; i++) {
        buf_clear(&j->lines[i]);
        j->line_counts[i] = 0;
    }
    counts_release(&j->counts);
    j->status = WINNOW_OK;
}

void job_worker_release(struct job_worker *w)
{
    block_parser_free(w->parser);
    stage_result_release(&w->result);
    *w = (struct job_worker){0};
}

static void trim_buf(struct buf *b, size_t most)
{
    if (b->cap > most) {
        buf_release(b);
    }
}

void job_trim(struct job *j, size_t most)
{
    trim_buf(&j->block.bytes, most);
    trim_buf(&j->store, most);
    for (size_t i = 0; i < STREAMS; i++) {
        trim_buf(&j->lines[i], most);
    }
    if (j->cap * sizeof *j->records > most) {
        mem_free(j->records);
        mem_free(j->carry);
        j->records = NULL;
        j->carry = NULL;
        j->cap = j->count = 0;
    }
}

static void grow_records(struct job *j, size_t cap)
{
    j->records = mem_realloc(j->records, j->cap * sizeof *j->records, cap * sizeof *j->records);
    if (j->carry) {
        size_t one = STAGE_CARRY * sizeof *j->carry;
        j->carry = mem_realloc(j->carry, j->cap * one, cap * one);
    }
    j->cap = cap;
}

void job_expect(struct job *j, uint64_t lines, const struct stage_pass *pass)
{
    size_t cap = (size_t)lines;
    if (j->cap < cap) { /* exactly: nothing is copied, nothing lies idle */
        mem_free(j->records);
        mem_free(j->carry);
        j->records = mem_alloc(cap * sizeof *j->records);
        j->carry = NULL;
        j->cap = cap;
    }
    if (pass->decide && !j->carry) {
        j->carry = mem_alloc(j->cap * STAGE_CARRY * sizeof *j->carry);
    }
}

struct record *job_add_record(struct job *j)
{
    if (j->count == j->cap) {
        grow_records(j, j->cap ? j->cap * 2 : 256);
    }
    struct record *r = &j->records[j->count++];
    *r = (struct record){.times = 1, .score = (double)NAN, .threshold = (double)NAN};
    return r;
}

struct span job_store(struct job *j, struct str s)
{
    struct span at = {j->store.len, s.len};
    buf_add_str(&j->store, s);
    return at;
}

struct str job_view(const struct job *j, struct span s)
{
    return s.len == 0 ? (struct str){"", 0} : (struct str){j->store.ptr + s.at, s.len};
}

static void add_bad(struct job *j, const struct bad_line *bad)
{
    struct record *r = job_add_record(j);
    r->bad = true;
    r->torn = bad->torn;
    r->unreadable = bad->unreadable;
    r->number = bad->line;
    r->ordinal = j->start.ordinal + bad->line - 1;
    r->bytes = bad->bytes;
    r->line.at = j->store.len;
    bad_line_add_json(bad, j->shard, &j->store);
    r->line.len = j->store.len - r->line.at;
    r->detail = job_store(j, bad->reason);
}

/* Neighbours mostly have one source: it is stored once. */
static struct span store_source(struct job *j, struct str source)
{
    for (size_t i = j->count - 1; i > 0 && i + 8 > j->count; i--) {
        const struct record *before = &j->records[i - 1];
        if (!before->bad && str_eq(job_view(j, before->source), source)) {
            return before->source;
        }
    }
    return job_store(j, source);
}

/* What the stage said, from the worker's scratch into the job. */
static void add_document(struct job *j, const struct document *d, const struct stage_result *said,
                         bool ends_structure)
{
    struct record *r = job_add_record(j);
    r->verdict = said->verdict;
    r->times = said->times;
    r->rule = said->rule;
    r->score = said->score;
    r->threshold = said->threshold;
    if (j->carry) {
        memcpy(&j->carry[(j->count - 1) * STAGE_CARRY], said->carry, sizeof said->carry);
    }
    if (said->verdict == STAGE_EDIT &&
        d->example) { /* there is no text to put another in place of */
        r->verdict = STAGE_KEEP;
        r->rule = EXAMPLE_NOT_EDITED;
    }
    r->number = d->line;
    r->ordinal = d->ordinal;
    r->bytes = d->raw.len;
    r->text_bytes = r->text_bytes_out = d->text.len;
    r->raw = d->raw;
    if (ends_structure && r->verdict == STAGE_KEEP) {
        r->line.at = j->store.len;
        if (document_add_without_structure(d, &j->store)) {
            r->raw = (struct str){NULL, 0};
            r->line.len = j->store.len - r->line.at;
        }
    }
    if (d->id_made && r->raw.ptr) {
        r->raw = (struct str){NULL, 0};
        r->line.at = j->store.len;
        document_add(d, &j->store);
        r->line.len = j->store.len - r->line.at;
    }
    if (r->verdict == STAGE_EDIT) {
        r->edited.at = j->store.len;
        r->structure_dropped =
            document_add_with_text(d, buf_str(&said->text), &j->store) && !ends_structure;
        r->edited.len = j->store.len - r->edited.at;
        r->text_bytes_out = said->text.len;
    } else if (said->verdict == STAGE_ASIDE && said->text.len > 0 && !d->example) {
        r->edited.at = j->store.len;
        (void)document_add_with_text(d, buf_str(&said->text), &j->store);
        r->edited.len = j->store.len - r->edited.at;
    }
    r->id = job_store(j, d->id);
    r->source = store_source(j, d->source);
    r->detail = job_store(j, buf_str(&said->detail));
}

/* The lines of all other files are composed later; these are written at once, for
 * there may be more of them than of anything else. */
static void add_attributes(struct job *j, const struct document *d, enum stream stream,
                           struct str members)
{
    struct buf *out = &j->lines[stream];
    buf_add_text(out, "{\"id\":");
    json_quote(out, d->id);
    if (j->foreign) {
        buf_addf(out, ",\"line\":%llu", (unsigned long long)d->line);
    }
    buf_add_text(out, ",\"attributes\":{");
    buf_add_str(out, members);
    buf_add_text(out, "}}\n");
    j->line_counts[stream]++;
}

void job_read(struct job *j, const struct stage_pass *pass, struct job_worker *w)
{
    if (j->end || j->end_of_shard) {
        return;
    }
    job_expect(j, j->block.line_end - j->block.line, pass);
    if (j->block.bad.reason.len > 0) {
        add_bad(j, &j->block.bad);
        return;
    }
    struct parsed item;
    uint64_t taken = 0;
    block_parser_start(w->parser, &j->block);
    for (;;) {
        j->status = block_parser_next(w->parser, &item, &j->error);
        if (j->status != WINNOW_OK || item.kind == PARSED_END) {
            return;
        }
        if (item.kind == PARSED_BAD) {
            add_bad(j, &item.bad);
            continue;
        }
        stage_result_clear(&w->result);
        w->longest = item.document.raw.len > w->longest ? item.document.raw.len : w->longest;
        item.document.ordinal = j->start.ordinal + item.document.line - 1;
        if (item.document.ordinal >= j->ordinal_end || taken++ == j->most) {
            return;
        }
        if (pass->document) {
            j->status = pass->document(pass->state, w->own, &item.document, &w->result, &j->error);
            if (j->status != WINNOW_OK) {
                j->status = error_wrap(&j->error, j->status, "%s:%llu", j->shard,
                                       (unsigned long long)item.document.line);
                return;
            }
        }
        add_document(j, &item.document, &w->result, pass->ends_structure);
        for (unsigned k = 0; k < STAGE_ATTRIBUTES_MAX && pass->attributes && pass->attributes[k];
             k++) {
            add_attributes(j, &item.document, STREAM_ATTRIBUTES + k,
                           buf_str(&w->result.attributes[k]));
        }
    }
}

winnow_status job_decide(struct job *j, const struct stage_pass *pass, struct stage_result *scratch,
                         struct winnow_error *err)
{
    for (size_t i = 0; i < j->count; i++) {
        struct record *r = &j->records[i];
        if (r->bad || r->dropped) {
            continue;
        }
        stage_result_clear(scratch);
        scratch->verdict = r->verdict;
        scratch->times = r->times;
        scratch->rule = r->rule;
        scratch->score = r->score;
        scratch->threshold = r->threshold;
        memcpy(scratch->carry, &j->carry[i * STAGE_CARRY], sizeof scratch->carry);
        buf_add_str(&scratch->detail, job_view(j, r->detail));
        TRY(pass->decide(pass->state, job_view(j, r->id), r->ordinal, scratch, err));
        bool was_edit = r->verdict == STAGE_EDIT;
        r->verdict = scratch->verdict;
        r->times = scratch->times;
        r->rule = scratch->rule;
        r->score = scratch->score;
        r->threshold = scratch->threshold;
        if (scratch->verdict == STAGE_EDIT && !was_edit) {
            return error_set(err, WINNOW_E_INTERNAL, "decide() cannot edit a text");
        }
        if (scratch->detail.len != r->detail.len) {
            r->detail = job_store(j, buf_str(&scratch->detail));
        }
    }
    return WINNOW_OK;
}

/* "the line is 812 bytes long" and "... 9 bytes long" are one reason, and so are all
 * lines that lack a key, whichever they have. */
static void count_bad(struct counts *c, struct str reason)
{
    struct buf kind = {0};
    size_t keys = str_find(reason, STR_LIT(DOCUMENT_KEYS_THERE));
    reason.len = keys == SIZE_MAX ? reason.len : keys;
    for (size_t i = 0; i < reason.len; i++) {
        bool digit = reason.ptr[i] >= '0' && reason.ptr[i] <= '9';
        if (!digit) {
            buf_add_char(&kind, reason.ptr[i]);
        } else if (kind.len == 0 || kind.ptr[kind.len - 1] != 'N') {
            buf_add_char(&kind, 'N');
        }
    }
    counts_reason(c, REASON_BAD, buf_str(&kind));
    buf_release(&kind);
}

static void count_record(struct counts *c, const struct job *j, const struct record *r)
{
    static const enum count_field FIELD[] = {COUNT_KEPT, COUNT_KEPT, COUNT_REMOVED, COUNT_ASIDE};
    static const enum count_reason REASON[] = {REASON_KEPT, REASON_EDITED, REASON_REMOVED,
                                               REASON_ASIDE};
    c->documents[COUNT_IN]++;
    c->bytes[COUNT_IN] += r->bytes;
    if (r->bad) {
        c->documents[COUNT_BAD]++;
        c->bytes[COUNT_BAD] += r->bytes;
        count_bad(c, job_view(j, r->detail));
        return;
    }
    enum count_field field = FIELD[r->verdict];
    bool edit = r->verdict == STAGE_EDIT;
    c->text_bytes[COUNT_IN] += r->text_bytes;
    c->documents[field]++;
    c->bytes[field] += edit ? r->edited.len : r->raw.ptr ? r->bytes : r->line.len;
    c->text_bytes[field] += edit ? r->text_bytes_out : r->text_bytes;
    if (r->verdict == STAGE_KEEP && r->times > 1) {
        uint64_t more = r->times - 1;
        c->documents[COUNT_COPIES] += more;
        c->bytes[COUNT_COPIES] += more * (r->raw.ptr ? r->bytes : r->line.len);
        c->text_bytes[COUNT_COPIES] += more * r->text_bytes;
    }
    c->documents[COUNT_EDITED] += edit;
    if (edit && r->structure_dropped) {
        counts_reason(c, REASON_DROPPED_KEY, STR_LIT(STRUCTURE_KEY));
    }
    if (r->rule) {
        counts_reason(c, REASON[r->verdict], str_of(r->rule));
    }
    if (r->source.len > 0) {
        counts_source(c, job_view(j, r->source), 1, field);
    }
}

static struct str line_of(const struct job *j, const struct record *r)
{
    return r->raw.ptr ? r->raw : job_view(j, r->line);
}

static void add_line(struct job *j, enum stream stream, struct str line)
{
    buf_add_str(&j->lines[stream], line);
    buf_add_char(&j->lines[stream], '\n');
    j->line_counts[stream]++;
}

/* The line, or of a copy aside the one with its own text, and a last key that says why it
 * ended here. */
static void add_ended(struct job *j, enum stream stream, const struct record *r, const char *stage)
{
    bool own = r->verdict == STAGE_ASIDE && r->edited.len > 0;
    struct str line = own ? job_view(j, r->edited) : line_of(j, r);
    struct buf *out = &j->lines[stream];
    buf_add(out, line.ptr, line.len - 1);
    buf_add_text(out, ",\"winnow\":");
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_text(&w, "stage", stage);
    ledger_write_reason(&w, r->rule, r->score, r->threshold);
    json_close(&w, '}');
    buf_add_text(out, "}\n");
    j->line_counts[stream]++;
}

static void add_ledger(struct job *j, const struct record *r)
{
    struct ledger_line line = {
        .id = job_view(j, r->id),
        .line = r->number,
        .verdict = r->verdict,
        .rule = r->rule,
        .score = r->score,
        .threshold = r->threshold,
        .times = r->verdict == STAGE_KEEP ? r->times : 1,
        .detail = job_view(j, r->detail),
    };
    ledger_add_line(&line, &j->lines[STREAM_LEDGER]);
    j->line_counts[STREAM_LEDGER]++;
}

static void compose_verdict(struct job *j, const struct record *r, bool arranges, const char *stage,
                            const bool wanted[STREAMS])
{
    switch (r->verdict) {
    case STAGE_KEEP:
        if (arranges) { /* arrange.c reads it */
            buf_addf(&j->lines[STREAM_DOCUMENTS], "%u ", (unsigned)r->times);
        }
        add_line(j, STREAM_DOCUMENTS, line_of(j, r));
        break;
    case STAGE_EDIT:
        add_line(j, STREAM_DOCUMENTS, job_view(j, r->edited));
        break;
    case STAGE_REMOVE:
    case STAGE_ASIDE: {
        enum stream stream = r->verdict == STAGE_REMOVE ? STREAM_REMOVED : STREAM_ASIDE;
        if (wanted[stream]) {
            add_ended(j, stream, r, stage);
        }
        break;
    }
    }
    if (wanted[STREAM_LEDGER]) {
        add_ledger(j, r);
    }
}

/* Keeps the attributes of the first `count` documents: those behind are dropped. */
static void cut_attributes(struct job *j, uint64_t count)
{
    for (unsigned k = STREAM_ATTRIBUTES; k < STREAMS; k++) {
        struct str rest = buf_str(&j->lines[k]), line;
        for (uint64_t n = 0; n < count && str_next_line(&rest, &line); n++) {
        }
        if (j->line_counts[k] > count) {
            j->lines[k].len -= rest.len;
            j->line_counts[k] = count;
        }
    }
}

void job_compose(struct job *j, const struct stage_pass *pass, const char *stage,
                 const bool wanted[STREAMS])
{
    uint64_t documents = 0;
    bool cut = false;
    for (size_t i = 0; i < j->count; i++) {
        const struct record *r = &j->records[i];
        documents += !r->bad && !r->dropped;
        cut = cut || r->dropped;
        if (r->dropped) {
            continue;
        }
        count_record(&j->counts, j, r);
        if (r->bad) {
            if (wanted[STREAM_BAD] && pass->verdicts) {
                buf_add_str(&j->lines[STREAM_BAD], job_view(j, r->line));
                j->line_counts[STREAM_BAD]++;
            }
            continue;
        }
        if (pass->verdicts) {
            compose_verdict(j, r, pass->arranges, stage, wanted);
        }
    }
    if (cut) {
        cut_attributes(j, documents);
    }
}
