/* cmd.h -- what main.c, the option tables and the cmd_<verb>.c files share. */
#ifndef WINNOW_CLI_CMD_H
#define WINNOW_CLI_CMD_H

#include "option/option.h"

/* Options that every command takes. */
struct cli_options {
    uint32_t threads;
    uint64_t memory;
    uint64_t seed;
    const char *kernels;
    int progress; /* enum below, as in PROGRESS_CHOICES */
    bool quiet, verbose, log_json, force;
};
enum { CLI_PROGRESS_AUTO, CLI_PROGRESS_ALWAYS, CLI_PROGRESS_NEVER };

extern const struct option_table CLI_TABLE;

/* One invocation. */
struct cli {
    struct cli_options common;
    struct winnow_env env; /* filled from common by cli_parse() */
    struct winnow_list paths;
    uint64_t given;             /* rows of CLI_TABLE that stood on the command line: option_bit() */
    struct arena keep;          /* owns what options and paths point to */
    struct winnow_ranks *ranks; /* of which this process is one, or NULL */
};

/* What a command does: fills its options, calls one public function and prints the
 * result. */
typedef winnow_status command_run(struct cli *cli, int argc, const char *const *argv,
                                  struct winnow_error *err);

/* Parses argv against table (into options) and the common options, and sets up
 * cli->env, signals and progress.  argv[0] is the command's (last) word. */
winnow_status cli_parse(struct cli *cli, const struct option_table *table, void *options, int argc,
                        const char *const *argv, struct winnow_error *err);

/* The same with several tables, e.g. one that commands share. */
winnow_status cli_parse_sets(struct cli *cli, const struct option_set *sets, size_t n, int argc,
                             const char *const *argv, struct winnow_error *err);

struct winnow_corpus_options;

/* The two halves of cli_corpus_command(), for a stage whose command can do something else,
 * too: options and paths; the stage over the paths. */
winnow_status cli_corpus_parse(struct cli *cli, const struct option_table *table, void *options,
                               struct winnow_corpus_options *corpus, int argc,
                               const char *const *argv, struct winnow_error *err);
winnow_status cli_corpus_run(struct cli *cli, const struct option_table *table, const void *options,
                             const struct winnow_corpus_options *corpus, struct winnow_error *err);

/* All of a command that is a stage ("rules", "dedup"): parses its options and
 * those of CORPUS_TABLE, runs the stage over the paths into its run folder. */
winnow_status cli_corpus_command(struct cli *cli, const struct option_table *table, int argc,
                                 const char *const *argv, struct winnow_error *err);

/* WINNOW_E_USAGE with the command's usage line, unless the number of paths is
 * within least..most. */
winnow_status cli_need_paths(const struct cli *cli, const struct option_table *table, size_t least,
                             size_t most, struct winnow_error *err);

/* Says that all of it was done by an earlier call; gives WINNOW_OK. */
winnow_status cli_say_finished(const struct cli *cli, const char *output);

/* Ends a progress line that stands on the terminal. */
void cli_progress_end(void);

/* What goes to people goes through these two: control sequences of ids, names and
 * texts are shown, not sent (base/show.h).  cli_print() takes tables and texts for
 * standard output, whose lines and tabs stay; cli_complain() writes "winnow: ..." on
 * one line of stderr, passwords of addresses hidden. */
void cli_print(const char *text, size_t len);

/* A table for people beside the JSON on standard output: on standard error. */
void cli_tell(const char *text);

/* From here on messages are JSON lines where the command line asks for that, also those that say
 * what is wrong with it. */
void cli_heed_log_json(int argc, const char *const *argv);
void cli_complain(const char *text);

/* The same for one field of a table: on one line, without tabs.  Lives in keep. */
const char *cli_field(struct cli *cli, const char *text);

/* Whether somebody asked to stop; whether nobody reads standard output any more. */
bool cli_interrupted(void);
void cli_tell_interrupted(void); /* once, whatever ends the process afterwards */
#define CLI_INTERRUPTED \
    "interrupted; the same command goes on from what it has finished, where it keeps a folder"
bool cli_output_closed(void);

#endif /* WINNOW_CLI_CMD_H */
