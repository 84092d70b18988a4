list(APPEND WINNOW_SOURCES
  src/synth/synth_answers.c
  src/synth/synth_ask.c
  src/synth/synth_judge.c
  src/synth/synth_learn.c
  src/synth/synth_make.c
  src/synth/synth_near.c
  src/synth/synth_plan.c
  src/synth/synth_prompts.c
  src/synth/synth_prompts_builtin.c
  src/synth/synth_relations.c
  src/synth/synth_seeds.c
  src/synth/synth_sentences.c
  src/synth/synth_tasks.c
  src/synth/synth_templates.c
  src/synth/synthesize.c
)
