list(APPEND WINNOW_SOURCES
  src/rules/rules.c
  src/rules/rules_c4.c
  src/rules/rules_complete.c
  src/rules/rules_count.c
  src/rules/rules_fineweb.c
  src/rules/rules_gopher.c
  src/rules/rules_repetition.c
  src/rules/rules_stage.c
  src/rules/rules_unicode.c
  src/rules/rules_words.c
)
