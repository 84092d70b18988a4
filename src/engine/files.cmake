list(APPEND WINNOW_SOURCES
  src/engine/attention.c
  src/engine/backward.c
  src/engine/batch.c
  src/engine/engine.c
  src/engine/engine_pack.c
  src/engine/examples.c
  src/engine/examples_pass.c
  src/engine/forward.c
  src/engine/generate_attention.c
  src/engine/generate_head.c
  src/engine/generate_sample.c
  src/engine/generate_schedule.c
  src/engine/generate_step.c
  src/engine/generator.c
  src/engine/head.c
  src/engine/kv_cache.c
)
