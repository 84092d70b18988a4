/* help_recipe.h -- `winnow help recipe`: how a recipe is written. */
#ifndef WINNOW_CLI_HELP_RECIPE_H
#define WINNOW_CLI_HELP_RECIPE_H

#include <stdio.h>

/* From the tables that the recipe reader goes by, so that it knows every key. */
void help_recipe(FILE *to);

#endif /* WINNOW_CLI_HELP_RECIPE_H */
