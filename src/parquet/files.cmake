list(APPEND WINNOW_SOURCES
  src/parquet/column.c
  src/parquet/decode.c
  src/parquet/guess.c
  src/parquet/json_words.c
  src/parquet/layout.c
  src/parquet/leaf_text.c
  src/parquet/row_program.c
  src/parquet/rows.c
  src/parquet/shape.c
  src/parquet/shred.c
  src/parquet/thrift.c
  src/parquet/tree.c
  src/parquet/unpack.c
  src/parquet/wide.c
  src/parquet/writer.c
)
