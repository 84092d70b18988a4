/* plot.c -- see plot.h for why this is here.
 *
 * A figure is a frame (the rectangle in which data lie), a linear scale a side
 * and ticks at 1, 2 or 5 times a power of ten.  Coordinates are written with one
 * decimal: a tenth of a pixel. */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>

#define TICKS_MAX 40

struct frame {
    struct buf *out;
    double width, height;
    double left, right, top, bottom; /* of the data's rectangle */
    double x0, x1, y0, y1;           /* data at its sides */
};

static double place_x(const struct frame *f, double x)
{
    return f->left + (x - f->x0) / (f->x1 - f->x0) * (f->right - f->left);
}

static double place_y(const struct frame *f, double y)
{
    return f->bottom - (y - f->y0) / (f->y1 - f->y0) * (f->bottom - f->top);
}

/* Distance of ticks so that about `wanted` fit. */
static double tick_step(double span, double wanted)
{
    double raw = span / wanted;
    double power = pow(10, floor(log10(raw)));
    double lead = raw / power;
    return power * (lead <= 1.5 ? 1 : lead <= 3.5 ? 2 : lead <= 7.5 ? 5 : 10);
}

static int tick_decimals(double step)
{
    int decimals = (int)ceil(-log10(step) - 1e-9);
    return decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
}

/* Makes a span of at least a little out of any two numbers. */
static void widen(double *low, double *high, double margin)
{
    double span = *high - *low;
    if (!(span > 0)) {
        span = fabs(*low) > 0 ? fabs(*low) * 0.1 : 1;
        *low -= span / 2;
        *high += span / 2;
        return;
    }
    *low -= span * margin;
    *high += span * margin;
}

static void open_figure(struct frame *f, const char *title, const char *class_name)
{
    buf_addf(f->out, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
             class_name, f->width, f->height);
    html_text(f->out, title);
    buf_add_text(f->out, "\">");
}

static void draw_x_axis(const struct frame *f, const char *label, struct number (*number)(double))
{
    double step = tick_step(f->x1 - f->x0, (f->right - f->left) / 72);
    int decimals = tick_decimals(step);
    for (int k = 0; k < TICKS_MAX; k++) {
        double v = (ceil(f->x0 / step - 1e-9) + k) * step;
        if (v > f->x1 + step * 1e-6) {
            break;
        }
        double clean = fabs(v) < step * 1e-6 ? 0 : v;
        struct number n = number ? number(clean) : number_real(clean, decimals);
        buf_addf(f->out,
                 "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
                 place_x(f, v), f->bottom + 16, n.text);
    }
    buf_addf(f->out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", f->right,
             f->bottom + 33);
    html_text(f->out, label);
    buf_add_text(f->out, "</text>");
}

static void draw_y_axis(const struct frame *f, const char *label, struct number (*number)(double))
{
    double step = tick_step(f->y1 - f->y0, (f->bottom - f->top) / 42);
    int decimals = tick_decimals(step);
    for (int k = 0; k < TICKS_MAX; k++) {
        double v = (ceil(f->y0 / step - 1e-9) + k) * step;
        if (v > f->y1 + step * 1e-6) {
            break;
        }
        double clean = fabs(v) < step * 1e-6 ? 0 : v;
        struct number n = number ? number(clean) : number_real(clean, decimals);
        buf_addf(f->out,
                 "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
                 "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                 f->left, place_y(f, v), f->right, f->left - 6, place_y(f, v) + 4, n.text);
    }
    buf_add_text(f->out, "<text class=\"label\" x=\"2\" y=\"12\">");
    html_text(f->out, label);
    buf_add_text(f->out, "</text>");
}

/* ---- lines --------------------------------------------------------------- */

static bool is_point(const struct plot_series *s, size_t i)
{
    return isfinite(s->x[i]) && isfinite(s->y[i]);
}

static bool has_band(const struct plot_series *s, size_t i)
{
    return s->low && s->high && is_point(s, i) && isfinite(s->low[i]) && isfinite(s->high[i]);
}

/* Bands widen the figure by its own height at most either way: intervals of few seeds would make
 * lines of the means.  Where no mean is below 0, neither is the axis. */
static void reach_bands(const struct plot_series *series, size_t count, struct frame *f)
{
    double low = f->y0, high = f->y1;
    double most = high > low ? high - low : fabs(high) > 0 ? fabs(high) * 0.1 : 1;
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < series[s].count; i++) {
            if (has_band(&series[s], i)) {
                f->y0 = fmin(f->y0, fmax(series[s].low[i], low - most));
                f->y1 = fmax(f->y1, fmin(series[s].high[i], high + most));
            }
        }
    }
}

/* False where there is no point at all. */
static bool find_bounds(const struct plot_series *series, size_t count, struct frame *f)
{
    f->x0 = f->y0 = (double)INFINITY;
    f->x1 = f->y1 = -(double)INFINITY;
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < series[s].count; i++) {
            if (!is_point(&series[s], i)) {
                continue;
            }
            f->x0 = fmin(f->x0, series[s].x[i]);
            f->x1 = fmax(f->x1, series[s].x[i]);
            f->y0 = fmin(f->y0, series[s].y[i]);
            f->y1 = fmax(f->y1, series[s].y[i]);
        }
    }
    return f->x0 <= f->x1;
}

/* Of a band's edge: it is cut off at the figure's. */
static double clip_y(const struct frame *f, double y)
{
    return fmin(fmax(place_y(f, y), f->top), f->bottom);
}

static void draw_band(const struct frame *f, const struct plot_series *s)
{
    size_t points = 0;
    for (size_t i = 0; i < s->count; i++) {
        points += has_band(s, i);
    }
    if (points < 2) {
        return;
    }
    buf_addf(f->out, "<path class=\"band c%u\" d=\"", s->colour % PLOT_COLOURS);
    char move = 'M';
    for (size_t i = 0; i < s->count; i++) {
        if (has_band(s, i)) {
            buf_addf(f->out, "%c%.1f %.1f", move, place_x(f, s->x[i]), clip_y(f, s->high[i]));
            move = 'L';
        }
    }
    for (size_t i = s->count; i-- > 0;) {
        if (has_band(s, i)) {
            buf_addf(f->out, "L%.1f %.1f", place_x(f, s->x[i]), clip_y(f, s->low[i]));
        }
    }
    buf_add_text(f->out, "Z\"/>");
}

static void draw_line(const struct frame *f, const struct plot_series *s)
{
    buf_addf(f->out, "<path class=\"line c%u%s\" d=\"", s->colour % PLOT_COLOURS,
             s->dashed ? " dash" : "");
    char move = 'M';
    for (size_t i = 0; i < s->count; i++) {
        if (is_point(s, i)) {
            buf_addf(f->out, "%c%.1f %.1f", move, place_x(f, s->x[i]), place_y(f, s->y[i]));
            move = 'L';
        }
    }
    buf_add_text(f->out, "\"/>");
    for (size_t i = 0; i < s->count; i++) {
        if (is_point(s, i)) {
            buf_addf(f->out, "<circle class=\"dot c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>",
                     s->colour % PLOT_COLOURS, place_x(f, s->x[i]), place_y(f, s->y[i]));
            html_str(f->out, s->name);
            buf_addf(f->out, ": %s at %s</title></circle>", number_real(s->y[i], 4).text,
                     number_short(s->x[i]).text);
        }
    }
}

static void draw_lines(struct buf *out, const struct plot_axes *axes,
                       const struct plot_series *series, size_t count, double width, double height,
                       const char *class_name)
{
    struct frame f = {.out = out, .width = width, .height = height};
    f.left = 52;
    f.right = width - 12;
    f.top = 24;
    f.bottom = height - 40;
    if (!find_bounds(series, count, &f)) {
        return;
    }
    if (axes->zero) {
        f.y0 = fmin(f.y0, 0);
        f.y1 = fmax(f.y1, 0);
    }
    bool positive = f.y0 >= 0 && !axes->zero;
    reach_bands(series, count, &f);
    widen(&f.x0, &f.x1, 0.01);
    widen(&f.y0, &f.y1, 0.05);
    f.y0 = positive ? fmax(f.y0, 0) : f.y0;
    open_figure(&f, axes->title, class_name);
    draw_y_axis(&f, axes->y_label, NULL);
    draw_x_axis(&f, axes->x_label, axes->x_number);
    if (axes->zero) {
        buf_addf(out, "<path class=\"zero\" d=\"M%.1f %.1fH%.1f\"/>", f.left, place_y(&f, 0),
                 f.right);
    }
    for (size_t s = 0; s < count; s++) {
        draw_band(&f, &series[s]);
    }
    for (size_t s = 0; s < count; s++) {
        draw_line(&f, &series[s]);
    }
    buf_add_text(out, "</svg>\n");
}

void plot_lines(struct buf *out, const struct plot_axes *axes, const struct plot_series *series,
                size_t count)
{
    buf_add_text(out, "<div class=\"legend\">");
    for (size_t s = 0; s < count; s++) {
        buf_addf(out,
                 "<span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\">"
                 "<path class=\"line c%u%s\" d=\"M1 5H25\"/></svg>",
                 series[s].colour % PLOT_COLOURS, series[s].dashed ? " dash" : "");
        html_str(out, series[s].name);
        buf_add_text(out, "</span> ");
    }
    buf_add_text(out, "</div>\n");
    /* both are there; the style sheet shows the one that fits the page */
    draw_lines(out, axes, series, count, 560, 300, "fig wide");
    draw_lines(out, axes, series, count, 350, 250, "fig narrow");
}

/* ---- histogram ----------------------------------------------------------- */

static void draw_bins(const struct frame *f, const struct plot_histogram *h, const double *counts,
                      const char *class_name)
{
    buf_addf(f->out, "<path class=\"%s\" d=\"", class_name);
    for (size_t i = 0; i < h->count; i++) {
        if (counts[i] > 0) {
            double x = place_x(f, h->low + (double)i * h->width);
            double x_end = place_x(f, h->low + (double)(i + 1) * h->width);
            buf_addf(f->out, "M%.1f %.1fV%.1fH%.1fV%.1fZ", x, f->bottom, place_y(f, counts[i]),
                     x_end, f->bottom);
        }
    }
    buf_add_text(f->out, "\"/>");
}

static void draw_edge(const struct frame *f, double at, bool is_low)
{
    if (!isfinite(at) || at < f->x0 || at > f->x1) {
        return;
    }
    double x = place_x(f, at);
    buf_addf(f->out,
             "<path class=\"edge\" d=\"M%.1f %.1fV%.1f\"/>"
             "<text class=\"tick strong\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
             x, f->top - 8, f->bottom, is_low ? x - 4 : x + 4, f->top - 1, is_low ? "end" : "start",
             number_real(at, 3).text);
}

static void draw_histogram(struct buf *out, const struct plot_histogram *h, double width,
                           double height, const char *class_name)
{
    struct frame f = {.out = out, .width = width, .height = height};
    f.left = 52;
    f.right = width - 12;
    f.top = 38;
    f.bottom = height - 40;
    f.x0 = h->low;
    f.x1 = h->low + h->width * (double)h->count;
    for (size_t i = 0; i < h->count; i++) {
        f.y1 = fmax(f.y1, h->all[i]);
    }
    if (!(f.x1 > f.x0) || !(f.y1 > 0) || !isfinite(f.x1 - f.x0)) {
        return;
    }
    f.y1 *= 1.04;
    open_figure(&f, h->title, class_name);
    draw_y_axis(&f, "documents", number_tick);
    draw_x_axis(&f, h->x_label, NULL);
    draw_bins(&f, h, h->all, "bin out");
    draw_bins(&f, h, h->kept, "bin kept");
    draw_edge(&f, h->edge_low, true);
    draw_edge(&f, h->edge_high, false);
    buf_add_text(out, "</svg>\n");
}

void plot_histogram(struct buf *out, const struct plot_histogram *h)
{
    draw_histogram(out, h, 880, 300, "fig wide");
    draw_histogram(out, h, 350, 230, "fig narrow");
}

/* ---- cells of tables ----------------------------------------------------- */

static double percent(struct plot_scale s, double v)
{
    double share = (v - s.low) / (s.high - s.low) * 100;
    return share < 0 ? 0 : share > 100 ? 100 : share;
}

void plot_interval(struct buf *out, struct plot_scale scale, const struct plot_mean *m,
                   const char *class_name)
{
    if (!(scale.high > scale.low) || !isfinite(m->mean)) {
        return;
    }
    buf_addf(out, "<div class=\"ival %s\" aria-hidden=\"true\">", class_name);
    if (scale.low < 0 && scale.high > 0) {
        buf_addf(out, "<i class=\"nil\" style=\"left:%.2f%%\"></i>", percent(scale, 0));
    }
    if (isfinite(m->low) && isfinite(m->high)) {
        double from = percent(scale, m->low);
        buf_addf(out, "<i class=\"span\" style=\"left:%.2f%%;width:%.2f%%\"></i>", from,
                 percent(scale, m->high) - from);
    }
    for (size_t i = 0; i < m->point_count; i++) {
        if (isfinite(m->points[i])) {
            buf_addf(out, "<i class=\"seed\" style=\"left:%.2f%%\"></i>",
                     percent(scale, m->points[i]));
        }
    }
    buf_addf(out, "<i class=\"mean\" style=\"left:%.2f%%\"></i></div>", percent(scale, m->mean));
}

void plot_interval_axis(struct buf *out, struct plot_scale scale, int decimals)
{
    if (!(scale.high > scale.low)) {
        return;
    }
    double zero = percent(scale, 0);
    buf_addf(out, "<div class=\"axis\" aria-hidden=\"true\"><i>%s</i>",
             number_signed(scale.low, decimals).text);
    if (zero > 30 && zero < 65) {
        /* a narrow page's cell is but 120 px: beside the middle it would touch an end's label */
        buf_addf(out, "<i style=\"left:%.2f%%\" class=\"at%s\">0</i>", zero,
                 zero < 42 || zero > 58 ? " near" : "");
    }
    buf_addf(out, "<i class=\"end\">%s</i></div>", number_signed(scale.high, decimals).text);
}

void plot_bar(struct buf *out, const struct plot_part *parts, size_t count)
{
    buf_add_text(out, "<div class=\"bar\" aria-hidden=\"true\">");
    for (size_t i = 0; i < count; i++) {
        if (parts[i].share > 0) {
            buf_addf(out, "<i class=\"%s\" style=\"width:%.2f%%\" title=\"", parts[i].class_name,
                     fmin(parts[i].share, 1) * 100);
            html_text(out, parts[i].title ? parts[i].title : "");
            buf_add_text(out, "\"></i>");
        }
    }
    buf_add_text(out, "</div>");
}
