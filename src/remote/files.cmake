list(APPEND WINNOW_SOURCES
  src/remote/answer_store.c
  src/remote/completion.c
  src/remote/completion_address.c
  src/remote/completion_client.c
  src/remote/prompt_scores.c
  src/remote/secrets.c
  src/remote/server.c
)
if(CURL_FOUND)
  list(APPEND WINNOW_SOURCES src/remote/transport_curl.c)
else()
  message(STATUS "no libcurl (libcurl4-openssl-dev): building without completion servers")
  list(APPEND WINNOW_SOURCES src/remote/transport_none.c)
endif()
