/* help_recipe.c -- `winnow help recipe`: an example, then the tables that recipes are
 * read by, so that no key can be missing here. */
#include "cli/help_recipe.h"

#include "flow/stages.h"
#include "option/corpus_options.h"
#include "option/recipe.h"
#include "option/tables.h"

static const char EXAMPLE[] =
    "a recipe: the stages that a corpus goes through, in YAML, for `winnow run RECIPE.yaml`\n"
    "\n"
    "example:\n"
    "  winnow: 1                        # the version of the format: always there\n"
    "  input: [pages/, more/*.html]     # files, folders, patterns, s3://BUCKET/FOLDER\n"
    "  output: runs/clean               # the run folder; -o overrides it\n"
    "  seed: 7                          # any option of every command; -s overrides it\n"
    "  stages:                          # in order, each with a '-'\n"
    "    - extract:                     # all options as they are by default\n"
    "    - rules: {sets: [gopher]}      # options in braces ...\n"
    "    - dedup:                       # ... or a line each\n"
    "        spaces: true\n"
    "  prove:                           # behind the stages: does it train the better model?\n"
    "    seeds: 5\n"
    "\n"
    "Keys of options are the long names of the command line without '--'. Flags are true or\n"
    "false, lists stand in brackets, numbers take the same suffixes (500k, 8G, 50%). A '#'\n"
    "starts a comment. Relative paths count from where winnow is called. Anchors, aliases and\n"
    "tags are refused, and so is every key that is not known.\n";

static void add_rows(struct buf *out, const struct option_table *table, const char *name)
{
    if (option_table_find(name)) {
        buf_addf(out, "  %-10s %s; `winnow help %s` lists its keys\n", name, table->summary, name);
    } else { /* no command */
        buf_addf(out, "  %-10s %s; its keys:\n", name, table->summary);
        option_help(table, NULL, out);
    }
}

void help_recipe(FILE *to)
{
    struct buf text = {0};
    buf_add_text(&text, EXAMPLE);
    buf_add_text(&text, "\nstages, in the order in which they mostly stand:\n");
    for (size_t i = 0; STAGE_KINDS[i]; i++) {
        add_rows(&text, STAGE_KINDS[i]->table, STAGE_KINDS[i]->table->command);
    }
    buf_add_text(&text, "\nsections behind the stages:\n");
    for (size_t i = 0; ENDING_KINDS[i]; i++) {
        const struct option_table *table = ENDING_KINDS[i]->table;
        if (table->options[0].kind != OPTION_END) {
            add_rows(&text, table, table->command);
        }
    }
    buf_add_text(&text, "\nkeys of the top level beside winnow, input, output and stages:\n");
    option_help(&RECIPE_COMMON_TABLE, NULL, &text);
    option_help(&CORPUS_TABLE, NULL, &text);
    buf_add_text(&text, "\ndocs/formats/recipe.md has every key with an example.\n");
    (void)fwrite(text.ptr, 1, text.len, to);
    buf_release(&text);
}
