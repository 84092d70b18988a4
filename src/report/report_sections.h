/* report_sections.h -- the parts of the page, in the order in which it shows them.
 * Each adds one <section> with its heading, or nothing where the run holds
 * nothing of that kind. */
#ifndef WINNOW_REPORT_REPORT_SECTIONS_H
#define WINNOW_REPORT_REPORT_SECTIONS_H

#include "report/report_data.h"
#include "report/report_text.h"
#include "report/report_verdict.h"

/* report_page.c: the whole page. */
void report_page(const struct report_data *d, const struct report_verdict *v, struct buf *out);
extern const char *const REPORT_STYLE[]; /* report_style.c; pieces, ended by NULL */

/* report_proof.c */
void report_add_proof(const struct report_data *d, const struct report_verdict *v, struct buf *out);
/* report_curves.c */
void report_add_curves(const struct report_data *d, const struct report_verdict *v,
                       struct buf *out);
/* report_domains.c */
void report_add_domains(const struct report_data *d, const struct report_verdict *v,
                        struct buf *out);
/* report_causes.c */
void report_add_causes(const struct report_data *d, const struct report_verdict *v,
                       struct buf *out);
/* report_cost.c */
void report_add_cost(const struct report_data *d, const struct report_verdict *v, struct buf *out);
/* report_corpus.c */
void report_add_funnel(const struct report_data *d, struct buf *out);
void report_add_reasons(const struct report_data *d, struct buf *out);
/* report_sources.c; alerts stand at the head of the page and are no section */
void report_add_alerts(const struct report_data *d, struct buf *out);
void report_add_sources(const struct report_data *d, struct buf *out);
/* report_groups.c */
void report_add_groups(const struct report_data *d, struct buf *out);
/* report_programs.c */
void report_add_programs(const struct report_data *d, struct buf *out);
/* report_mix.c */
void report_add_mix(const struct report_data *d, struct buf *out);
/* report_choice.c */
void report_add_choice(const struct report_data *d, struct buf *out);

/* report_priors.c */
void report_add_duplicates(const struct report_data *d, struct buf *out);
void report_add_languages(const struct report_data *d, struct buf *out);
void report_add_quality(const struct report_data *d, struct buf *out);
/* report_leaks.c */
void report_add_leaks(const struct report_data *d, struct buf *out);
/* report_scores.c */
void report_add_scores(const struct report_data *d, struct buf *out);
/* report_examples.c */
void report_add_edge_examples(const struct report_data *d, struct buf *out);
void report_add_samples(const struct report_data *d, struct buf *out);
/* report_settings.c */
void report_add_settings(const struct report_data *d, struct buf *out);

/* report_json.c: the same figures for tools. */
void report_summary_json(const struct report_data *d, const struct report_verdict *v,
                         struct buf *out);

/* Shared markup. */
void section_open(struct buf *out, const char *id, const char *heading);
void section_close(struct buf *out);
void cell_str(struct buf *out, struct str s);       /* <td>, escaped */
void cell_number(struct buf *out, struct number n); /* <td class="n"> */
void table_open(struct buf *out, const char *class_name, const char *caption);
/* A letter of kinds is a column: n for numbers, l for all else. */
void table_head(struct buf *out, const char *const *names, const char *kinds);
void table_close(struct buf *out);

#endif /* WINNOW_REPORT_REPORT_SECTIONS_H */
