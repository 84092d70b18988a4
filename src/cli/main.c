/* main.c -- finds the command, runs it, makes an exit code of what it said.
 *
 * Only here do words become commands and statuses numbers (HACKING.md has the
 * codes).  A mistyped command is answered with the nearest name, or with what the
 * field calls the thing (option/near_name.c). */
#include "winnow/version.h"

#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/help_completion.h"
#include "cli/help_man.h"
#include "cli/help_recipe.h"
#include "cli/join.h"
#include "option/near_name.h"
#include "option/tables.h"
#include "ranks/ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_INTERRUPTED 130
#define CODE_NO_READER   141 /* what a shell says of a tool that SIGPIPE ended */

static int exit_code(winnow_status st)
{
    switch (st) {
    case WINNOW_OK:
        return 0;
    case WINNOW_E_USAGE:
        return 2;
    case WINNOW_E_FORMAT:
        return 3;
    case WINNOW_E_CANCELLED:
        return CODE_INTERRUPTED;
    case WINNOW_E_IO:
    case WINNOW_E_NOMEM:
    case WINNOW_E_LIMIT:
    case WINNOW_E_INTERNAL:
        break;
    }
    return 1;
}

/* How many of the words at argv name the command: 0 (another one), 1 or 2. */
static int match(const struct option_table *table, int argc, const char *const *argv)
{
    const char *name = table->command;
    const char *space = strchr(name, ' ');
    if (argc < 1) {
        return 0;
    }
    if (!space) {
        return strcmp(argv[0], name) == 0;
    }
    size_t first = (size_t)(space - name);
    bool both = argc >= 2 && strlen(argv[0]) == first && memcmp(argv[0], name, first) == 0 &&
                strcmp(argv[1], space + 1) == 0;
    return both ? 2 : 0;
}

/* The command that the words at argv begin with, the one of more words where there are two
 * (`quality`, `quality train`), or NULL. */
static const struct option_table *find(int argc, const char *const *argv, int *words)
{
    const struct option_table *found = NULL;
    *words = 0;
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        int matched = match(OPTION_TABLES[i], argc, argv);
        if (matched > *words) {
            *words = matched;
            found = OPTION_TABLES[i];
        }
    }
    return found;
}

/* The command spelled most like what was asked for, or NULL.  The names stand as
 * options of a table, which knows what is near. */
static const char *nearest_command(const char *word)
{
    struct option names[64] = {{.kind = OPTION_END}};
    const struct option_table table = {.options = names};
    size_t n = 0;
    for (size_t i = 0; OPTION_TABLES[i] && n + 1 < sizeof names / sizeof *names; i++) {
        names[n++] = (struct option){.kind = OPTION_TEXT, .name = OPTION_TABLES[i]->command};
        names[n] = (struct option){.kind = OPTION_END};
    }
    return option_nearest(&table, str_of(word), NULL);
}

/* Says that there is no such command, and what there is instead. */
static int refuse(int argc, const char *const *argv)
{
    char both[64];
    const char *word = argv[0], *other = near_command(str_of(word));
    const char *second = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
    (void)snprintf(both, sizeof both, "%s %s", word, second);
    const char *near = nearest_command(both);
    near = near && second[0] != '\0' && strchr(near, ' ') ? near : nearest_command(word);
    size_t len = strlen(word);
    bool recipe = (len > 5 && strcmp(word + len - 5, ".yaml") == 0) ||
                  (len > 4 && strcmp(word + len - 4, ".yml") == 0);
    if (help_family(word, stderr) > 0) {
        return 2;
    }
    struct buf text = {0};
    buf_addf(&text, "no command '%s'", word);
    if (word[0] == '-') {
        buf_add_text(&text,
                     ": the command comes first, its options behind it; `winnow help` lists them");
    } else if (recipe) {
        buf_addf(&text, "; `winnow run %s` runs a recipe", word);
    } else if (other) {
        buf_addf(&text, ": %s", other);
    } else if (near) {
        buf_addf(&text, "; did you mean `winnow %s`?", near);
    } else {
        buf_add_text(&text, "; `winnow help` lists them");
    }
    cli_complain(buf_cstr(&text));
    buf_release(&text);
    return 2;
}

static int manual(int argc, const char *const *argv)
{
    int words;
    const struct option_table *table = find(argc, argv, &words);
    if (table) {
        help_man_command(table, stdout);
    } else if (argc == 0) {
        help_man_all(stdout);
    } else {
        return refuse(argc, argv);
    }
    return 0;
}

static int help(int argc, const char *const *argv)
{
    if (argc == 0 || (argc == 1 && strcmp(argv[0], "help") == 0)) {
        help_all(stdout);
        return 0;
    }
    if (strcmp(argv[0], "--json") == 0) {
        return help_json(argc - 1, argv + 1) ? 0 : refuse(argc - 1, argv + 1);
    }
    if (strcmp(argv[0], "--completion") == 0) {
        if (argc == 2 && help_completion(argv[1], stdout)) {
            return 0;
        }
        cli_complain("help --completion takes bash, zsh or fish");
        return 2;
    }
    if (strcmp(argv[0], "--man") == 0) {
        return manual(argc - 1, argv + 1);
    }
    if (argc == 1 && strcmp(argv[0], "recipe") == 0) {
        help_recipe(stdout);
        return 0;
    }
    if (argc == 1 && strcmp(argv[0], "options") == 0) {
        help_shared();
        return 0;
    }
    int words;
    const struct option_table *table = find(argc, argv, &words);
    if (table) {
        help_command(table);
        return 0;
    }
    if (argc == 1 && help_family(argv[0], stdout) > 0) {
        return 0;
    }
    return refuse(argc, argv);
}

/* A rank that prints and ends would leave the others waiting for it: launchers end them for an
 * exit code only. */
static bool started_with_others(const char *what)
{
    struct buf text = {0};
    unsigned long started = cli_started();
    if (started > 1) {
        buf_addf(&text, "%s is for one process, and %lu were started: call it without the launcher",
                 what, started);
        cli_complain(buf_cstr(&text));
        buf_release(&text);
    }
    return started > 1;
}

/* What was printed, on a disk that may be full. */
static int printed(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    if (cli_output_closed()) {
        return CODE_NO_READER;
    }
    cli_complain("cannot write to standard output");
    return 1;
}

static bool asks_for_help(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* What stands behind a pipe has read enough (`| head`): no failure of ours, and as
 * quiet as the tools that SIGPIPE ends. */
static bool reader_left(winnow_status st, const struct winnow_error *err)
{
    char text[128];
    const char *reason = strerror_r(EPIPE, text, sizeof text);
    return cli_output_closed() &&
           (st == WINNOW_OK || (st == WINNOW_E_IO && strstr(err->text, reason) != NULL));
}

static int end_command(const struct cli *cli, winnow_status st, const struct winnow_error *err)
{
    cli_progress_end();
    bool written = st != WINNOW_OK || (fflush(stdout) == 0 && !ferror(stdout));
    if ((st != WINNOW_OK || !written) && reader_left(st, err)) {
        return CODE_NO_READER;
    }
    if (st != WINNOW_OK && !ranks_lead(cli->ranks)) { /* rank 0 says it */
        return cli_interrupted() ? CODE_INTERRUPTED : exit_code(st);
    }
    if (st != WINNOW_OK && cli_interrupted()) { /* calls that were cut short fail, too */
        cli_tell_interrupted();
        return CODE_INTERRUPTED;
    }
    if (st != WINNOW_OK && err->text[0] != '\0') {
        cli_complain(err->text);
    } else if (st == WINNOW_OK && !written) {
        cli_complain("cannot write to standard output");
        return 1;
    }
    return exit_code(st);
}

/* Commands that fill a run folder know of ranks. */
static winnow_status refuse_ranks(const struct cli *cli, const struct option_table *table,
                                  struct winnow_error *err)
{
    command_run *run = command_function(table);
    bool knows = !run || table == &RUN_TABLE || table == &DECONTAMINATE_TABLE;
    return !cli->ranks || knows
               ? WINNOW_OK
               : error_set(err, WINNOW_E_USAGE,
                           "%s is for one process, and %u were started: several ranks do "
                           "`winnow run` and the commands from corpus to corpus",
                           table->command, ranks_count(cli->ranks));
}

static int run_command(const struct option_table *table, int argc, const char *const *argv)
{
    command_run *run = command_function(table);
    struct winnow_error err = {{0}};
    struct cli cli = {0};
    arena_init(&cli.keep, (size_t)1 << 14);
    cli_heed_log_json(argc, argv);
    winnow_status st = cli_join(&cli.ranks, &err);
    st = st == WINNOW_OK ? refuse_ranks(&cli, table, &err) : st;
    if (st == WINNOW_OK) {
        st = run ? run(&cli, argc, argv, &err) : cli_corpus_command(&cli, table, argc, argv, &err);
    }
    if (st == WINNOW_OK && cli.ranks && ranks_sent(cli.ranks) == 0) { /* it met nobody */
        st = error_set(&err, WINNOW_E_USAGE,
                       "this does no run, and %u processes were started: start all ranks of a run "
                       "with the same command, and one process for this",
                       ranks_count(cli.ranks));
    }
    st = ranks_agree(cli.ranks, st, &err);
    int code = end_command(&cli, st, &err);
    ranks_free(cli.ranks);
    arena_release(&cli.keep);
    return code;
}

/* Standard streams that the caller has closed are given files that refuse to be read or
 * written, or the next file that is opened, a lock or an output, would be taken for one. */
static void fill_closed_streams(void)
{
    static const int MODES[] = {O_WRONLY, O_RDONLY, O_WRONLY}; /* messages may be lost */
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", MODES[fd]) != fd) {
            abort();
        }
    }
}

int main(int argc, char **arguments)
{
    fill_closed_streams();
    const char *const *argv = (const char *const *)arguments;
    if (argc < 2) {
        help_all(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0) {
        if (started_with_others("--version")) {
            return 2;
        }
        (void)printf("winnow %s\n", winnow_version());
        return printed(0);
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        return started_with_others("help") ? 2 : printed(help(argc - 2, argv + 2));
    }
    int words;
    const struct option_table *table = find(argc - 1, argv + 1, &words);
    if (!table) {
        return refuse(argc - 1, argv + 1);
    }
    if (asks_for_help(argc - words, argv + words)) {
        if (started_with_others("--help")) {
            return 2;
        }
        help_command(table);
        return printed(0);
    }
    return run_command(table, argc - words, argv + words);
}
