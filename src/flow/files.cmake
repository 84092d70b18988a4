list(APPEND WINNOW_SOURCES
  src/flow/count.c
  src/flow/eval.c
  src/flow/features.c
  src/flow/prove.c
  src/flow/report.c
  src/flow/run_recipe.c
  src/flow/stages.c
  src/flow/standard_output.c
  src/flow/tokenizer_decode.c
  src/flow/tokenizer_encode.c
  src/flow/tokenizer_train.c
  src/flow/tokens.c
  src/flow/train.c
  src/flow/train_rows.c
  src/flow/train_weights.c
)
