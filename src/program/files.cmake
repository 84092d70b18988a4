list(APPEND WINNOW_SOURCES
  src/program/chunk.c
  src/program/edit.c
  src/program/line_verdicts.c
  src/program/program.c
  src/program/program_file.c
  src/program/program_gbnf.c
  src/program/program_grammar.c
  src/program/program_loop.c
  src/program/program_mask.c
  src/program/program_quote.c
  src/program/program_spelling.c
  src/program/prox.c
  src/program/token_trie.c
)
