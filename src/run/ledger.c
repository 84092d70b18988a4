/* ledger.c -- one line of the ledger: what became of a document, and why. */
#include "run/ledger.h"

#include "base/utf8.h"

#include <math.h>

const char *ledger_verdict_name(enum stage_verdict v)
{
    static const char *const NAMES[] = {"keep", "edit", "remove", "aside"};
    return NAMES[v];
}

void ledger_write_reason(struct json_writer *w, const char *rule, double score, double threshold)
{
    if (rule) {
        json_member_text(w, "rule", rule);
    }
    if (!isnan(score)) {
        json_member_double(w, "score", score);
    }
    if (!isnan(threshold)) {
        json_member_double(w, "threshold", threshold);
    }
}

void ledger_add_line(const struct ledger_line *line, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_str(&w, "id", line->id);
    if (line->line > 0) {
        json_member_u64(&w, "line", line->line);
    }
    json_member_text(&w, "verdict", ledger_verdict_name(line->verdict));
    ledger_write_reason(&w, line->rule, line->score, line->threshold);
    if (line->times > 1) {
        json_member_u64(&w, "times", line->times);
    }
    if (line->detail.len > 0) {
        buf_add_char(out, ',');
        buf_add_str(out, line->detail);
    }
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

void stage_add_score(struct buf *members, const char *name, struct str text, double score)
{
    struct json_writer w = {.out = members};
    if (members->len > 0) {
        buf_add_char(members, ',');
    }
    json_quote(members, str_of(name));
    buf_add_char(members, ':');
    json_open(&w, '[');
    json_open(&w, '[');
    json_u64(&w, 0);
    json_u64(&w, utf8_count(text));
    json_double(&w, score);
    json_close(&w, ']');
    json_close(&w, ']');
}
