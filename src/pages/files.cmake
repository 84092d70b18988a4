list(APPEND WINNOW_SOURCES
  src/pages/charset.c
  src/pages/charset_decode.c
  src/pages/charset_prescan.c
  src/pages/charset_tables.c
  src/pages/extract.c
  src/pages/html.c
  src/pages/html_structure.c
  src/pages/html_entities.c
  src/pages/html_tags.c
  src/pages/http.c
  src/pages/line_builder.c
  src/pages/mime.c
  src/pages/page_extract.c
  src/pages/page_reader.c
  src/pages/plain_text.c
  src/pages/warc.c
)
