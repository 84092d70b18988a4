/* tokenizer_train.c -- `tokenizer train`: read, count, merge, write. */
#include "winnow/tokenizer.h"

#include "base/file.h"
#include "corpus/texts.h"
#include "option/tables.h"
#include "run/guard.h"
#include "token/tokenizer.h"

static winnow_status train(const struct tokenizer_train_options *how,
                           const struct winnow_tokenizer_train_options *opt,
                           const struct winnow_env *env, struct texts *texts, struct tokenizer **t,
                           struct winnow_error *err)
{
    TRY(tokenizer_train(how, env, texts_next_text, texts, t, err));
    TRY(texts_read(texts, texts->result->documents, err));
    TRY(tokenizer_save(*t, opt->output, err));
    return texts_end(texts, err);
}

winnow_status winnow_tokenizer_train(const struct winnow_tokenizer_train_options *opt,
                                     const struct winnow_list *paths, const struct winnow_env *env,
                                     struct winnow_text_result *result, struct winnow_error *err)
{
    static const char *const PRE[] = {"gpt2", "llama3", "qwen2"};
    static const char *const SPECIALS[] = {"<|endoftext|>"};
    struct tokenizer_train_options how = TOKENIZER_TRAIN_OPTIONS_INIT;
    how.vocab_size = opt->vocab;
    how.pre = PRE[opt->pre];
    how.count_min = opt->count_min;
    how.specials = opt->specials.count > 0 ? opt->specials : (struct winnow_list){SPECIALS, 1};
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "-o FILE says where the tokenizer.json goes");
    }
    const struct guarded what = {.paths = *paths, .files_from = opt->text.files_from};
    TRY(guard_file(opt->output, &what, &TOKENIZER_TRAIN_TABLE, opt, err));
    *result = (struct winnow_text_result){0};
    struct tokenizer *t = NULL;
    struct texts texts = {0};
    winnow_status st = texts_open(&texts, &opt->text, *paths, env, result, err);
    if (st == WINNOW_OK) {
        st = train(&how, opt, env, &texts, &t, err);
    }
    tokenizer_free(t);
    texts_release(&texts);
    return st;
}
