list(APPEND WINNOW_SOURCES
  src/train/checkpoint.c
  src/train/example_text.c
  src/train/fit.c
  src/train/loop.c
  src/train/lora.c
  src/train/lora_file.c
  src/train/muon.c
  src/train/packer.c
  src/train/small_model.c
  src/train/step.c
  src/train/trainer.c
  src/train/tune.c
  src/train/tune_plan.c
  src/train/value.c
  src/train/weights_file.c
)
