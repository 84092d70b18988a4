list(APPEND WINNOW_SOURCES
  src/prune/band.c
  src/prune/band_selector.c
  src/prune/holdout.c
  src/prune/least_draws.c
  src/prune/model_speed.c
  src/prune/prune.c
  src/prune/prune_attribute.c
  src/prune/prune_estimate.c
  src/prune/prune_groups.c
  src/prune/prune_reference.c
  src/prune/prune_survey.c
  src/prune/score.c
  src/prune/scoring.c
  src/prune/server_ask.c
  src/prune/server_scores.c
  src/prune/selector.c
)
