list(APPEND WINNOW_SOURCES
  src/prove/arm_job.c
  src/prove/arm_sources.c
  src/prove/arm_way.c
  src/prove/draw.c
  src/prove/experiment.c
  src/prove/measures.c
  src/prove/preparation.c
  src/prove/results.c
  src/prove/results_ways.c
  src/prove/results_words.c
  src/prove/schedule.c
  src/prove/select_job.c
  src/prove/stats.c
  src/prove/texts.c
  src/prove/yardstick.c
)
