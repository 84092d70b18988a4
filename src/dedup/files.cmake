list(APPEND WINNOW_SOURCES
  src/dedup/dedup.c
  src/dedup/dedup_exact.c
)
