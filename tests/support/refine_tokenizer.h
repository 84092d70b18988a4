/* refine_tokenizer.h -- a tokenizer trained on text like programs and pages: what
 * the tests of refining speak with. */
#ifndef WINNOW_TESTS_REFINE_TOKENIZER_H
#define WINNOW_TESTS_REFINE_TOKENIZER_H

#include "check.h"
#include "token/tokenizer.h"

#define REFINE_TEXT                                                                        \
    "remove_lines(line_start=0, line_end=12)\nremove_lines(line_start=3, line_end=45)\n"   \
    "normalize(source_str=\"Click here\", target_str=\"\")\nremove_str(12, \" [edit]\")\n" \
    "replace_str(line=7, old=\"teh\", new=\"the\", all=true)\nkeep_chunk()\nkeep_doc()\n"  \
    "drop_doc()\nremove_lines(start=1, end=2)\nuntouch_doc()\n[doc]\n[000]Home\n[/doc]\n"  \
    "The cat said \"yes\", then \"no\")\". Don't! caf\xC3\xA9 caf\xC3\xA9s na\xC3\xAFve\n" \
    "remove_lines(line_start=100, line_end=999)\nremove_str(line=1, str='x')\n"

static winnow_status refine_one_text(void *ctx, struct str *text, bool *more,
                                     struct winnow_error *err)
{
    (void)err;
    bool *given = ctx;
    *more = !*given;
    *given = true;
    *text = STR_LIT(REFINE_TEXT REFINE_TEXT);
    return WINNOW_OK;
}

/* ids 0..2: <|endoftext|> (bos and eos), <|im_start|>, <|im_end|>. */
static inline struct tokenizer *refine_tokenizer(void)
{
    static const char *const SPECIALS[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    struct tokenizer_train_options options = TOKENIZER_TRAIN_OPTIONS_INIT;
    options.vocab_size = 480;
    options.specials = (struct winnow_list){SPECIALS, 3};
    struct winnow_env env = {.threads = 1};
    struct winnow_error err;
    struct tokenizer *t = NULL;
    bool given = false;
    assert_ok(tokenizer_train(&options, &env, refine_one_text, &given, &t, &err), err);
    return t;
}

#endif /* WINNOW_TESTS_REFINE_TOKENIZER_H */
