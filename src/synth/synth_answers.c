/* synth_answers.c -- see synth_answers.h. */
#include "synth/synth_answers.h"

#include "base/json_write.h"

#include <inttypes.h>

#define BYTES_A_TOKEN 4U /* where nobody counted them */

static const char *const ENDS[] = {"stopped", "cut", "loop", "refused"};

static uint64_t tokens_of(const struct synth_answer *a)
{
    return a->new_tokens > 0 ? a->new_tokens : (a->text.len + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
}

/* The tokens of the answers that an earlier process left. */
static winnow_status count_tokens(struct synth_answers *a, struct winnow_error *err)
{
    struct buf line = {0};
    struct json_parser *parser = json_parser_new();
    winnow_status st = WINNOW_OK;
    a->count = answer_store_documents(a->store);
    for (uint64_t i = 0; i < a->count && st == WINNOW_OK; i++) {
        struct synth_answer answer;
        st = synth_answers_read(a, i, &line, parser, &answer, err);
        a->new_tokens += st == WINNOW_OK ? tokens_of(&answer) : 0;
    }
    json_parser_free(parser);
    buf_release(&line);
    return st;
}

winnow_status synth_answers_open(const char *path, struct synth_answers *a,
                                 struct winnow_error *err)
{
    *a = (struct synth_answers){0};
    TRY(answer_store_open(path, &a->store, err));
    return count_tokens(a, err);
}

void synth_answers_close(struct synth_answers *a)
{
    answer_store_close(a->store);
    *a = (struct synth_answers){0};
}

winnow_status synth_answers_add(struct synth_answers *a, struct str seed, const char *prompt,
                                uint64_t sampling, const struct synth_answer *answer,
                                struct winnow_error *err)
{
    struct buf line = {0}, rest = {0};
    struct json_writer w = {.out = &rest};
    json_open(&w, '{');
    json_member_str(&w, "seed", seed);
    json_member_text(&w, "prompt", prompt);
    json_member_u64(&w, "sampling", sampling);
    json_member_text(&w, "end", ENDS[answer->end]);
    if (answer->end == SYNTH_REFUSED) {
        json_member_str(&w, "reason", answer->reason);
    } else {
        json_member_str(&w, "text", answer->text);
    }
    json_member_u64(&w, "prompt_tokens", answer->prompt_tokens);
    json_member_u64(&w, "new_tokens", answer->new_tokens);
    json_close(&w, '}');
    answer_store_line(&line, a->count, buf_str(&rest));
    winnow_status st = answer_store_add(a->store, a->count, buf_str(&line), err);
    buf_release(&line);
    buf_release(&rest);
    a->count++;
    a->new_tokens += tokens_of(answer);
    return st;
}

winnow_status synth_answers_read(const struct synth_answers *a, uint64_t number, struct buf *line,
                                 struct json_parser *parser, struct synth_answer *out,
                                 struct winnow_error *err)
{
    struct json_value root;
    struct str end = {"", 0};
    *out = (struct synth_answer){SYNTH_REFUSED, {"", 0}, {"", 0}, 0, 0};
    TRY(answer_store_read(a->store, number, line, err));
    winnow_status st = json_parse(parser, buf_str(line), &root, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "state/answers.jsonl: answer %" PRIu64, number);
    }
    (void)json_as_str(json_get(root, "end"), &end);
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        out->end = str_is(end, ENDS[i]) ? (enum synth_end)i : out->end;
    }
    (void)json_as_str(json_get(root, "text"), &out->text);
    (void)json_as_str(json_get(root, "reason"), &out->reason);
    (void)json_as_u64(json_get(root, "prompt_tokens"), &out->prompt_tokens);
    (void)json_as_u64(json_get(root, "new_tokens"), &out->new_tokens);
    return WINNOW_OK;
}
