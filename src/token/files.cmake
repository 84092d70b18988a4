list(APPEND WINNOW_SOURCES
  src/token/added.c
  src/token/alphabet.c
  src/token/bpe.c
  src/token/bpe_train.c
  src/token/decode.c
  src/token/encode.c
  src/token/normalize.c
  src/token/pretoken.c
  src/token/regex.c
  src/token/scan.c
  src/token/token_file.c
  src/token/tokenizer.c
  src/token/tokenizer_json.c
  src/token/tokenizer_load.c
  src/token/tokenizer_write.c
  src/token/word_count.c
)
