list(APPEND WINNOW_SOURCES
  src/study/causal.c
  src/study/effects.c
  src/study/facts.c
  src/study/fact_counts.c
)
