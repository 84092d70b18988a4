/* describe.c -- winnow_options_json(): all that help says of a command, for programs. */
#include "winnow/stage.h"

#include "call/call_internal.h"
#include "flow/stages.h"
#include "option/corpus_options.h"
#include "option/option_json.h"
#include "option/recipe.h"
#include "option/tables.h"

static void describe(const struct option_table *table, struct json_writer *w)
{
    bool stage = stage_kind_find(str_of(table->command)) != NULL;
    json_open(w, '{');
    json_member_text(w, "command", table->command);
    json_member_text(w, "summary", table->summary);
    json_member_text(w, "usage", table->usage);
    json_member_text(w, "example", table->example ? table->example : "");
    json_member_bool(w, "stage", stage || table == &RUN_TABLE);
    json_key(w, "options");
    option_rows_json(table, w);
    json_key(w, "shared");
    if (stage) {
        option_rows_json(&CORPUS_TABLE, w);
    } else {
        json_open(w, '[');
        json_close(w, ']');
    }
    json_key(w, "common");
    option_rows_json(&RECIPE_COMMON_TABLE, w);
    json_close(w, '}');
}

winnow_status winnow_options_json(const char *command, struct winnow_bytes *out,
                                  struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    const struct option_table *one = command ? option_table_find(command) : NULL;
    *out = (struct winnow_bytes){0};
    if (command && !one) {
        return error_set(err, WINNOW_E_USAGE, "no command '%s'", command);
    }
    if (one) {
        describe(one, &w);
    } else {
        json_open(&w, '[');
        for (size_t i = 0; OPTION_TABLES[i]; i++) {
            describe(OPTION_TABLES[i], &w);
        }
        json_close(&w, ']');
    }
    buf_add_char(&text, '\n');
    *out = bytes_take(&text);
    return WINNOW_OK;
}
