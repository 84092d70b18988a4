/* report_json.c -- the summary for tools: `winnow report RUN --json`. */
#include "base/json_write.h"
#include "report/report_causes.h"
#include "report/report_sections.h"

#include <math.h>

/* A member of a parsed file, written again. */
static void copy_number(struct json_writer *w, const char *key, struct json_value v,
                        const char *path)
{
    double number = data_number(v, path);
    json_key(w, key);
    if (isfinite(number) && number >= 0 && number < 9e15 && floor(number) == number) {
        json_u64(w, (uint64_t)number);
    } else {
        json_double(w, number);
    }
}

static void copy_pair(struct json_writer *w, const char *key, struct json_value pair)
{
    json_key(w, key);
    if (json_kind(pair) != JSON_ARRAY) {
        json_null(w);
        return;
    }
    json_open(w, '[');
    json_double(w, data_item(pair, 0));
    json_double(w, data_item(pair, 1));
    json_close(w, ']');
}

static void add_counts(struct json_writer *w, const char *key, struct json_value stats,
                       const char *const *names, size_t count)
{
    json_member_open(w, key, '{');
    struct json_value counts = json_get(stats, key);
    for (size_t i = 0; i < count; i++) {
        copy_number(w, names[i], counts, names[i]);
    }
    json_close(w, '}');
}

static void add_reasons(struct json_writer *w, struct json_value stats, const char *name)
{
    json_member_open(w, name, '{');
    struct json_iter it = json_walk(json_get(stats, name));
    while (json_next(&it)) {
        uint64_t n;
        if (json_as_u64(it.value, &n)) {
            json_key_str(w, it.key);
            json_u64(w, n);
        }
    }
    json_close(w, '}');
}

static void add_stage(struct json_writer *w, const struct report_stage *s)
{
    static const char *const COUNTS[] = {"in", "kept", "edited", "removed", "aside", "bad"};
    static const char *const TEXT[] = {"in", "kept", "removed", "aside"};
    json_open(w, '{');
    json_member_str(w, "stage", str_of(s->folder));
    add_counts(w, "documents", s->stats, COUNTS, 6);
    add_counts(w, "text_bytes", s->stats, TEXT, 4);
    json_key(w, "tokens");
    if (isfinite(s->tokens) && s->tokens >= 0) {
        json_u64(w, (uint64_t)s->tokens);
    } else {
        json_null(w);
    }
    add_reasons(w, s->stats, "reasons");
    add_reasons(w, s->stats, "keep_reasons");
    if (json_kind(s->refine) == JSON_OBJECT) {
        json_member_open(w, "refine", '{');
        json_member_str(w, "dialect", data_str(s->refine, "dialect"));
        copy_number(w, "dropped", s->refine, "documents.dropped");
        copy_number(w, "edited", s->refine, "documents.edited");
        copy_number(w, "lines_removed", s->refine, "lines.removed");
        copy_number(w, "programs", s->refine, "programs.count");
        copy_number(w, "calls", s->refine, "calls.count");
        copy_number(w, "ill_formed", s->refine, "calls.ill_formed");
        copy_number(w, "rejected", s->refine, "calls.rejected");
        json_close(w, '}');
    }
    if (json_kind(s->prune) == JSON_OBJECT) {
        json_member_open(w, "prune", '{');
        json_member_str(w, "criterion", data_str(s->prune, "criterion"));
        copy_number(w, "rate", s->prune, "rate");
        copy_number(w, "pool", s->prune, "documents.pool");
        copy_number(w, "kept", s->prune, "documents.kept");
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void add_difference(struct json_writer *w, struct json_value v)
{
    json_open(w, '{');
    json_member_str(w, "arm", data_str(v, "arm"));
    json_member_str(w, "baseline", data_str(v, "baseline"));
    json_member_str(w, "measure", data_str(v, "measure"));
    copy_number(w, "mean", v, "mean");
    copy_pair(w, "t_interval", json_get(v, "t_interval"));
    copy_number(w, "p_holm", v, "p_holm");
    json_member_str(w, "says", str_of(report_outcome_name(report_outcome_of(v))));
    json_close(w, '}');
}

static void add_proof(struct json_writer *w, const struct report_data *d,
                      const struct report_verdict *v)
{
    json_key(w, "proof");
    if (json_kind(d->proof) != JSON_OBJECT) {
        json_null(w);
        return;
    }
    json_open(w, '{');
    json_member_bool(w, "complete", d->proof_complete);
    json_member_str(w, "arm", v->arm);
    json_member_str(w, "baseline", v->baseline);
    json_member_str(w, "measure", v->measure);
    json_member_str(w, "unit", v->unit);
    json_member_double(w, "seeds", v->seeds);
    json_key(w, "differences"); /* of all domains together */
    json_open(w, '[');
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        if (data_str(it.value, "domain").len == 0) {
            add_difference(w, it.value);
        }
    }
    json_close(w, ']');
    json_key(w, "against_random"); /* the primary measure */
    if (v->random.there) {
        json_open(w, '{');
        json_member_double(w, "mean", v->random.mean);
        json_member_open(w, "t_interval", '[');
        json_double(w, v->random.low);
        json_double(w, v->random.high);
        json_close(w, ']');
        json_member_str(w, "says", str_of(report_outcome_name(v->random.outcome)));
        json_close(w, '}');
    } else {
        json_null(w);
    }
    json_member_open(w, "cost", '[');
    it = json_walk(data_get(d->proof, "cost.arms"));
    while (json_next(&it)) {
        json_open(w, '{');
        json_member_str(w, "arm", data_str(it.value, "arm"));
        copy_number(w, "total_flops", it.value, "total");
        json_close(w, '}');
    }
    json_close(w, ']');
    json_member_open(w, "break_even", '[');
    it = json_walk(data_get(d->proof, "cost.break_even"));
    while (json_next(&it)) {
        json_open(w, '{');
        json_member_str(w, "arm", data_str(it.value, "arm"));
        copy_number(w, "tokens", it.value, "tokens");
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void add_paired(struct json_writer *w, const char *key, const struct report_paired *p)
{
    json_member_open(w, key, '{');
    json_member_double(w, "mean", p->mean);
    json_member_open(w, "t_interval", '[');
    json_double(w, p->low);
    json_double(w, p->high);
    json_close(w, ']');
    json_close(w, '}');
}

static void add_sources(struct json_writer *w, const struct report_data *d,
                        const struct report_verdict *v)
{
    struct report_source sources[REPORT_SOURCES_MAX];
    struct arena keep;
    arena_init(&keep, 4096);
    size_t count = report_sources_left_out(d, v, &keep, sources);
    json_member_open(w, "sources", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(w, '{');
        json_member_str(w, "source", sources[i].name);
        json_member_str(w, "arm", sources[i].arm);
        json_member_double(w, "share", sources[i].share);
        json_member_text(w, "says", report_source_says(report_outcome_of(sources[i].all)));
        copy_number(w, "mean", sources[i].all, "mean");
        copy_pair(w, "t_interval", json_get(sources[i].all, "t_interval"));
        add_paired(w, "own_text", &sources[i].own);
        add_paired(w, "other_text", &sources[i].others);
        json_close(w, '}');
    }
    json_close(w, ']');
    arena_release(&keep);
}

static void add_study(struct json_writer *w, const struct report_data *d)
{
    json_key(w, "study");
    if (json_kind(d->study) != JSON_OBJECT) {
        json_null(w);
        return;
    }
    json_open(w, '{');
    copy_number(w, "facts", d->study, "facts");
    copy_number(w, "accuracy", d->study, "accuracy.model");
    json_member_open(w, "effects", '[');
    struct json_iter it = json_walk(json_get(d->study, "effects"));
    while (json_next(&it)) {
        struct json_iter whom = json_walk(it.value);
        while (json_next(&whom)) {
            json_open(w, '{');
            json_member_str(w, "treatment", it.key);
            json_member_str(w, "whom", whom.key);
            copy_number(w, "naive", whom.value, "naive");
            copy_number(w, "back_door", whom.value, "back_door");
            copy_number(w, "low", whom.value, "low");
            copy_number(w, "high", whom.value, "high");
            json_close(w, '}');
        }
    }
    json_close(w, ']');
    json_close(w, '}');
}

void report_summary_json(const struct report_data *d, const struct report_verdict *v,
                         struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_str(&w, "run", d->name);
    json_member_bool(&w, "finished", d->finished);
    json_member_str(&w, "outcome", str_of(report_outcome_name(v->outcome)));
    json_member_str(&w, "headline", buf_str(&v->headline));
    json_member_str(&w, "verdict", buf_str(&v->sentence));
    json_member_open(&w, "stages", '[');
    for (size_t i = 0; i < d->stage_count; i++) {
        add_stage(&w, &d->stages[i]);
    }
    json_close(&w, ']');
    add_proof(&w, d, v);
    add_sources(&w, d, v);
    add_study(&w, d);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}
