list(APPEND WINNOW_SOURCES
  src/leak/decontaminate.c
  src/leak/leak_cluster.c
  src/leak/leak_cut.c
  src/leak/leak_index.c
  src/leak/leak_items.c
  src/leak/leak_judge.c
  src/leak/leak_notes.c
  src/leak/leak_shapes.c
  src/leak/leak_shares.c
  src/leak/leak_test.c
  src/leak/leak_words.c
)
