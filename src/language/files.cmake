list(APPEND WINNOW_SOURCES
  src/language/cld2.cc
  src/language/identify.c
  src/language/language.c
)
