/* report_verdict.c -- what a proof says, in one headline and some sentences.
 *
 * "Better" and "worse" are claims of prove's own tests (Holm-corrected); the
 * report only words them.  What it adds is the comparison with documents drawn at
 * random, by a paired t interval over seeds: without it a smaller corpus might seem
 * good for being small.  A measure that says the opposite of the primary one is named
 * in the same breath. */
#include "report/report_verdict.h"

#include "report/report_causes.h"
#include "report/report_text.h"

#include <math.h>

#define SEEDS_THAT_SETTLE 5 /* as src/prove/results_words.c has it */

const char *report_outcome_name(enum report_outcome outcome)
{
    static const char *const NAMES[] = {"no proof", "better", "worse", "unclear"};
    return NAMES[outcome];
}

enum report_outcome report_outcome_of(struct json_value difference)
{
    bool better;
    if (json_kind(difference) != JSON_OBJECT) {
        return OUTCOME_NO_PROOF;
    }
    if (!json_as_bool(json_get(difference, "better"), &better)) {
        return OUTCOME_UNCLEAR;
    }
    return better ? OUTCOME_BETTER : OUTCOME_WORSE;
}

/* The first member of the array at `list` of which all named strings fit; a
 * wanted "" fits a null or missing member. */
static struct json_value find_in(const struct report_data *d, const char *list,
                                 const char *const *names, const struct str *wanted, size_t count)
{
    struct json_value all = json_get(d->proof, list);
    if (json_kind(all) != JSON_ARRAY) {
        return (struct json_value){0};
    }
    struct json_iter it = json_walk(all);
    while (json_next(&it)) {
        size_t fits = 0;
        while (fits < count && str_eq(data_str(it.value, names[fits]), wanted[fits])) {
            fits++;
        }
        if (fits == count) {
            return it.value;
        }
    }
    return (struct json_value){0};
}

struct json_value report_difference(const struct report_data *d, struct str arm,
                                    struct str baseline, struct str measure, struct str domain)
{
    static const char *const NAMES[] = {"arm", "baseline", "measure", "domain"};
    const struct str wanted[] = {arm, baseline, measure, domain};
    return find_in(d, "differences", NAMES, wanted, 4);
}

struct json_value report_result(const struct report_data *d, struct str arm, struct str measure,
                                struct str domain)
{
    static const char *const NAMES[] = {"arm", "measure", "domain"};
    const struct str wanted[] = {arm, measure, domain};
    return find_in(d, "results", NAMES, wanted, 3);
}

struct json_value report_arm(const struct report_data *d, struct str name)
{
    static const char *const NAMES[] = {"name"};
    return find_in(d, "arms", NAMES, &name, 1);
}

struct json_value report_measure(const struct report_data *d, struct str name)
{
    static const char *const NAMES[] = {"name"};
    return find_in(d, "measures", NAMES, &name, 1);
}

struct str report_arm_of_kind(const struct report_data *d, const char *kind)
{
    static const char *const NAMES[] = {"kind"};
    const struct str wanted = str_of(kind);
    return data_str(find_in(d, "arms", NAMES, &wanted, 1), "name");
}

/* The arm whose gain is in question: the first that is neither the baseline nor
 * a control. */
static struct str find_main_arm(const struct report_data *d, struct str baseline)
{
    struct json_value arms = json_get(d->proof, "arms");
    struct json_iter it = {0};
    if (json_kind(arms) == JSON_ARRAY) {
        it = json_walk(arms);
        while (json_next(&it)) {
            struct str name = data_str(it.value, "name");
            if (!str_eq(name, baseline) && !data_is(it.value, "kind", "random")) {
                return name;
            }
        }
    }
    return STR_LIT("");
}

int report_decimals(struct str unit)
{
    return str_starts(unit, STR_LIT("nat")) || str_starts(unit, STR_LIT("bit")) ? 4 : 3;
}

/* Two-sided 95 % quantiles of Student's t for 1..30 degrees of freedom. */
static const double T_QUANTILES[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                     2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                     2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                     2.060,  2.056, 2.052, 2.048, 2.045, 2.042};

double report_t_half(double sum, double sum_of_squares, size_t n)
{
    if (n < 2) {
        return (double)NAN;
    }
    double mean = sum / (double)n;
    double variance = fmax(0, (sum_of_squares - (double)n * mean * mean) / (double)(n - 1));
    size_t last = sizeof T_QUANTILES / sizeof *T_QUANTILES - 1;
    return T_QUANTILES[n - 2 < last ? n - 2 : last] * sqrt(variance / (double)n);
}

void report_pair(const struct report_data *d, struct str arm, struct str other, struct str measure,
                 struct arena *keep, struct report_paired *out)
{
    size_t n, n_other;
    bool lower = true;
    const struct str all = STR_LIT("");
    *out = (struct report_paired){.outcome = OUTCOME_NO_PROOF};
    double *a = data_numbers(json_get(report_result(d, arm, measure, all), "per_seed"), keep, &n);
    double *b =
        data_numbers(json_get(report_result(d, other, measure, all), "per_seed"), keep, &n_other);
    if (!a || !b || n != n_other || n < 2 || str_eq(arm, other)) {
        return;
    }
    (void)json_as_bool(json_get(report_measure(d, measure), "lower_is_better"), &lower);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        a[i] -= b[i];
        sum += a[i];
        squares += a[i] * a[i];
        out->better += lower ? a[i] < 0 : a[i] > 0;
    }
    double half = report_t_half(sum, squares, n);
    out->mean = sum / (double)n;
    out->low = out->mean - half;
    out->high = out->mean + half;
    out->per_seed = a;
    out->seeds = n;
    out->there = isfinite(half);
    bool clear = out->there && fabs(out->mean) > half;
    out->outcome = !clear                     ? OUTCOME_UNCLEAR
                   : (out->mean < 0) == lower ? OUTCOME_BETTER
                                              : OUTCOME_WORSE;
}

static void add_difference(struct buf *out, const struct report_verdict *v, double mean, double low,
                           double high)
{
    int decimals = report_decimals(v->unit);
    buf_addf(out, "%s", number_signed(mean, decimals).text);
    if (isfinite(low)) {
        buf_addf(out, " (95 %% interval %s to %s)", number_signed(low, decimals).text,
                 number_signed(high, decimals).text);
    }
}

static void write_main_part(const struct report_data *d, struct report_verdict *v)
{
    static const char *const SAYS[] = {"", "does better", "does worse",
                                       "does neither better nor worse"};
    struct buf *s = &v->sentence;
    buf_addf(
        s,
        "At equal compute (%s tokens an arm, %s parameters, %s paired seed%s), a model trained on ",
        number_short(data_number(d->proof, "training.tokens")).text,
        number_short(data_number(d->proof, "model.parameters")).text, number_count(v->seeds).text,
        v->seeds == 1 ? "" : "s");
    bool alone = v->outcome == OUTCOME_UNCLEAR && !(v->seeds > 1);
    buf_addf(s, "\xE2\x80\x9C%.*s\xE2\x80\x9D %s than one trained on \xE2\x80\x9C%.*s\xE2\x80\x9D",
             STR_ARG(v->arm),
             alone ? "cannot be called better or worse, as one seed gives no interval,"
                   : SAYS[v->outcome],
             STR_ARG(v->baseline));
    if (v->outcome == OUTCOME_UNCLEAR && !alone) {
        buf_add_text(s, ", as far as these seeds can tell,");
    }
    buf_addf(s, " in %.*s: ", STR_ARG(v->label));
    struct json_value interval = json_get(v->difference, "t_interval");
    add_difference(s, v, data_number(v->difference, "mean"), data_item(interval, 0),
                   data_item(interval, 1));
    buf_addf(s, " %.*s, where %s is better.", STR_ARG(v->unit),
             v->lower_is_better ? "less" : "more");
}

/* What another measure says against the primary one belongs into the same breath. */
static void write_other_measures(const struct report_data *d, struct report_verdict *v)
{
    struct buf *s = &v->sentence;
    struct json_iter it = json_walk(json_get(d->proof, "measures"));
    while (json_next(&it)) {
        struct str name = data_str(it.value, "name"), unit = data_str(it.value, "unit");
        struct json_value difference = report_difference(d, v->arm, v->baseline, name, STR_LIT(""));
        enum report_outcome outcome = report_outcome_of(difference);
        bool says_other =
            outcome != v->outcome && (outcome == OUTCOME_BETTER || outcome == OUTCOME_WORSE);
        if (says_other && !str_eq(name, v->measure)) {
            buf_addf(s, " But in %.*s it does %s: %s.", STR_ARG(data_str(it.value, "label")),
                     report_outcome_name(outcome),
                     number_signed(data_number(difference, "mean"), report_decimals(unit)).text);
        }
    }
}

/* "2,310 documents, 1.05M tokens", as far as the proof says. */
static void add_size(const struct report_data *d, struct str arm, struct buf *out)
{
    struct json_value of = report_arm(d, arm);
    buf_addf(out, "%s documents, %s tokens", number_count(data_number(of, "documents")).text,
             number_short(data_number(of, "tokens_available")).text);
}

/* The two need not be of one size: the random arm is drawn to be as large as the
 * smallest band or the first selected corpus, so both sizes are said. */
static void write_random_part(const struct report_data *d, struct report_verdict *v)
{
    struct buf *s = &v->sentence;
    enum report_outcome against = v->random.outcome;
    if (!v->random.there) {
        return;
    }
    struct str random = report_arm_of_kind(d, "random");
    buf_addf(s, " Against \xE2\x80\x9C%.*s\xE2\x80\x9D, documents drawn at random (",
             STR_ARG(random));
    add_size(d, random, s);
    buf_addf(s, "; \xE2\x80\x9C%.*s\xE2\x80\x9D: ", STR_ARG(v->arm));
    add_size(d, v->arm, s);
    buf_add_text(s, "), the difference is ");
    add_difference(s, v, v->random.mean, v->random.low, v->random.high);
    buf_add_text(
        s, against == OUTCOME_BETTER  ? ": the choice of documents matters, not only their number"
           : against == OUTCOME_WORSE ? ": choosing at random would have been better"
                                      : ": the choice is not shown to be better than chance.");
    if (against != OUTCOME_UNCLEAR) {
        buf_add_text(s, " (by this comparison alone: it is not corrected for the others).");
    }
}

/* The domain in which the difference is largest in the direction of the outcome. */
static struct json_value extreme_domain(const struct report_data *d, const struct report_verdict *v)
{
    struct json_value found = {0};
    double most = 0;
    bool down = (v->outcome == OUTCOME_BETTER) == v->lower_is_better;
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        double mean = data_number(it.value, "mean");
        if (data_str(it.value, "domain").len == 0 || !str_eq(data_str(it.value, "arm"), v->arm) ||
            !str_eq(data_str(it.value, "baseline"), v->baseline) ||
            !str_eq(data_str(it.value, "measure"), v->measure) || !isfinite(mean) ||
            (mean < 0) != down || fabs(mean) <= most) {
            continue;
        }
        most = fabs(mean);
        found = it.value;
    }
    return found;
}

static void add_by_how_much(const struct report_data *d, struct report_verdict *v)
{
    struct buf *s = &v->headline;
    double mean = fabs(data_number(v->difference, "mean"));
    double level = fabs(data_number(
        report_result(d, v->baseline, v->measure, data_str(d->proof, "primary.domain")), "mean"));
    buf_addf(s, "by %s %.*s", number_real(mean, report_decimals(v->unit)).text, STR_ARG(v->unit));
    if (isfinite(level) && level > 0) {
        buf_addf(s, " (%s)", number_share(mean / level).text);
    }
    buf_addf(s, " in %.*s", STR_ARG(v->label));
}

/* What the choice of documents has to do with it, and where it shows most. */
static void add_because(const struct report_data *d, struct report_verdict *v)
{
    struct buf *s = &v->headline;
    struct json_value domain = extreme_domain(d, v);
    bool better = v->outcome == OUTCOME_BETTER;
    if (v->random.there && better) {
        buf_add_text(s, v->random.outcome == OUTCOME_BETTER
                            ? ", because of which documents were kept: documents drawn at "
                              "random do worse"
                            : "; that it is smaller may be the cause, as documents drawn at "
                              "random are not shown to do worse");
    } else if (v->random.there) {
        buf_add_text(s, v->random.outcome == OUTCOME_BETTER
                            ? ", because what was taken away helped: it is still better than "
                              "documents drawn at random"
                            : ", and documents drawn at random do no worse");
    }
    if (json_kind(domain) == JSON_OBJECT) {
        buf_addf(s, ", most in %.*s (%s)", STR_ARG(data_str(domain, "domain")),
                 number_signed(data_number(domain, "mean"), report_decimals(v->unit)).text);
    }
    buf_add_text(s, ".");
}

/* As the proof's own words say it: few seeds spread as they happen to. */
static void add_few_seeds(const struct report_verdict *v, struct buf *s)
{
    if (v->seeds < SEEDS_THAT_SETTLE) {
        buf_addf(s, " With %s seeds only nothing is settled: repeat the proof with %d.",
                 number_count(v->seeds).text, SEEDS_THAT_SETTLE);
    }
}

static void write_headline(const struct report_data *d, struct report_verdict *v)
{
    struct buf *s = &v->headline;
    if (v->of_sources) {
        report_sources_headline(d, v, s);
        add_few_seeds(v, s);
        return;
    }
    switch (v->outcome) {
    case OUTCOME_BETTER:
        buf_add_text(s, "Use this corpus: it trains the better model, ");
        add_by_how_much(d, v);
        add_because(d, v);
        add_few_seeds(v, s);
        break;
    case OUTCOME_WORSE:
        buf_add_text(s, "Do not use this corpus: it trains the worse model, ");
        add_by_how_much(d, v);
        add_because(d, v);
        add_few_seeds(v, s);
        break;
    case OUTCOME_UNCLEAR:
        buf_addf(s,
                 "Do not decide by this proof: whether this corpus trains the better model is not "
                 "clear, because %s; more seeds or more tokens can tell.",
                 v->seeds > 1 ? "its models differ no more than chance makes them differ from seed "
                                "to seed"
                              : "one seed says nothing of chance");
        break;
    case OUTCOME_NO_PROOF:
        break;
    }
}

void report_verdict_find(const struct report_data *d, struct report_verdict *out)
{
    *out = (struct report_verdict){.seeds = (double)NAN};
    arena_init(&out->keep, 4096);
    struct buf *s = &out->sentence;
    if (json_kind(d->proof) != JSON_OBJECT && json_kind(d->study) == JSON_OBJECT && !d->is_run) {
        report_study_words(d, &out->headline, s);
        return;
    }
    if (json_kind(d->proof) != JSON_OBJECT) {
        buf_add_text(&out->headline, "Whether to use this corpus is not shown.");
        buf_add_text(s, "This run holds no proof: nothing here says whether what was kept trains a "
                        "better model than what came in; a recipe's section prove: makes one.");
        return;
    }
    out->measure = data_str(d->proof, "primary.measure");
    struct json_value measure = report_measure(d, out->measure);
    out->label = data_str(measure, "label");
    if (out->label.len == 0) {
        out->label = out->measure;
    }
    out->unit = data_str(measure, "unit");
    bool lower = true;
    (void)json_as_bool(json_get(measure, "lower_is_better"), &lower);
    out->lower_is_better = lower;
    out->baseline = data_str(d->proof, "baseline");
    out->arm = find_main_arm(d, out->baseline);
    struct json_value seeds = json_get(d->proof, "seeds");
    out->seeds = json_kind(seeds) == JSON_ARRAY ? (double)json_count(seeds) : (double)NAN;
    out->seeds_planned = data_number(d->proof, "seeds_planned");
    struct str domain = data_str(d->proof, "primary.domain");
    out->difference = report_difference(d, out->arm, out->baseline, out->measure, domain);
    report_pair(d, out->arm, report_arm_of_kind(d, "random"), out->measure, &out->keep,
                &out->random);
    out->outcome = report_outcome_of(out->difference);
    out->of_sources = data_is(report_arm(d, out->arm), "kind", "without");
    if (!d->proof_complete) {
        buf_addf(s, "The proof is not finished: %s of %s seeds so far. ",
                 number_count(out->seeds).text, number_count(out->seeds_planned).text);
    }
    if (out->outcome == OUTCOME_NO_PROOF) {
        buf_add_text(&out->headline, "Whether to use this corpus is not shown.");
        buf_add_text(s, "The proof compares no two arms on its primary measure.");
        return;
    }
    write_headline(d, out);
    write_main_part(d, out);
    write_random_part(d, out);
    write_other_measures(d, out);
}

void report_verdict_release(struct report_verdict *v)
{
    buf_release(&v->headline);
    buf_release(&v->sentence);
    if (v->keep.block_size > 0) {
        arena_release(&v->keep);
    }
}
