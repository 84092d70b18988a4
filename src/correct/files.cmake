list(APPEND WINNOW_SOURCES
  src/correct/kfac.c
  src/correct/kfac_fit.c
  src/correct/lessons.c
  src/correct/passages.c
  src/correct/ranking.c
  src/correct/recall.c
  src/correct/tfidf.c
)
