list(APPEND WINNOW_SOURCES
  src/mix/mix.c
  src/mix/mix_clusters.c
  src/mix/mix_file.c
  src/mix/mix_groups.c
  src/mix/mix_plan.c
  src/mix/mix_rows.c
  src/mix/mix_tell.c
  src/mix/mix_value.c
)
