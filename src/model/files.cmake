list(APPEND WINNOW_SOURCES
  src/model/config.c
  src/model/config_json.c
  src/model/gguf.c
  src/model/gguf_model.c
  src/model/model.c
  src/model/model_file.c
  src/model/model_path.c
  src/model/model_source.c
  src/model/safetensors.c
  src/model/tensor_type.c
)
# Every number of a model passes through these loops when it is loaded: -O2 of gcc 12
# vectorizes none of them.
set_source_files_properties(src/model/tensor_type.c PROPERTIES COMPILE_OPTIONS -O3)
