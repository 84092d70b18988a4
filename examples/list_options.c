/* list_options.c -- what a command takes, as JSON: list_options [COMMAND] */
#include <stdio.h>
#include <winnow/stage.h>

int main(int argc, char **argv)
{
    struct winnow_bytes json;
    struct winnow_error err;
    if (winnow_options_json(argc > 1 ? argv[1] : NULL, &json, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)fwrite(json.ptr, 1, json.len, stdout);
    winnow_bytes_free(&json);
    return 0;
}
