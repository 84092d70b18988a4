list(APPEND WINNOW_SOURCES
  src/refine/prompt.c
  src/refine/prompt_model.c
  src/refine/refine.c
  src/refine/refine_apply.c
  src/refine/refine_ask.c
  src/refine/refine_estimate.c
  src/refine/refine_lines.c
  src/refine/refine_share.c
  src/refine/refine_sums.c
  src/refine/removed_where.c
  src/refine/verdicts.c
  src/refine/writer_builtin.c
  src/refine/writer_http.c
  src/refine/writer_verdicts.c
)
