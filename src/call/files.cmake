list(APPEND WINNOW_SOURCES
  src/call/call.c
  src/call/describe.c
  src/call/page_call.c
  src/call/refine_call.c
  src/call/rules_call.c
  src/call/scorer_call.c
  src/call/stage_call.c
  src/call/tokenizer_call.c
)
