list(APPEND WINNOW_SOURCES
  src/quality/auc.c
  src/quality/fasttext.c
  src/quality/fasttext_file.c
  src/quality/fasttext_matrix.c
  src/quality/fasttext_words.c
  src/quality/fasttext_write.c
  src/quality/label_of.c
  src/quality/quality.c
  src/quality/quality_examples.c
  src/quality/quality_learn.c
  src/quality/quality_lessons.c
  src/quality/quality_net.c
  src/quality/quality_pairs.c
  src/quality/quality_rate.c
  src/quality/quality_train.c
  src/quality/source_scores.c
)
