/* eval_results.c -- one row a task, one a group of tasks, one a domain.
 *
 * A group's accuracy is that of all its items together (the tasks' mean,
 * weighted by size, as lm-evaluation-harness aggregates by default).  Held-out
 * text is a task "heldout" with a subtask a domain.  The standard error of an
 * NLL is that of a ratio of sums over documents: with residuals
 * e = nll - R * tokens, it is sqrt(n / (n - 1) * sum e^2) / tokens. */
#include "eval/eval_results.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>

static double ratio_stderr(const struct eval_text_nll *d, size_t n, bool bytes, double ratio,
                           double total)
{
    double squares = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        double size = bytes ? (double)d[i].bytes : (double)d[i].tokens;
        double e = d[i].nll - ratio * size;
        squares += e * e;
        used += size > 0;
    }
    return used > 1 ? sqrt((double)used / (double)(used - 1) * squares) / total : (double)NAN;
}

void eval_domain_of(struct str name, const struct eval_text_nll *documents, size_t count,
                    struct eval_domain *out)
{
    *out = (struct eval_domain){.name = name, .documents = count};
    for (size_t i = 0; i < count; i++) {
        eval_nll_add(&out->sum, &documents[i]);
    }
    double tokens = (double)out->sum.tokens, bytes = (double)out->sum.bytes;
    out->nll_stderr = ratio_stderr(documents, count, false, out->sum.nll / tokens, tokens);
    out->bits_per_byte_stderr =
        ratio_stderr(documents, count, true, out->sum.nll / bytes, bytes) / log(2.0);
}

static void domain_name(const struct eval_domain *d, struct buf *out)
{
    buf_clear(out);
    buf_add_text(out, d->name.len ? "heldout_" : "heldout");
    buf_add_str(out, d->name);
}

static void write_domain(const struct eval_domain *d, struct json_writer *w)
{
    double nll = eval_nll_mean(&d->sum), bits = eval_bits_per_byte(&d->sum);
    json_member_double(w, "nll", nll);
    json_member_double(w, "nll_stderr", d->nll_stderr);
    json_member_double(w, "token_perplexity", exp(nll));
    json_member_double(w, "bits_per_byte", bits);
    json_member_double(w, "bits_per_byte_stderr", d->bits_per_byte_stderr);
    json_member_double(w, "byte_perplexity", exp2(bits));
    json_member_u64(w, "documents", d->documents);
    json_member_u64(w, "tokens", d->sum.tokens);
    json_member_u64(w, "bytes", d->sum.bytes);
}

static void write_summary(const struct eval_summary *s, bool normed, struct json_writer *w)
{
    json_member_double(w, "acc", s->acc);
    json_member_double(w, "acc_stderr", s->acc_stderr);
    if (normed) {
        json_member_double(w, "acc_norm", s->acc_norm);
        json_member_double(w, "acc_norm_stderr", s->acc_norm_stderr);
    }
    json_member_double(w, "chance", s->chance);
    json_member_double(w, "acc_normalised", s->normalised);
    json_member_double(w, "acc_normalised_stderr", s->normalised_stderr);
    json_member_double(w, "nll", s->nll);
    json_member_double(w, "bits_per_byte", s->bits_per_byte);
}

/* Tasks of one group lie anywhere; a group of one task that bears its name is
 * no group. */
static bool is_group(const struct eval_suite *s, size_t first)
{
    const char *group = eval_suite_task(s, first)->group;
    for (size_t t = 0; t < first; t++) {
        if (strcmp(eval_suite_task(s, t)->group, group) == 0) {
            return false; /* not its first task */
        }
    }
    return strcmp(eval_suite_task(s, first)->name, group) != 0;
}

static void group_summary(const struct eval_report *r, const char *group, struct eval_summary *out)
{
    double items = 0;
    struct eval_summary sum = {0}, part;
    double nats = 0, bytes = 0, variance = 0, variance_norm = 0;
    for (size_t t = 0; t < eval_suite_task_count(r->suite); t++) {
        const struct eval_task *task = eval_suite_task(r->suite, t);
        if (strcmp(task->group, group) != 0 || task->count == 0) {
            continue;
        }
        double n = (double)task->count;
        eval_summarise(r->suite, r->scores, task->first, task->count, &part);
        items += n;
        sum.items += part.items;
        sum.chance += n * part.chance;
        sum.acc += n * part.acc;
        sum.acc_norm += n * part.acc_norm;
        variance += n * n * part.acc_stderr * part.acc_stderr;
        variance_norm += n * n * part.acc_norm_stderr * part.acc_norm_stderr;
        nats += n * part.nll;
        bytes += part.bits_per_byte > 0 ? n * part.nll / log(2.0) / part.bits_per_byte : 0;
    }
    *out = sum;
    out->chance /= items;
    out->acc /= items;
    out->acc_norm /= items;
    out->acc_stderr = sqrt(variance) / items;
    out->acc_norm_stderr = sqrt(variance_norm) / items;
    out->normalised = (out->acc - out->chance) / (1 - out->chance);
    out->normalised_stderr = out->acc_stderr / (1 - out->chance);
    out->nll = nats / items;
    out->bits_per_byte = nats / log(2.0) / bytes;
}

/* Calls each(w, name, task) for every task, domains included (task NULL). */
static void each_task(const struct eval_report *r, struct json_writer *w, const char *section,
                      void (*each)(const struct eval_report *r, struct json_writer *w,
                                   const struct eval_domain *domain, const struct eval_task *task))
{
    struct buf name = {0};
    json_member_open(w, section, '{');
    for (size_t d = 0; d < r->domain_count; d++) {
        domain_name(&r->domains[d], &name);
        json_key_str(w, buf_str(&name));
        each(r, w, &r->domains[d], NULL);
    }
    for (size_t t = 0; t < eval_suite_task_count(r->suite); t++) {
        const struct eval_task *task = eval_suite_task(r->suite, t);
        if (task->count > 0) {
            json_key(w, task->name);
            each(r, w, NULL, task);
        }
    }
    json_close(w, '}');
    buf_release(&name);
}

static void each_result(const struct eval_report *r, struct json_writer *w,
                        const struct eval_domain *domain, const struct eval_task *task)
{
    json_open(w, '{');
    if (domain) {
        write_domain(domain, w);
    } else {
        struct eval_summary s;
        eval_summarise(r->suite, r->scores, task->first, task->count, &s);
        write_summary(&s, task->kind != EVAL_GREEDY, w);
    }
    json_close(w, '}');
}

static void each_version(const struct eval_report *r, struct json_writer *w,
                         const struct eval_domain *domain, const struct eval_task *task)
{
    (void)r;
    (void)domain;
    (void)task;
    json_u64(w, 1);
}

static void each_shots(const struct eval_report *r, struct json_writer *w,
                       const struct eval_domain *domain, const struct eval_task *task)
{
    bool shown = !domain && task->kind != EVAL_PAIR && strcmp(task->group, "cloze") != 0;
    json_u64(w, shown ? r->shots : 0);
}

static void each_samples(const struct eval_report *r, struct json_writer *w,
                         const struct eval_domain *domain, const struct eval_task *task)
{
    (void)r;
    uint64_t n = domain ? domain->documents : task->count;
    json_open(w, '{');
    json_member_u64(w, "original", n);
    json_member_u64(w, "effective", n);
    json_close(w, '}');
}

static void each_better(const struct eval_report *r, struct json_writer *w,
                        const struct eval_domain *domain, const struct eval_task *task)
{
    (void)r;
    json_open(w, '{');
    if (task) {
        json_member_bool(w, "acc", true);
        json_member_bool(w, "acc_norm", true);
    }
    json_member_bool(w, "nll", false);
    json_member_bool(w, "bits_per_byte", false);
    json_close(w, '}');
    (void)domain;
}

static void write_groups(const struct eval_report *r, struct json_writer *w)
{
    json_member_open(w, "groups", '{');
    for (size_t t = 0; t < eval_suite_task_count(r->suite); t++) {
        if (is_group(r->suite, t)) {
            struct eval_summary s;
            const char *group = eval_suite_task(r->suite, t)->group;
            group_summary(r, group, &s);
            json_member_open(w, group, '{');
            write_summary(&s, eval_suite_task(r->suite, t)->kind != EVAL_GREEDY, w);
            json_close(w, '}');
        }
    }
    json_close(w, '}');
    json_member_open(w, "group_subtasks", '{');
    for (size_t t = 0; t < eval_suite_task_count(r->suite); t++) {
        if (!is_group(r->suite, t)) {
            continue;
        }
        const char *group = eval_suite_task(r->suite, t)->group;
        json_member_open(w, group, '[');
        for (size_t u = t; u < eval_suite_task_count(r->suite); u++) {
            if (strcmp(eval_suite_task(r->suite, u)->group, group) == 0) {
                json_text(w, eval_suite_task(r->suite, u)->name);
            }
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

void eval_report_json(const struct eval_report *r, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    each_task(r, &w, "results", each_result);
    write_groups(r, &w);
    each_task(r, &w, "versions", each_version);
    each_task(r, &w, "n-shot", each_shots);
    each_task(r, &w, "higher_is_better", each_better);
    each_task(r, &w, "n-samples", each_samples);
    if (r->probe.len > 0) {
        json_member_raw(&w, "leak_probe", r->probe);
    }
    json_member_raw(&w, "config", r->config);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

/* "0.5318 +- 0.0017  ", or what there is of it. */
static void table_number(double v, double stderr_of_v, struct buf *out)
{
    if (isnan(stderr_of_v)) {
        buf_addf(out, "%.4f +- -       ", v);
    } else {
        buf_addf(out, "%.4f +- %.4f  ", v, stderr_of_v);
    }
}

static void table_summary(const char *name, const struct eval_summary *s, bool normed,
                          struct buf *out)
{
    buf_addf(out, "%-32s %8" PRIu64 "  ", name, s->items);
    table_number(s->acc, s->acc_stderr, out);
    if (normed) {
        table_number(s->acc_norm, s->acc_norm_stderr, out);
    } else {
        buf_addf(out, "%-18s", "-");
    }
    table_number(s->normalised, s->normalised_stderr, out);
    while (out->ptr[out->len - 1] == ' ') {
        out->len--;
    }
    buf_add_char(out, '\n');
}

void eval_report_table(const struct eval_report *r, struct buf *out)
{
    if (r->domain_count > 0) {
        buf_addf(out, "%-32s %8s  %10s  %-18s  %s\n", "held-out text", "texts", "tokens",
                 "nats a token", "bits a byte");
    }
    for (size_t d = 0; d < r->domain_count; d++) {
        const struct eval_domain *x = &r->domains[d];
        buf_addf(out, "%-32.*s %8" PRIu64 "  %10" PRIu64 "  ", x->name.len ? (int)x->name.len : 3,
                 x->name.len ? x->name.ptr : "all", x->documents, x->sum.tokens);
        table_number(eval_nll_mean(&x->sum), x->nll_stderr, out);
        buf_addf(out, "%.4f\n", eval_bits_per_byte(&x->sum));
    }
    size_t tasks = eval_suite_task_count(r->suite);
    if (tasks > 0) {
        buf_addf(out, "%-32s %8s  %-16s  %-16s  %s\n", "task", "items", "acc", "acc_norm",
                 "(acc - chance) / (1 - chance)");
    }
    for (size_t t = 0; t < tasks; t++) {
        const struct eval_task *task = eval_suite_task(r->suite, t);
        struct eval_summary s;
        bool normed = task->kind != EVAL_GREEDY;
        if (is_group(r->suite, t)) {
            group_summary(r, task->group, &s);
            table_summary(task->group, &s, normed, out);
        } else if (strcmp(task->group, task->name) == 0 && task->count > 0) {
            eval_summarise(r->suite, r->scores, task->first, task->count, &s);
            table_summary(task->name, &s, normed, out);
        }
    }
}
