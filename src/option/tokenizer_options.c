/* tokenizer_options.c -- the tables of `tokenizer train`, `encode` and `decode`. */
#include "winnow/tokenizer.h"

#include "option/tables.h"
#include "option/text_options.h"

static const char *const PRE[] = {"gpt2", "llama3", "qwen2", NULL};
static const char *const FORMATS[] = {"auto", "jsonl", "npy", "llmc", "megatron", "nanogpt", NULL};

static const struct option TRAIN[] = {
    OPT_OUTPUT(struct winnow_tokenizer_train_options, output, "FILE",
               "the tokenizer.json to write"),
    OPT_U32(0, "vocab", struct winnow_tokenizer_train_options, vocab, 257, 1 << 24,
            "tokens, the 256 bytes and the special ones included"),
    OPT_ENUM(0, "pre", struct winnow_tokenizer_train_options, pre, PRE,
             "how text is cut into words"),
    OPT_COUNT(0, "count-min", struct winnow_tokenizer_train_options, count_min, 1, 1e18,
              "pairs seen less often are not merged"),
    OPT_LIST(0, "special", struct winnow_tokenizer_train_options, specials, "TOKEN",
             "special tokens with ids 0, 1, ... (default: <|endoftext|>)"),
    TEXT_OPTIONS(struct winnow_tokenizer_train_options),
    OPT_END,
};

const struct option_table TOKENIZER_TRAIN_TABLE = {
    .command = "tokenizer train",
    .summary = "learn a byte-level BPE vocabulary from a corpus",
    .usage = "[options] CORPUS... -o tokenizer.json",
    .example = "  winnow tokenizer train corpus/ --vocab 8192 -o tokenizer.json\n"
               "  winnow tokenizer train corpus/ --pre llama3 --special '<s>,</s>' -o t.json\n",
    .options = TRAIN,
    .defaults = &WINNOW_TOKENIZER_TRAIN_OPTIONS_INIT,
    .size = sizeof(struct winnow_tokenizer_train_options),
};

static const struct option ENCODE[] = {
    OPT_FILE('t', "tokenizer", struct winnow_tokenizer_encode_options, tokenizer,
             "tokenizer.json, or a folder that holds one (or GPT-2's two files)"),
    OPT_OUTPUT(struct winnow_tokenizer_encode_options, output, "FILE",
               "where the ids go; -: JSON lines on standard output"),
    OPT_ENUM(0, "format", struct winnow_tokenizer_encode_options, format, FORMATS,
             "auto: .npy is NumPy, .bin llm.c, all else JSON lines; nanogpt: ids without a header"),
    OPT_FLAG(0, "separate", struct winnow_tokenizer_encode_options, separate,
             "token files: one end-of-text token a document (before it for llm.c, else behind)"),
    OPT_FLAG(0, "template", struct winnow_tokenizer_encode_options, bos_eos,
             "put the tokenizer's own bos and eos around each document"),
    OPT_FLAG(0, "specials", struct winnow_tokenizer_encode_options, specials,
             "take \"<s>\" in a text as the special token, not as text"),
    TEXT_OPTIONS(struct winnow_tokenizer_encode_options),
    OPT_END,
};

const struct option_table TOKENIZER_ENCODE_TABLE = {
    .command = "tokenizer encode",
    .summary = "turn documents into token ids, for trainers or as JSON lines",
    .usage = "[options] -t TOKENIZER CORPUS...",
    .example =
        "  winnow tokenizer encode -t tokenizer.json corpus/ | head   # JSON lines\n"
        "  winnow tokenizer encode -t gpt2/ corpus/ -o train.bin      # llm.c\n"
        "  winnow tokenizer encode -t model/ corpus/ -o train.npy     # NumPy\n"
        "  winnow tokenizer encode -t model/ corpus/ --format megatron -o train\n"
        "  winnow tokenizer encode -t gpt2/ runs/mix --format nanogpt -o train.bin\n"
        "  winnow tokenizer encode -t gpt2/ runs/mix/stages/01-mix/aside --format nanogpt -o "
        "val.bin\n",
    .options = ENCODE,
    .defaults = &WINNOW_TOKENIZER_ENCODE_OPTIONS_INIT,
    .size = sizeof(struct winnow_tokenizer_encode_options),
};

static const struct option DECODE[] = {
    OPT_FILE('t', "tokenizer", struct winnow_tokenizer_decode_options, tokenizer,
             "tokenizer.json, or a folder that holds one (or GPT-2's two files)"),
    OPT_FLAG(0, "plain", struct winnow_tokenizer_decode_options, plain,
             "write the texts alone, one after the other"),
    OPT_FLAG(0, "specials", struct winnow_tokenizer_decode_options, specials,
             "keep special tokens in the text"),
    OPT_END,
};

const struct option_table TOKENIZER_DECODE_TABLE = {
    .command = "tokenizer decode",
    .summary = "turn token ids back into text",
    .usage = "[options] -t TOKENIZER FILE...",
    .example = "  winnow tokenizer encode -t gpt2/ corpus/ | winnow tokenizer decode -t gpt2/ -\n"
               "  echo '[15496, 995]' | winnow tokenizer decode -t gpt2/ --plain -\n",
    .options = DECODE,
    .defaults = &WINNOW_TOKENIZER_DECODE_OPTIONS_INIT,
    .size = sizeof(struct winnow_tokenizer_decode_options),
};
