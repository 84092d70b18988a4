/* help_completion.c -- scripts for three shells.
 *
 * Each completes commands, then a command's options, then the values of options that have a
 * list of them; everything else is a path.  Commands of two words ("tokenizer train") are
 * completed word by word.  Options and values are names of letters, digits, points and hyphens,
 * so only what is said about them has to be quoted. */
#include "cli/help_completion.h"

#include "base/buf.h"
#include "cli/cmd.h"
#include "option/corpus_options.h"
#include "option/tables.h"

#include <string.h>

/* The tables that a command's options stand in, its own first. */
static void tables_of(const struct option_table *t, const struct option_table *out[3])
{
    out[0] = t;
    out[1] = t->shared;
    out[2] = &CLI_TABLE;
}

/* Whether an earlier command begins with the same word. */
static bool word_is_repeated(size_t at)
{
    const char *name = OPTION_TABLES[at]->command;
    size_t len = strcspn(name, " ");
    for (size_t i = 0; i < at; i++) {
        const char *other = OPTION_TABLES[i]->command;
        if (strncmp(name, other, len) == 0 && (other[len] == ' ' || other[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Whether it is the first of commands with the same first word of two. */
static bool begins_family(size_t at)
{
    const char *name = OPTION_TABLES[at]->command;
    size_t len = strcspn(name, " ");
    return name[len] == ' ' &&
           (at == 0 || strncmp(OPTION_TABLES[at - 1]->command, name, len + 1) != 0);
}

static void add_first_words(struct buf *out)
{
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const char *name = OPTION_TABLES[i]->command;
        if (!word_is_repeated(i)) {
            buf_addf(out, "%.*s ", (int)strcspn(name, " "), name);
        }
    }
    buf_add_text(out, "help");
}

/* The words behind "tokenizer". */
static void add_second_words(struct buf *out, const char *first, size_t len)
{
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const char *name = OPTION_TABLES[i]->command;
        if (strncmp(name, first, len) == 0 && name[len] == ' ') {
            buf_addf(out, " %s", name + len + 1);
        }
    }
}

/* Whether the word is a command by itself, too: `quality` beside `quality train`. */
static bool is_command(const char *word, size_t len)
{
    size_t i = 0;
    while (OPTION_TABLES[i] && (strncmp(OPTION_TABLES[i]->command, word, len) != 0 ||
                                OPTION_TABLES[i]->command[len] != '\0')) {
        i++;
    }
    return OPTION_TABLES[i] != NULL;
}

static void add_choices(struct buf *out, const struct option *o, const char *between)
{
    for (int i = 0; o->choices[i]; i++) {
        buf_addf(out, "%s%s", i > 0 ? between : "", o->choices[i]);
    }
}

/* ---- bash ---- */

static void add_bash_choices(struct buf *out)
{
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *tables[3];
        tables_of(OPTION_TABLES[i], tables);
        for (size_t t = 0; t < 3; t++) {
            const struct option *o = tables[t] ? tables[t]->options : NULL;
            for (; o && o->kind != OPTION_END; o++) {
                if (o->kind == OPTION_ENUM) {
                    buf_addf(out, "        '%s --%s') values='", OPTION_TABLES[i]->command,
                             o->name);
                    add_choices(out, o, " ");
                    buf_add_text(out, "' ;;\n");
                }
            }
        }
    }
}

static void add_bash_options(struct buf *out)
{
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *tables[3];
        tables_of(OPTION_TABLES[i], tables);
        buf_addf(out, "        '%s') options='", OPTION_TABLES[i]->command);
        for (size_t t = 0; t < 3; t++) {
            const struct option *o = tables[t] ? tables[t]->options : NULL;
            for (; o && o->kind != OPTION_END; o++) {
                buf_addf(out, "--%s ", o->name);
            }
        }
        buf_add_text(out, "--help' ;;\n");
    }
}

static void add_bash(struct buf *out)
{
    buf_add_text(out,
                 "# bash completion for winnow\n"
                 "_winnow() {\n"
                 "    local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                 "    local command=${COMP_WORDS[1]} values= options= second= paths=\n"
                 "    if ((COMP_CWORD == 1)); then\n"
                 "        COMPREPLY=($(compgen -W '");
    add_first_words(out);
    buf_add_text(out, "' -- \"$now\"))\n"
                      "        return\n"
                      "    fi\n"
                      "    case $command in\n");
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const char *name = OPTION_TABLES[i]->command;
        size_t len = strcspn(name, " ");
        if (begins_family(i)) {
            buf_addf(out, "        %.*s) second='", (int)len, name);
            add_second_words(out, name, len);
            buf_addf(out, "'%s ;;\n", is_command(name, len) ? " paths=1" : "");
        }
    }
    buf_add_text(out, "        help) second='recipe options ");
    add_first_words(out);
    buf_add_text(
        out, "' ;;\n"
             "    esac\n"
             "    if [[ $second && \" $second \" == *\" ${COMP_WORDS[2]} \"* ]] && ((COMP_CWORD > "
             "2)); then\n"
             "        command+=\" ${COMP_WORDS[2]}\"\n"
             "    elif ((COMP_CWORD == 2)) && [[ $second && $now != -* ]]; then\n"
             "        COMPREPLY=($(compgen -W \"$second\" -- \"$now\") ${paths:+$(compgen -f -- "
             "\"$now\")})\n"
             "        return\n"
             "    fi\n"
             "    case \"$command $before\" in\n");
    add_bash_choices(out);
    buf_add_text(out, "    esac\n"
                      "    if [[ $values ]]; then\n"
                      "        COMPREPLY=($(compgen -W \"$values\" -- \"$now\"))\n"
                      "        return\n"
                      "    fi\n"
                      "    case $command in\n");
    add_bash_options(out);
    buf_add_text(out, "    esac\n"
                      "    if [[ $now == -* ]]; then\n"
                      "        COMPREPLY=($(compgen -W \"$options\" -- \"$now\"))\n"
                      "    else\n"
                      "        COMPREPLY=($(compgen -f -- \"$now\"))\n"
                      "    fi\n"
                      "}\n"
                      "complete -o filenames -F _winnow winnow\n");
}

/* ---- zsh ---- */

/* Within '...' and [...]. */
static void add_zsh_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buf_add_text(out, "'\\''");
        } else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\') {
            buf_addf(out, "\\%c", *text);
        } else {
            buf_add_char(out, *text);
        }
    }
}

static void add_zsh_option(struct buf *out, const struct option *o)
{
    buf_addf(out, "            '--%s[", o->name);
    add_zsh_text(out, o->help);
    buf_add_char(out, ']');
    if (o->kind == OPTION_ENUM) {
        buf_add_text(out, ":value:(");
        add_choices(out, o, " ");
        buf_add_char(out, ')');
    } else if (o->kind != OPTION_FLAG) {
        bool path = o->kind == OPTION_FILE || o->kind == OPTION_FILES || o->kind == OPTION_NAMED ||
                    strcmp(o->name, "output") == 0;
        buf_addf(out, ":%s:%s", o->value ? o->value : "value", path ? "_files" : "");
    }
    buf_add_text(out, "' \\\n");
}

static void add_zsh(struct buf *out)
{
    buf_add_text(out, "#compdef winnow\n"
                      "_winnow() {\n"
                      "    local command=${words[2]}\n"
                      "    if ((CURRENT == 2)); then\n"
                      "        compadd -- ");
    add_first_words(out);
    buf_add_text(out, "\n        return\n"
                      "    fi\n"
                      "    case $command in\n");
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const char *name = OPTION_TABLES[i]->command;
        size_t len = strcspn(name, " ");
        if (begins_family(i)) {
            buf_addf(out, "        %.*s) ((CURRENT == 3)) && compadd --", (int)len, name);
            add_second_words(out, name, len);
            buf_add_text(out,
                         "\n            [[ ${words[3]} != -* ]] && command+=\" ${words[3]}\" ;;\n");
        }
    }
    buf_add_text(out, "        help) compadd -- recipe options ");
    add_first_words(out);
    buf_add_text(out, "\n            return ;;\n"
                      "    esac\n"
                      "    case $command in\n");
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *tables[3];
        tables_of(OPTION_TABLES[i], tables);
        buf_addf(out, "        '%s') _arguments -S \\\n", OPTION_TABLES[i]->command);
        for (size_t t = 0; t < 3; t++) {
            const struct option *o = tables[t] ? tables[t]->options : NULL;
            for (; o && o->kind != OPTION_END; o++) {
                add_zsh_option(out, o);
            }
        }
        buf_add_text(out, "            '--help[teach by example]' '*:corpus:_files' ;;\n");
    }
    buf_add_text(out, "        *) _files ;;\n"
                      "    esac\n"
                      "}\n"
                      "_winnow \"$@\"\n");
}

/* ---- fish ---- */

/* Within '...'. */
static void add_fish_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, *text);
    }
}

static void add_fish_option(struct buf *out, const char *command, const struct option *o)
{
    buf_addf(out, "complete -c winnow -n '__winnow_is \"%s\"' -l %s", command, o->name);
    if (o->letter) {
        buf_addf(out, " -s %c", o->letter);
    }
    if (o->kind == OPTION_ENUM) {
        buf_add_text(out, " -x -a '");
        add_choices(out, o, " ");
        buf_add_char(out, '\'');
    } else if (o->kind != OPTION_FLAG) {
        buf_add_text(out, " -r");
    }
    buf_add_text(out, " -d '");
    add_fish_text(out, o->help);
    buf_add_text(out, "'\n");
}

static void add_fish(struct buf *out)
{
    buf_add_text(out, "# fish completion for winnow\n"
                      "function __winnow_is\n"
                      "    set -l words (commandline -opc)\n"
                      "    set -l want (string split ' ' -- $argv[1])\n"
                      "    set -l n (math (count $want) + 1)\n"
                      "    test (count $words) -ge $n; and test \"$words[2..$n]\" = \"$argv[1]\"\n"
                      "end\n"
                      "function __winnow_none\n"
                      "    test (count (commandline -opc)) -eq 1\n"
                      "end\n"
                      "complete -c winnow -n __winnow_none -f -a 'help' -d 'what there is'\n");
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *table = OPTION_TABLES[i];
        const char *name = table->command;
        size_t len = strcspn(name, " ");
        if (name[len] == ' ') {
            buf_addf(out, "complete -c winnow -n '__winnow_is \"%.*s\"' -a '%s' -d '", (int)len,
                     name, name + len + 1);
            add_fish_text(out, table->summary);
            buf_add_text(out, "'\n");
        }
        if (!word_is_repeated(i)) {
            buf_addf(out, "complete -c winnow -n __winnow_none -f -a '%.*s' -d '", (int)len, name);
            add_fish_text(out, name[len] == ' ' ? "several commands" : table->summary);
            buf_add_text(out, "'\n");
        }
        const struct option_table *tables[3];
        tables_of(table, tables);
        for (size_t t = 0; t < 3; t++) {
            const struct option *o = tables[t] ? tables[t]->options : NULL;
            for (; o && o->kind != OPTION_END; o++) {
                add_fish_option(out, name, o);
            }
        }
    }
}

bool help_completion(const char *shell, FILE *to)
{
    static const struct {
        const char *shell;
        void (*add)(struct buf *out);
    } SCRIPTS[] = {{"bash", add_bash}, {"zsh", add_zsh}, {"fish", add_fish}};
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
        if (strcmp(SCRIPTS[i].shell, shell) == 0) {
            struct buf out = {0};
            SCRIPTS[i].add(&out);
            (void)fwrite(out.ptr, 1, out.len, to);
            buf_release(&out);
            return true;
        }
    }
    return false;
}
