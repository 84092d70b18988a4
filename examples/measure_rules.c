/* measure_rules.c -- what the field's filters see in a text: measure_rules < text */
#include <math.h>
#include <stdio.h>
#include <winnow/text.h>

int main(void)
{
    static char text[1 << 20];
    const size_t len = fread(text, 1, sizeof text, stdin);
    struct winnow_rules *rules;
    struct winnow_rules_result result;
    struct winnow_error err;
    winnow_status st = winnow_rules_open("{\"sets\": [\"gopher\", \"fineweb\"]}", &rules, &err);
    if (st == WINNOW_OK) {
        st = winnow_rules_text(rules, text, len, &result, &err);
        winnow_rules_close(rules);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < result.count; i++) {
        if (!isnan(result.values[i])) {
            (void)printf("%-28s %g\n", winnow_rules_value_name(i), result.values[i]);
        }
    }
    if (result.kept) {
        (void)printf("kept\n");
    } else {
        (void)printf("removed by %s: %g, the limit is %g\n", result.rule, result.value,
                     result.limit);
    }
    winnow_rules_result_free(&result);
    return 0;
}
