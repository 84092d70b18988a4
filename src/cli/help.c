/* help.c -- what the program says of itself.
 *
 * All of it comes out of the tables that the command line is read by, so that nothing can
 * be missing or out of date.  A command's page is to fit on a screen: the two dozen options
 * that most commands share stand on it by name, and in full under `winnow help options`.
 */
#include "cli/help.h"

#include "winnow/stage.h"

#include "cli/commands.h"
#include "option/corpus_options.h"
#include "option/tables.h"

#include <string.h>

#define WIDTH 88U /* of the lines of names */

void help_all(FILE *to)
{
    (void)fputs("winnow turns raw text into the corpus that trains the better language model.\n\n"
                "usage: winnow COMMAND [options] [CORPUS...]\n",
                to);
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *t = OPTION_TABLES[i];
        const char *heading = command_heading(t);
        if (heading) {
            (void)fprintf(to, "\n%s:\n", heading);
        }
        (void)fprintf(to, "  %-20s %s\n", t->command, t->summary);
    }
    (void)fputs(
        "\n`winnow help COMMAND` teaches a command by example, `winnow help options` lists "
        "what most\ncommands take, `winnow help recipe` says how a recipe is written.\n"
        "`winnow help --man [COMMAND]` prints a manual page, `winnow help --completion bash` "
        "(or zsh,\nfish) the shell's completions.\n",
        to);
}

/* "also: -o, --output, --run, ..." in lines of WIDTH. */
static void add_names(struct buf *out, const struct option_table *table,
                      const struct option_table *before)
{
    buf_addf(out, "\n%s:\n", table->summary);
    size_t start = out->len;
    buf_add_text(out, "  ");
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        size_t need = strlen(o->name) + sizeof "-x/--, ";
        if (out->len - start + need > WIDTH) {
            out->len--; /* the blank behind the comma */
            buf_add_text(out, "\n  ");
            start = out->len - 2;
        }
        if (o->letter && !(before && option_has_letter(before, o->letter))) {
            buf_addf(out, "-%c/", o->letter);
        }
        buf_addf(out, "--%s%s", o->name, o[1].kind == OPTION_END ? "\n" : ", ");
    }
}

void help_command(const struct option_table *table)
{
    struct buf text = {0};
    buf_addf(&text, "winnow %s -- %s\n\nusage: winnow %s %s\n", table->command, table->summary,
             table->command, table->usage);
    if (table->example) {
        buf_addf(&text, "\nexamples:\n%s", table->example);
    }
    if (table->options[0].kind != OPTION_END) {
        buf_add_text(&text, "\noptions:\n");
        option_help(table, NULL, &text);
    }
    if (table->shared == &CORPUS_TABLE) {
        add_names(&text, table->shared, table);
    } else if (table->shared) {
        buf_addf(&text, "\n%s:\n", table->shared->summary);
        option_help(table->shared, table, &text);
    }
    add_names(&text, &CLI_TABLE, table);
    buf_add_text(&text, "\n`winnow help options` says what these do.\n");
    (void)fwrite(text.ptr, 1, text.len, stdout);
    buf_release(&text);
}

void help_shared(void)
{
    struct buf text = {0};
    buf_addf(&text, "%s:\n", CORPUS_TABLE.summary);
    option_help(&CORPUS_TABLE, NULL, &text);
    buf_add_text(&text,
                 "\na CORPUS is files, folders, patterns, - for standard input, or addresses:\n"
                 "s3://BUCKET/FOLDER, hf://datasets/OWNER/NAME/FOLDER, https://HOST/FILE\n"
                 "(keys by variables of the environment; docs/storage.md)\n");
    buf_addf(&text, "\n%s:\n", CLI_TABLE.summary);
    option_help(&CLI_TABLE, NULL, &text);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    buf_release(&text);
}

size_t help_family(const char *word, FILE *to)
{
    size_t len = strlen(word), found = 0;
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const char *name = OPTION_TABLES[i]->command;
        if (strncmp(name, word, len) == 0 && name[len] == ' ') {
            (void)fprintf(to, "  winnow %-20s %s\n", name, OPTION_TABLES[i]->summary);
            found++;
        }
    }
    return found;
}

bool help_json(int argc, const char *const *argv)
{
    char name[64];
    struct winnow_bytes text;
    struct winnow_error err;
    (void)snprintf(name, sizeof name, "%s%s%s", argc > 0 ? argv[0] : "", argc > 1 ? " " : "",
                   argc > 1 ? argv[1] : "");
    if (winnow_options_json(argc > 0 ? name : NULL, &text, &err) != WINNOW_OK) {
        return false;
    }
    (void)fwrite(text.ptr, 1, text.len, stdout);
    winnow_bytes_free(&text);
    return true;
}
