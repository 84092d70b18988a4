list(APPEND WINNOW_SOURCES
  src/groups/alike.c
  src/groups/choose_rows.c
  src/groups/density.c
  src/groups/diversify.c
  src/groups/diversify_find.c
  src/groups/diversify_notes.c
  src/groups/group_names.c
  src/groups/group_rows.c
  src/groups/kmeans.c
)
