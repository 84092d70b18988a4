/* source.c -- what a first stage over files says of its pages, as records. */
#include "base/json_write.h"
#include "run/job_internal.h"

struct source_sink {
    struct job *job;
};

void source_emit(struct source_sink *out, struct str id, struct str json_line, size_t text_bytes)
{
    struct record *r = job_add_record(out->job);
    r->line = job_store(out->job, json_line);
    r->id = job_store(out->job, id);
    r->bytes = json_line.len;
    r->text_bytes = r->text_bytes_out = text_bytes;
}

void source_remove(struct source_sink *out, struct str id, const char *rule, struct str detail)
{
    struct job *j = out->job;
    struct record *r = job_add_record(j);
    r->verdict = STAGE_REMOVE;
    r->rule = rule;
    r->line.at = j->store.len;
    buf_add_text(&j->store, "{\"id\":");
    json_quote(&j->store, id);
    buf_add_char(&j->store, '}');
    r->line.len = j->store.len - r->line.at;
    r->id = job_store(j, id);
    r->detail = job_store(j, detail);
}

void source_bad(struct source_sink *out, const struct source_place *at, const char *reason)
{
    struct job *j = out->job;
    struct record *r = job_add_record(j);
    const struct bad_line bad = {
        .offset = at->offset, .raw = STR_LIT(""), .reason = str_of(reason)};
    r->bad = true;
    r->line.at = j->store.len;
    bad_line_add_json(&bad, at->name, &j->store);
    r->line.len = j->store.len - r->line.at;
    r->detail = job_store(j, str_of(reason));
    r->id = job_store(j, str_of(at->label));
}

void source_lost(struct source_sink *out, const struct source_place *at, const char *reason,
                 bool unreadable)
{
    source_bad(out, at, reason);
    struct record *r = &out->job->records[out->job->count - 1];
    r->lost = true;
    r->unreadable = unreadable;
}

void job_convert(struct job *j, const struct stage_source *source, struct job_worker *w)
{
    if (!j->end) {
        struct source_sink sink = {.job = j};
        j->status = source->convert(source->state, w->own, &j->piece, &sink, &j->error);
    }
}
