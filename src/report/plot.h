/* plot.h -- the report's figures, as SVG and as bars of HTML.
 *
 * The report draws its own figures instead of carrying a plotting library: a
 * library in JavaScript would be most of the file, would need scripts where the
 * page otherwise forbids them (it shows text of strangers), and prints badly; a
 * program beside ours (gnuplot) would have to be installed, and its SVG knows
 * neither the page's dark colours nor its width.  What is needed is three kinds
 * of figure, each below.
 *
 * A line chart or histogram is drawn twice, wide and narrow, and the style sheet
 * shows the one that fits: scaled down, its letters would be unreadable.
 * Colours are classes (c0..c7 of the style sheet), lines differ by dashes too.
 */
#ifndef WINNOW_REPORT_PLOT_H
#define WINNOW_REPORT_PLOT_H

#include "report/report_text.h"

#define PLOT_COLOURS 8U

struct plot_series {
    struct str name;
    unsigned colour;
    bool dashed;
    size_t count;
    const double *x, *y;
    const double *low, *high; /* a band around y; NULL: none */
};

struct plot_axes {
    const char *title; /* said to those who do not see the figure */
    const char *x_label, *y_label;
    bool zero; /* a line at y = 0, which is always in sight */
    struct number (*x_number)(double);
};

/* Points with a NaN in x or y are left out.  Draws nothing where nothing is
 * left. */
void plot_lines(struct buf *out, const struct plot_axes *axes, const struct plot_series *series,
                size_t count);

/* Counts in bins of equal width from low on; `kept` is drawn over `all`.  Edges
 * (NaN: none) are drawn as lines. */
struct plot_histogram {
    const char *title, *x_label;
    double low, width;
    size_t count;
    const double *all, *kept;
    double edge_low, edge_high;
};
void plot_histogram(struct buf *out, const struct plot_histogram *h);

/* A scale that several rows of a table share. */
struct plot_scale {
    double low, high;
};

/* A mean with its interval (NaN: none) and the single values behind it. */
struct plot_mean {
    double mean, low, high;
    const double *points;
    size_t point_count;
};

/* As a cell's content; class names the colour ("better", "worse", "unclear"). */
void plot_interval(struct buf *out, struct plot_scale scale, const struct plot_mean *m,
                   const char *class_name);

/* Labels under such cells: the scale's ends and zero. */
void plot_interval_axis(struct buf *out, struct plot_scale scale, int decimals);

/* A horizontal bar of parts, each a share (0..1) of the cell's width. */
struct plot_part {
    double share;
    const char *class_name;
    const char *title;
};
void plot_bar(struct buf *out, const struct plot_part *parts, size_t count);

#endif /* WINNOW_REPORT_PLOT_H */
