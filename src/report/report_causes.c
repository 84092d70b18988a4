/* report_causes.c -- sources by training again without them, facts by strata, on one page.
 *
 * The first are effects: models were trained with and without.  The second are estimates of one
 * model, as good as their strata; so a model of random weights and an oracle stand beside it. */
#include "report/report_causes.h"

#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

/* ---- sources ---- */

const char *report_source_says(enum report_outcome outcome)
{
    return outcome == OUTCOME_WORSE    ? "worth its place"
           : outcome == OUTCOME_BETTER ? "in the way"
                                       : "not told";
}

/* The mean over domains, seed by seed: the source's own one, or all others. */
static void pair_domains(const struct report_data *d, const struct report_verdict *v,
                         const struct report_source *s, bool own, struct arena *keep,
                         struct report_paired *out)
{
    double sum = 0, squares = 0, domains = 0;
    *out = (struct report_paired){.outcome = OUTCOME_NO_PROOF};
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        size_t n;
        struct str domain = data_str(it.value, "domain");
        if (!str_eq(data_str(it.value, "arm"), s->arm) || domain.len == 0 ||
            !str_eq(data_str(it.value, "measure"), v->measure) || str_eq(domain, s->name) != own) {
            continue;
        }
        double *seeds = data_numbers(json_get(it.value, "per_seed"), keep, &n);
        if (seeds && (!out->per_seed || n == out->seeds)) {
            for (size_t i = 0; out->per_seed && i < n; i++) {
                seeds[i] += out->per_seed[i];
            }
            out->per_seed = seeds;
            out->seeds = n;
            domains++;
        }
    }
    for (size_t i = 0; i < out->seeds; i++) {
        out->per_seed[i] /= domains;
        sum += out->per_seed[i];
        squares += out->per_seed[i] * out->per_seed[i];
        out->better += v->lower_is_better ? out->per_seed[i] < 0 : out->per_seed[i] > 0;
    }
    double half = report_t_half(sum, squares, out->seeds);
    out->mean = out->seeds > 0 ? sum / (double)out->seeds : (double)NAN;
    out->low = out->mean - half;
    out->high = out->mean + half;
    out->there = isfinite(half);
    bool clear = out->there && fabs(out->mean) > half;
    out->outcome = !clear                                  ? OUTCOME_UNCLEAR
                   : (out->mean < 0) == v->lower_is_better ? OUTCOME_BETTER
                                                           : OUTCOME_WORSE;
}

size_t report_sources_left_out(const struct report_data *d, const struct report_verdict *v,
                               struct arena *keep, struct report_source *out)
{
    size_t count = 0;
    struct json_iter it = json_walk(json_get(d->proof, "arms"));
    while (json_next(&it) && count < REPORT_SOURCES_MAX) {
        struct report_source *s = &out[count];
        if (!data_is(it.value, "kind", "without")) {
            continue;
        }
        *s = (struct report_source){.name = data_str(it.value, "without"),
                                    .arm = data_str(it.value, "name"),
                                    .share = data_number(it.value, "without_share")};
        s->all = report_difference(d, s->arm, v->baseline, v->measure, STR_LIT(""));
        if (json_kind(s->all) == JSON_OBJECT) {
            pair_domains(d, v, s, true, keep, &s->own);
            s->others = s->own; /* a source without a domain of its own is part of another one */
            if (s->own.seeds > 0) {
                pair_domains(d, v, s, false, keep, &s->others);
            }
            count++;
        }
    }
    return count;
}

/* "“web”, “wiki”" of those with that outcome; how many. */
static size_t list_sources(const struct report_source *sources, size_t count,
                           enum report_outcome outcome, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (report_outcome_of(sources[i].all) == outcome) {
            buf_addf(out, "%s\xE2\x80\x9C%.*s\xE2\x80\x9D", n++ > 0 ? ", " : "",
                     STR_ARG(sources[i].name));
        }
    }
    return n;
}

void report_sources_headline(const struct report_data *d, const struct report_verdict *v,
                             struct buf *out)
{
    struct report_source sources[REPORT_SOURCES_MAX];
    struct buf names = {0};
    struct arena keep;
    arena_init(&keep, 4096);
    size_t count = report_sources_left_out(d, v, &keep, sources);
    size_t worth = list_sources(sources, count, OUTCOME_WORSE, &names);
    if (worth > 0) {
        buf_addf(out, "Keep %s: without %s the model is worse.", buf_cstr(&names),
                 worth > 1 ? "any of them" : "it");
    }
    buf_clear(&names);
    size_t harm = list_sources(sources, count, OUTCOME_BETTER, &names);
    if (harm > 0) {
        buf_addf(out, "%sLeave out %s: without %s the model is better.", worth > 0 ? " " : "",
                 buf_cstr(&names), harm > 1 ? "any of them" : "it");
    }
    buf_clear(&names);
    size_t open = list_sources(sources, count, OUTCOME_UNCLEAR, &names);
    if (open > 0) {
        buf_addf(out, "%sWhether %s %s worth %s place is not clear: %s.",
                 worth + harm > 0 ? " " : "", buf_cstr(&names), open > 1 ? "are" : "is",
                 open > 1 ? "their" : "its",
                 v->seeds > 1 ? "the models differ no more than chance makes them"
                              : "one seed says nothing of chance");
    }
    buf_release(&names);
    arena_release(&keep);
}

static void reach(struct plot_scale *scale, double low, double high)
{
    scale->low = fmin(scale->low, low); /* of NaN they keep what is there */
    scale->high = fmax(scale->high, high);
}

static struct plot_scale with_margin(struct plot_scale s)
{
    double margin = (s.high - s.low) * 0.04;
    return (struct plot_scale){s.low - margin, s.high + margin};
}

static void add_interval(struct buf *out, double mean, double low, double high, int decimals)
{
    cell_number(out, number_signed(mean, decimals));
    if (isfinite(low)) {
        buf_addf(out, "<td class=\"n\">%s to %s</td>", number_signed(low, decimals).text,
                 number_signed(high, decimals).text);
    } else {
        buf_add_text(out, "<td class=\"n\">\xE2\x80\x93</td>");
    }
}

/* "+0.123 ± 0.045": the mean and half its interval. */
static void add_half(struct buf *out, const struct report_paired *p, int decimals)
{
    buf_addf(out, "<td class=\"n\">%s", number_signed(p->mean, decimals).text);
    if (p->there) {
        buf_addf(out, " <span class=\"mute\">\xC2\xB1 %s</span>",
                 number_real(p->high - p->mean, decimals).text);
    }
    buf_add_text(out, "</td>");
}

static void add_source(const struct report_source *s, struct plot_scale scale, int decimals,
                       struct buf *out)
{
    struct arena scratch;
    arena_init(&scratch, 1024);
    struct json_value interval = json_get(s->all, "t_interval");
    enum report_outcome outcome = report_outcome_of(s->all);
    struct plot_mean m = {.mean = data_number(s->all, "mean"),
                          .low = data_item(interval, 0),
                          .high = data_item(interval, 1)};
    m.points = data_numbers(json_get(s->all, "per_seed"), &scratch, &m.point_count);
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_str(out, s->name);
    buf_add_text(out, "</th>");
    cell_number(out, number_share(s->share));
    buf_add_text(out, "<td class=\"fig\">");
    plot_interval(out, scale, &m, report_outcome_name(outcome));
    buf_addf(out, "</td><td><span class=\"tag %s\">%s</span></td>", report_outcome_name(outcome),
             report_source_says(outcome));
    add_interval(out, m.mean, m.low, m.high, decimals);
    add_half(out, &s->own, decimals);
    add_half(out, &s->others, decimals);
    buf_add_text(out, "</tr>\n");
    arena_release(&scratch);
}

static void add_sources(const struct report_verdict *v, const struct report_source *sources,
                        size_t count, struct buf *out)
{
    static const char *const HEAD[] = {
        "left out", "of the tokens", "difference",      "says",
        "mean",     "95 % interval", "on its own text", "on other text"};
    struct plot_scale scale = {0, 0};
    struct buf caption = {0};
    int decimals = report_decimals(v->unit);
    for (size_t i = 0; i < count; i++) {
        struct json_value interval = json_get(sources[i].all, "t_interval");
        struct json_iter it = json_walk(json_get(sources[i].all, "per_seed"));
        reach(&scale, data_item(interval, 0), data_item(interval, 1));
        while (json_next(&it)) {
            double one = (double)NAN;
            (void)json_as_double(it.value, &one);
            reach(&scale, one, one);
        }
    }
    scale = with_margin(scale);
    buf_add_text(&caption, "Sources: trained again without each <span class=\"mute\">");
    html_str(&caption, v->label);
    buf_add_text(&caption, ", without minus with, ");
    html_str(&caption, v->unit);
    buf_addf(&caption, "; %s is worth its place</span>",
             v->lower_is_better ? "above 0 a source" : "below 0 a source");
    table_open(out, "diff", buf_cstr(&caption));
    buf_release(&caption);
    table_head(out, HEAD, "lnllnnnn");
    for (size_t i = 0; i < count; i++) {
        add_source(&sources[i], scale, decimals, out);
    }
    buf_add_text(out, "<tr class=\"axisrow\"><td colspan=\"2\"></td><td class=\"fig\">");
    plot_interval_axis(out, scale, 3);
    buf_add_text(out, "</td><td colspan=\"5\"></td></tr>\n");
    table_close(out);
    buf_add_text(
        out, "<p class=\"note\">All arms train on as many tokens: more of the other sources comes "
             "for what is left out. Own text is what was held out of that source, where this is a "
             "domain of its own, other text the mean over all other domains; these two are by "
             "their own intervals, not corrected for several comparisons.</p>\n");
}

/* ---- facts ---- */

static const char *const TREATMENTS[][2] = {
    {"memorised", "the fact is stated in the pattern\xE2\x80\x99s words"},
    {"subject_object", "the object stands most often with the subject"},
    {"pattern_object", "the object stands most often in the pattern"},
};
static const char *const WHO[][3] = {
    {"model", "model", "better"},
    {"random_weights", "random weights", "unclear"},
    {"oracle", "oracle", "unclear"},
};

static struct json_value effect_of(const struct report_data *d, size_t treatment, size_t who)
{
    return json_get(json_get(data_get(d->study, "effects"), TREATMENTS[treatment][0]), WHO[who][0]);
}

/* An effect that is not 0, and not that of a model which has learnt nothing. */
static bool is_learnt(const struct report_data *d, size_t t)
{
    struct json_value e = effect_of(d, t, 0);
    double low = data_number(e, "low"), high = data_number(e, "high");
    double random = data_number(effect_of(d, t, 1), "back_door");
    bool apart = isfinite(low) && low < high && (low > 0 || high < 0);
    return apart && !(random >= low && random <= high);
}

static void add_effect(const struct report_data *d, size_t t, size_t w, struct plot_scale scale,
                       struct buf *out)
{
    struct json_value e = effect_of(d, t, w);
    const struct plot_mean m = {.mean = data_number(e, "back_door"),
                                .low = data_number(e, "low"),
                                .high = data_number(e, "high")};
    bool clear = w == 0 && is_learnt(d, t);
    buf_addf(out,
             "<tr><th scope=\"row\">%s <span class=\"mute\">%s</span></th><td class=\"fig mid\">",
             w == 0 ? TREATMENTS[t][1] : "", WHO[w][1]);
    plot_interval(out, scale, &m, clear ? "better" : "unclear");
    buf_add_text(out, "</td>");
    cell_number(out, number_signed(data_number(e, "naive"), 3));
    add_interval(out, m.mean, m.low, m.high, 3);
    cell_number(out, number_count(data_number(e, "rows")));
    cell_number(out, number_count(data_number(e, "treated")));
    cell_number(out, number_count(data_number(e, "rows_in_strata_with_both")));
    buf_add_text(out, "</tr>\n");
}

/* What is to be said of a treatment's rows, once for all that it goes for. */
static void add_notes(const struct report_data *d, size_t t, struct buf *out)
{
    for (size_t w = 0; w < 3; w++) {
        struct str note = data_str(effect_of(d, t, w), "note");
        bool said = false;
        for (size_t k = 0; k < w; k++) {
            said = said || str_eq(data_str(effect_of(d, t, k), "note"), note);
        }
        if (note.len == 0 || said) {
            continue;
        }
        buf_add_text(out, "<tr class=\"axisrow\"><td colspan=\"8\" class=\"why\">");
        for (size_t k = w, n = 0; k < 3; k++) {
            if (str_eq(data_str(effect_of(d, t, k), "note"), note)) {
                buf_addf(out, "%s%s", n++ > 0 ? ", " : "", WHO[k][1]);
            }
        }
        buf_add_text(out, ": ");
        html_str(out, note);
        buf_add_text(out, "</td></tr>\n");
    }
}

static void add_study(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"says it more often where",
                                       "back-door estimate",
                                       "naive",
                                       "back-door",
                                       "95 % interval",
                                       "rows",
                                       "treated",
                                       "comparable rows"};
    struct plot_scale scale = {0, 0};
    struct buf caption = {0};
    for (size_t t = 0; t < 3; t++) {
        for (size_t w = 0; w < 3; w++) {
            struct json_value e = effect_of(d, t, w);
            double mean = data_number(e, "back_door");
            reach(&scale, fmin(mean, data_number(e, "low")), fmax(mean, data_number(e, "high")));
        }
    }
    scale = with_margin(scale);
    buf_addf(&caption,
             "Facts: what statistics of the corpus do to what the model says <span class=\"mute\">"
             "%s facts about %s subjects, %s sentences; the model is right in %s, one of random "
             "weights in %s</span>",
             number_count(data_number(d->study, "facts")).text,
             number_count(data_number(d->study, "subjects")).text,
             number_count(data_number(d->study, "sentences")).text,
             number_share(data_number(d->study, "accuracy.model")).text,
             number_share(data_number(d->study, "accuracy.random_weights")).text);
    table_open(out, "diff", buf_cstr(&caption));
    buf_release(&caption);
    table_head(out, HEAD, "llnnnnnn");
    for (size_t t = 0; t < 3; t++) {
        for (size_t w = 0; w < 3; w++) {
            add_effect(d, t, w, scale, out);
        }
        add_notes(d, t, out);
    }
    buf_add_text(out, "<tr class=\"axisrow\"><td></td><td class=\"fig mid\">");
    plot_interval_axis(out, scale, 2);
    buf_add_text(out, "</td><td colspan=\"6\"></td></tr>\n");
    table_close(out);
    buf_add_text(
        out,
        "<p class=\"note\">Differences of shares: 0.1 is ten answers in a hundred. The naive one "
        "compares treated and other rows as they are, the back-door one within strata of what "
        "confounds both, over rows of strata that have both. An effect of random weights is one of "
        "the estimate and not of training, and an oracle knows every fact. What else makes a fact "
        "both stated and known is not seen: only training again tells.</p>\n");
    if (data_number(d->study, "subjects_absent") > 0) {
        buf_addf(out, "<p class=\"note\">%s of the subjects stand nowhere in the corpus.</p>\n",
                 number_count(data_number(d->study, "subjects_absent")).text);
    }
}

void report_study_words(const struct report_data *d, struct buf *headline, struct buf *sentence)
{
    struct json_value e = effect_of(d, 0, 0);
    double mean = data_number(e, "back_door"), low = data_number(e, "low");
    double high = data_number(e, "high");
    double right = data_number(d->study, "accuracy.model");
    if (right <= data_number(d->study, "accuracy.random_weights")) {
        buf_add_text(headline, "The model knows the facts no better than random weights.");
    } else if (is_learnt(d, 0)) {
        buf_addf(headline, "What the corpus states, the model says %s often.",
                 low > 0 ? "more" : "less");
    } else {
        buf_add_text(headline, "That the model says what the corpus states is not shown.");
    }
    buf_addf(sentence, "Of %s facts it says %s right",
             number_count(data_number(d->study, "facts")).text,
             number_share(data_number(d->study, "accuracy.model")).text);
    if (isfinite(mean)) {
        buf_addf(sentence, "; of those that the corpus states %s more than of others like them",
                 number_signed(mean, 3).text);
        if (isfinite(low)) {
            buf_addf(sentence, " (95 %% interval %s to %s)", number_signed(low, 3).text,
                     number_signed(high, 3).text);
        }
        buf_add_text(sentence, ", by the back-door estimate, as a share of answers.");
    } else {
        buf_addf(sentence, "; there is no estimate of what stating them does: %.*s.",
                 STR_ARG(data_str(e, "note")));
    }
}

void report_add_causes(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    struct report_source sources[REPORT_SOURCES_MAX];
    struct arena keep;
    bool study = json_kind(d->study) == JSON_OBJECT;
    arena_init(&keep, 4096);
    size_t count = report_sources_left_out(d, v, &keep, sources);
    if (count > 0 || study) {
        section_open(out, "causes", "What moves the model");
        buf_add_text(out, "<p>One question, asked coarsely and finely: what would the model be "
                          "like had it not read this? Of whole sources it is answered by training "
                          "again without them; of single facts it is estimated from one model, by "
                          "strata.</p>\n");
        if (count > 0) {
            add_sources(v, sources, count, out);
        } else {
            buf_add_text(out, "<p class=\"note\">No source was left out: <code>winnow prove --arms "
                              "before,without:SOURCE</code> does so.</p>\n");
        }
        if (study) {
            add_study(d, out);
        } else {
            buf_add_text(out, "<p class=\"note\">Nothing is known of single facts: <code>winnow "
                              "study causal</code> asks a model for them.</p>\n");
        }
        section_close(out);
    }
    arena_release(&keep);
}
