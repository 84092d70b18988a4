/* quality_judge.h -- judgements of pages in pairs from a large model.
 *
 * An expert behind a completion server is asked which of two pages is the better one to learn
 * from (src/teach/judge_question.h has the question).  The folder of output holds
 *
 *     pairs.jsonl     {"a": ID, "b": ID, "better": "a"}, for `quality train --pairs`
 *     answers.jsonl   every answer as it came; appended as answers come
 *     judge.json      counts and settings, last
 *
 * Killed at any moment, the same call goes on: what was answered is not asked again. */
#ifndef WINNOW_QUALITY_JUDGE_H
#define WINNOW_QUALITY_JUDGE_H

#include "winnow/server.h"
#include "winnow/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_quality_judge_options {
    struct winnow_server_options server;
    struct winnow_text_options text;
    const char *output;     /* folder */
    uint64_t pairs;         /* judgements wanted */
    uint64_t pages;         /* drawn from the corpus to make pairs of; 0: two a judgement */
    uint32_t page_tokens;   /* shown of a page (three bytes count as one) */
    uint32_t answer_tokens; /* the longest answer */
    bool both_orders;       /* asked twice, each page once in front; "same" where they differ */
};
#define WINNOW_QUALITY_JUDGE_OPTIONS_INIT                                           \
    (WINNOW_NEW(winnow_quality_judge_options){.server = WINNOW_SERVER_OPTIONS_INIT, \
                                              .text = WINNOW_TEXT_OPTIONS_INIT,     \
                                              .pairs = 1000,                        \
                                              .page_tokens = 1000,                  \
                                              .answer_tokens = 512})

struct winnow_quality_judge_result {
    struct winnow_text_result text;
    uint64_t pages; /* drawn */
    uint64_t pairs; /* judged */
    uint64_t same;  /* of them: neither is better */
    uint64_t split; /* of them: another answer in the other order */
    uint64_t unread;
    uint64_t first; /* answers for the page that stood first, of those for one */
    uint64_t for_one;
    uint64_t answers, answers_cut, answers_refused;
    uint64_t answers_found; /* of them: from an interrupted call */
    uint64_t retries;
    uint64_t prompt_tokens, answer_tokens; /* as the server counts them */
};

WINNOW_API winnow_status winnow_quality_judge(const struct winnow_quality_judge_options *opt,
                                              const struct winnow_list *paths,
                                              const struct winnow_env *env,
                                              struct winnow_quality_judge_result *result,
                                              struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_QUALITY_JUDGE_H */
