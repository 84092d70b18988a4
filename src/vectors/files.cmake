list(APPEND WINNOW_SOURCES
  src/vectors/corpus_rows.c
  src/vectors/feature_texts.c
  src/vectors/features.c
  src/vectors/features_models.c
  src/vectors/features_rows.c
  src/vectors/ngram_store.c
  src/vectors/ngrams.c
  src/vectors/projections.c
  src/vectors/store.c
  src/vectors/store_write.c
  src/vectors/vector_rows.c
)
