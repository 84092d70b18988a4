list(APPEND WINNOW_SOURCES
  src/lines/line_backward.c
  src/lines/line_builtin.c
  src/lines/line_calibrate.c
  src/lines/line_checkpoint.c
  src/lines/line_draw.c
  src/lines/line_features.c
  src/lines/line_file.c
  src/lines/line_forward.c
  src/lines/line_model.c
  src/lines/line_pages.c
  src/lines/line_refiner.c
  src/lines/line_scan.c
  src/lines/line_structure.c
  src/lines/line_train.c
  src/lines/line_train_room.c
  src/lines/structure_lines.c
  src/lines/structure_page.c
  src/lines/structure_tokens.c
)
# The refiner that is built in: its files, as they are.
set_source_files_properties(src/lines/line_builtin.c PROPERTIES
  COMPILE_DEFINITIONS "WINNOW_LINES_MODEL=\"${CMAKE_SOURCE_DIR}/models/lines\""
  OBJECT_DEPENDS "${CMAKE_SOURCE_DIR}/models/lines/config.json;${CMAKE_SOURCE_DIR}/models/lines/model.safetensors")
