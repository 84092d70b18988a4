list(APPEND WINNOW_SOURCES
  src/eval/document_score.c
  src/eval/eval_cloze.c
  src/eval/eval_file.c
  src/eval/eval_probe.c
  src/eval/eval_results.c
  src/eval/eval_score.c
  src/eval/eval_scorer.c
  src/eval/eval_suite.c
)
