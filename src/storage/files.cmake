list(APPEND WINNOW_SOURCES src/storage/address.c)
if(WINNOW_HAS_STORAGE)
  list(APPEND WINNOW_SOURCES
    src/storage/ask.c
    src/storage/find.c
    src/storage/find_hf.c
    src/storage/find_s3.c
    src/storage/find_web.c
    src/storage/listing.c
    src/storage/settings.c
    src/storage/sigv4.c
    src/storage/storage_file.c
    src/storage/web_curl.c
    src/storage/web_head.c
  )
else()
  message(STATUS "no libcurl, expat or libcrypto: building without s3://, hf:// and https://")
  list(APPEND WINNOW_SOURCES src/storage/storage_none.c)
endif()
