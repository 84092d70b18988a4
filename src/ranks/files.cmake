list(APPEND WINNOW_SOURCES
  src/ranks/exchange.c
  src/ranks/ranks.c
  )
