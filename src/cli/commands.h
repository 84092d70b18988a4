/* commands.h -- every command, in the order in which data meets them. */
#ifndef WINNOW_CLI_COMMANDS_H
#define WINNOW_CLI_COMMANDS_H

#include "cli/cmd.h"

/* Ends with a row whose table is NULL; `winnow help` prints it in this order. */
extern const struct cmd COMMANDS[];

winnow_status cmd_run(struct cli *cli, int argc, const char *const *argv, struct winnow_error *err);
winnow_status cmd_verify(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err);
winnow_status cmd_explain(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err);
winnow_status cmd_extract(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err);
winnow_status cmd_refine(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err);
winnow_status cmd_refiner_label(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err);
winnow_status cmd_refiner_lines(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err);
winnow_status cmd_count(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_rules(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_dedup(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_holdout(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err);
winnow_status cmd_score(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_prune(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_prove(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_eval(struct cli *cli, int argc, const char *const *argv,
                       struct winnow_error *err);
winnow_status cmd_train(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err);
winnow_status cmd_report(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err);

winnow_status cmd_refiner_train(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err);
winnow_status cmd_refiner_eval(struct cli *cli, int argc, const char *const *argv,
                               struct winnow_error *err);

winnow_status cmd_tokenizer_train(struct cli *cli, int argc, const char *const *argv,
                                  struct winnow_error *err);
winnow_status cmd_tokenizer_encode(struct cli *cli, int argc, const char *const *argv,
                                   struct winnow_error *err);
winnow_status cmd_tokenizer_decode(struct cli *cli, int argc, const char *const *argv,
                                   struct winnow_error *err);

#endif /* WINNOW_CLI_COMMANDS_H */
