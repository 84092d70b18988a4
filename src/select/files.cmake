list(APPEND WINNOW_SOURCES
  src/select/choice.c
  src/select/facility.c
  src/select/loss_drop.c
  src/select/nnls.c
  src/select/pursuit.c
  src/select/pursuit_columns.c
  src/select/pursuit_step.c
  src/select/rankings.c
  src/select/rounds.c
  src/select/select.c
  src/select/select_selector.c
  src/select/select_story.c
  src/select/subspace.c
)
