/* Any bytes as a recipe: refused with a sentence, or read. */
#include "winnow/dedup.h"

#include "option/recipe.h"
#include "option/tables.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct option_table *const STAGES[] = {&DEDUP_TABLE, NULL};
    static const struct option_table *const SECTIONS[] = {&DEDUP_TABLE, NULL};
    static const struct recipe_tables TABLES = {STAGES, SECTIONS};
    struct recipe recipe;
    struct winnow_error err = {{0}};
    winnow_status st =
        recipe_parse((struct str){(const char *)data, size}, "recipe", &TABLES, &recipe, &err);
    assert((st == WINNOW_OK) == (err.text[0] == '\0'));
    assert(st != WINNOW_OK || (recipe.stage_count > 0 && recipe.stages[0].options));
    recipe_release(&recipe);
    return 0;
}
