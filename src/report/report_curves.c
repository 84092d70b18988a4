/* report_curves.c -- learning curves, and their distance from the baseline's.
 *
 * Curves of arms lie within a line's width of each other; the figure beside them
 * shows the paired difference at each evaluation, with its interval over seeds.
 * The untrained model (0 tokens) is left out: it would take all of the scale. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define CURVES_MAX   8U
#define MEASURES_MAX 3U

/* A colour for each arm: the baseline 0, controls 1, the others from 2 on. */
static unsigned colour_of(const struct report_data *d, struct str baseline, struct str arm)
{
    unsigned next = 2;
    struct json_iter it = json_walk(json_get(d->proof, "arms"));
    if (str_eq(arm, baseline)) {
        return 0;
    }
    while (json_next(&it)) {
        struct str name = data_str(it.value, "name");
        bool random = data_is(it.value, "kind", "random");
        if (str_eq(name, arm)) {
            return random ? 1 : next;
        }
        next += !random && !str_eq(name, baseline);
    }
    return next;
}

/* The curves of one measure, the baseline's first. */
struct curves {
    struct json_value of[CURVES_MAX];
    struct plot_series series[CURVES_MAX];
    size_t count;
    struct arena keep;
};

static void drop_untrained(struct plot_series *s)
{
    if (s->count > 2 && s->x[0] == 0) {
        s->x++;
        s->y++;
        s->low = s->low ? s->low + 1 : NULL;
        s->high = s->high ? s->high + 1 : NULL;
        s->count--;
    }
}

static void add_curve(const struct report_data *d, struct str baseline, struct json_value curve,
                      struct curves *c)
{
    size_t n, n_y, n_low, n_high;
    struct plot_series *s = &c->series[c->count];
    *s = (struct plot_series){.name = data_str(curve, "arm")};
    s->x = data_numbers(json_get(curve, "tokens"), &c->keep, &n);
    s->y = data_numbers(json_get(curve, "mean"), &c->keep, &n_y);
    s->low = data_numbers(json_get(curve, "low"), &c->keep, &n_low);
    s->high = data_numbers(json_get(curve, "high"), &c->keep, &n_high);
    s->low = n_low == n ? s->low : NULL;
    s->high = n_high == n ? s->high : NULL;
    s->count = n;
    s->colour = colour_of(d, baseline, s->name);
    s->dashed = s->colour < 2;
    if (n > 0 && n == n_y) {
        drop_untrained(s);
        c->of[c->count++] = curve;
    }
}

static void find_curves(const struct report_data *d, struct str baseline, struct str measure,
                        struct curves *c)
{
    c->count = 0;
    arena_init(&c->keep, (size_t)1 << 14);
    for (int baseline_turn = 1; baseline_turn >= 0; baseline_turn--) {
        struct json_iter it = json_walk(json_get(d->proof, "curves"));
        while (json_next(&it) && c->count < CURVES_MAX) {
            bool is_baseline = str_eq(data_str(it.value, "arm"), baseline);
            if (str_eq(data_str(it.value, "measure"), measure) &&
                is_baseline == (baseline_turn == 1)) {
                add_curve(d, baseline, it.value, c);
            }
        }
    }
}

/* per_seed[seed][point] of a curve, its last `points` points; NULL where it has
 * another shape. */
static double *seed_matrix(struct json_value curve, size_t points, struct arena *keep,
                           size_t *seeds)
{
    struct json_value rows = json_get(curve, "per_seed");
    *seeds = json_kind(rows) == JSON_ARRAY ? json_count(rows) : 0;
    double *all = *seeds > 0 ? arena_try_alloc(keep, *seeds * points, sizeof *all) : NULL;
    struct json_iter it = json_walk(rows);
    for (size_t s = 0; all && json_next(&it); s++) {
        size_t n;
        double *row = data_numbers(it.value, keep, &n);
        if (!row || n < points) {
            return NULL;
        }
        memcpy(&all[s * points], row + (n - points), points * sizeof *all);
    }
    return all;
}

/* The difference of two curves at each point, with its interval. */
static bool subtract(struct curves *c, size_t arm, struct plot_series *out)
{
    size_t points = c->series[arm].count, seeds, base_seeds;
    if (points != c->series[0].count) {
        return false;
    }
    const double *a = seed_matrix(c->of[arm], points, &c->keep, &seeds);
    const double *b = seed_matrix(c->of[0], points, &c->keep, &base_seeds);
    if (!a || !b || seeds != base_seeds) {
        return false;
    }
    double *mean = ARENA_NEW(&c->keep, double, points);
    double *low = ARENA_NEW(&c->keep, double, points);
    double *high = ARENA_NEW(&c->keep, double, points);
    for (size_t i = 0; i < points; i++) {
        double sum = 0, squares = 0;
        for (size_t s = 0; s < seeds; s++) {
            double v = a[s * points + i] - b[s * points + i];
            sum += v;
            squares += v * v;
        }
        double half = report_t_half(sum, squares, seeds);
        mean[i] = sum / (double)seeds;
        low[i] = mean[i] - half;
        high[i] = mean[i] + half;
    }
    *out = c->series[arm];
    out->y = mean;
    out->low = low;
    out->high = high;
    return true;
}

static void add_data_table(const struct curves *c, const struct plot_series *differences,
                           size_t difference_count, struct buf *out)
{
    buf_add_text(out, "<details class=\"data\"><summary>The numbers of these figures</summary>\n");
    table_open(out, "plain", "Value at each evaluation; differences with their 95 % interval");
    buf_add_text(out, "<thead><tr><th scope=\"col\" class=\"n\">tokens</th>");
    for (size_t i = 0; i < c->count + difference_count; i++) {
        bool is_level = i < c->count;
        buf_add_text(out, "<th scope=\"col\" class=\"n\">");
        html_str(out, is_level ? c->series[i].name : differences[i - c->count].name);
        buf_add_text(out, is_level ? "</th>" : " minus ");
        if (!is_level) {
            html_str(out, c->series[0].name);
            buf_add_text(out, "</th>");
        }
    }
    buf_add_text(out, "</tr></thead><tbody>\n");
    for (size_t p = 0; p < c->series[0].count; p++) {
        buf_add_text(out, "<tr>");
        cell_number(out, number_count(c->series[0].x[p]));
        for (size_t i = 0; i < c->count; i++) {
            cell_number(out,
                        number_real(p < c->series[i].count ? c->series[i].y[p] : (double)NAN, 4));
        }
        for (size_t i = 0; i < difference_count; i++) {
            const struct plot_series *s = &differences[i];
            buf_addf(out, "<td class=\"n\">%s (%s to %s)</td>", number_signed(s->y[p], 4).text,
                     number_signed(s->low[p], 4).text, number_signed(s->high[p], 4).text);
        }
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    buf_add_text(out, "</details>\n");
}

static bool add_measure_curves(const struct report_data *d, const struct report_verdict *v,
                               struct json_value measure, struct buf *out)
{
    struct curves c;
    struct plot_series differences[CURVES_MAX];
    size_t difference_count = 0;
    find_curves(d, v->baseline, data_str(measure, "name"), &c);
    if (c.count > 0) {
        struct buf unit = {0}, title = {0};
        buf_add_str(&unit, data_str(measure, "unit"));
        buf_addf(&title, "Learning curves: %.*s by training tokens",
                 STR_ARG(data_str(measure, "label")));
        buf_add_text(out, "<h3>");
        html_str(out, data_str(measure, "label"));
        buf_add_text(
            out, "</h3>\n<div class=\"pair\"><figure><figcaption>While training</figcaption>\n");
        struct plot_axes axes = {.title = buf_cstr(&title),
                                 .x_label = "training tokens",
                                 .y_label = buf_cstr(&unit),
                                 .x_number = number_tick};
        plot_lines(out, &axes, c.series, c.count);
        buf_add_text(out, "</figure>\n");
        for (size_t i = 1; i < c.count; i++) {
            difference_count += subtract(&c, i, &differences[difference_count]);
        }
        if (difference_count > 0) {
            buf_add_text(out, "<figure><figcaption>Minus ");
            html_str(out, v->baseline);
            buf_add_text(out, ", paired by seed, with 95 % intervals</figcaption>\n");
            axes.title = "The same curves minus the baseline's";
            axes.zero = true;
            plot_lines(out, &axes, differences, difference_count);
            buf_add_text(out, "</figure>\n");
        }
        buf_add_text(out, "</div>\n");
        add_data_table(&c, differences, difference_count, out);
        buf_release(&unit);
        buf_release(&title);
    }
    arena_release(&c.keep);
    return c.count > 0;
}

void report_add_curves(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    struct json_value measures = json_get(d->proof, "measures");
    struct json_value curves = json_get(d->proof, "curves");
    if (json_kind(measures) != JSON_ARRAY || json_kind(curves) != JSON_ARRAY ||
        json_count(curves) == 0) {
        return;
    }
    section_open(out, "curves", "Learning curves");
    size_t shown = add_measure_curves(d, v, report_measure(d, v->measure), out);
    struct json_iter it = json_walk(measures);
    while (json_next(&it) && shown < MEASURES_MAX) {
        if (!str_eq(data_str(it.value, "name"), v->measure)) {
            shown += add_measure_curves(d, v, it.value, out);
        }
    }
    section_close(out);
}
