/* score_texts.c -- how surprising texts are to a model: score_texts MODEL TEXT... */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <winnow/text.h>

#define TEXTS 100

int main(int argc, char **argv)
{
    char options[4096];
    struct winnow_text_view texts[TEXTS];
    struct winnow_text_score scores[TEXTS];
    size_t count = 0;
    for (int i = 2; i < argc && count < TEXTS; i++) {
        texts[count++] = (struct winnow_text_view){argv[i], strlen(argv[i])};
    }
    if (count == 0 || strchr(argv[1], '"') || strchr(argv[1], '\\')) {
        (void)fprintf(stderr, "usage: score_texts MODEL TEXT...\n");
        return 2;
    }
    (void)snprintf(options, sizeof options, "{\"model\": \"%s\"}", argv[1]);
    const struct winnow_env env = {.threads = 0}; /* all processors */
    struct winnow_scorer *scorer;
    struct winnow_error err;
    winnow_status st = winnow_scorer_open(options, &env, &scorer, &err);
    if (st == WINNOW_OK) {
        st = winnow_scorer_texts(scorer, texts, count, scores, &err);
        winnow_scorer_close(scorer);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        (void)printf("%.4f nats over %" PRIu64 " tokens\n", scores[i].nll, scores[i].tokens);
    }
    return 0;
}
