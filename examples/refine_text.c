/* refine_text.c -- takes the noise out of one text: refine_text < page.txt
 *
 * The built-in refiner judges each line; its program goes to standard error. */
#include <stdio.h>
#include <winnow/text.h>

int main(void)
{
    static char text[1 << 20];
    const size_t len = fread(text, 1, sizeof text, stdin);
    const struct winnow_env env = {.threads = 1};
    struct winnow_refiner *refiner;
    struct winnow_refined refined;
    struct winnow_error err;
    winnow_status st = winnow_refiner_open(NULL, &env, &refiner, &err);
    if (st == WINNOW_OK) {
        st = winnow_refiner_text(refiner, text, len, &refined, &err);
        winnow_refiner_close(refiner);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)fprintf(stderr, "%s", refined.program.ptr);
    (void)fwrite(refined.text.ptr, 1, refined.text.len, stdout);
    winnow_refined_free(&refined);
    return 0;
}
