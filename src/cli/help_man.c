/* help_man.c -- the tables of options as roff.
 *
 * The same words as `winnow help`, under the headings that man pages have.  A backslash, a
 * hyphen, and a point or an apostrophe that begins a line mean something to roff, and are
 * written so that they do not. */
#include "cli/help_man.h"

#include "winnow/version.h"

#include "cli/commands.h"
#include "option/corpus_options.h"
#include "option/tables.h"

#include <ctype.h>
#include <string.h>

/* One line or several; none of them a request. */
static void add_text(struct buf *out, struct str text)
{
    bool start = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (start && (c == '.' || c == '\'')) {
            buf_add_text(out, "\\&");
        }
        start = c == '\n';
        if (c == '\\') {
            buf_add_text(out, "\\e");
        } else if (c == '-') {
            buf_add_text(out, "\\-");
        } else {
            buf_add_char(out, c);
        }
    }
}

/* "WINNOW-PRUNE": blanks of a command's name become hyphens. */
static void add_page_name(struct buf *out, const char *command, bool upper)
{
    buf_add_text(out, upper ? "WINNOW" : "winnow");
    if (command[0] != '\0') {
        buf_add_char(out, '-');
    }
    for (const char *c = command; *c != '\0'; c++) {
        char letter = *c == ' ' ? '-' : *c;
        buf_add_char(out, upper ? (char)toupper((unsigned char)letter) : letter);
    }
}

static void add_head(struct buf *out, const char *command, const char *summary)
{
    buf_add_text(out, ".TH ");
    add_page_name(out, command, true);
    buf_addf(out, " 1 \"\" \"winnow %s\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n",
             winnow_version());
    add_page_name(out, command, false);
    buf_add_text(out, " \\- ");
    add_text(out, str_of(summary));
    buf_add_char(out, '\n');
}

static void add_options(struct buf *out, const struct option_table *table,
                        const struct option_table *before)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        struct buf value = {0}, what = {0};
        option_add_value(o, &value);
        buf_add_text(&what, o->help);
        option_add_default(table, o, &what);
        buf_add_text(out, ".TP\n\\fB");
        if (o->letter && !(before && option_has_letter(before, o->letter))) {
            buf_addf(out, "\\-%c\\fR, \\fB", o->letter);
        }
        buf_add_text(out, "\\-\\-");
        add_text(out, str_of(o->name));
        buf_add_text(out, "\\fR\\fI");
        add_text(out, buf_str(&value));
        buf_add_text(out, "\\fR\n");
        add_text(out, buf_str(&what));
        buf_add_char(out, '\n');
        buf_release(&value);
        buf_release(&what);
    }
}

static void add_shared(struct buf *out, const struct option_table *table,
                       const struct option_table *before)
{
    buf_add_text(out, ".SS ");
    add_text(out, str_of(table->summary));
    buf_add_char(out, '\n');
    add_options(out, table, before);
}

static void add_exit_codes(struct buf *out)
{
    static const char *const CODES[][2] = {
        {"0", "Done."},
        {"1", "Failed; the sentence says what, where, and what helps."},
        {"2", "The command line or a recipe asks for what cannot be."},
        {"3", "Bad input; also: done, but some of the input could not be read."},
        {"130", "Interrupted; the same command goes on."},
        {"141", "Nobody reads standard output any more."},
    };
    buf_add_text(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        buf_addf(out, ".TP\n%s\n%s\n", CODES[i][0], CODES[i][1]);
    }
}

static void write_out(struct buf *text, FILE *to)
{
    (void)fwrite(text->ptr, 1, text->len, to);
    buf_release(text);
}

void help_man_command(const struct option_table *table, FILE *to)
{
    struct buf out = {0};
    add_head(&out, table->command, table->summary);
    buf_add_text(&out, ".SH SYNOPSIS\n\\fBwinnow ");
    add_text(&out, str_of(table->command));
    buf_add_text(&out, "\\fR ");
    add_text(&out, str_of(table->usage));
    buf_add_char(&out, '\n');
    if (table->example) {
        buf_add_text(&out, ".SH EXAMPLES\n.nf\n");
        add_text(&out, str_of(table->example));
        buf_add_text(&out, ".fi\n");
    }
    buf_add_text(&out, ".SH OPTIONS\n");
    add_options(&out, table, NULL);
    if (table->shared) {
        add_shared(&out, table->shared, table);
    }
    add_shared(&out, &CLI_TABLE, table);
    add_exit_codes(&out);
    buf_add_text(&out, ".SH SEE ALSO\n.BR winnow (1)\n");
    write_out(&out, to);
}

void help_man_all(FILE *to)
{
    struct buf out = {0};
    add_head(&out, "", "turns raw text into the corpus that trains the better language model");
    buf_add_text(&out, ".SH SYNOPSIS\n\\fBwinnow\\fR \\fICOMMAND\\fR [options] [CORPUS...]\n"
                       ".SH COMMANDS\n");
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *t = OPTION_TABLES[i];
        const char *heading = command_heading(t);
        if (heading) {
            buf_add_text(&out, ".SS ");
            add_text(&out, str_of(heading));
            buf_add_char(&out, '\n');
        }
        buf_add_text(&out, ".TP\n\\fB");
        add_text(&out, str_of(t->command));
        buf_add_text(&out, "\\fR\n");
        add_text(&out, str_of(t->summary));
        buf_add_text(&out, "; \\fBwinnow-");
        for (const char *c = t->command; *c != '\0'; c++) {
            add_text(&out, *c == ' ' ? STR_LIT("-") : (struct str){c, 1});
        }
        buf_add_text(&out, "\\fR(1).\n");
    }
    buf_add_text(&out, ".SH OPTIONS\n");
    add_shared(&out, &CORPUS_TABLE, NULL);
    add_shared(&out, &CLI_TABLE, NULL);
    add_exit_codes(&out);
    write_out(&out, to);
}
