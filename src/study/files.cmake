list(APPEND WINNOW_SOURCES
  src/study/answers.c
  src/study/causal.c
  src/study/causal_results.c
  src/study/effects.c
  src/study/facts.c
  src/study/fact_counts.c
  src/study/fact_state.c
)
