list(APPEND WINNOW_SOURCES
  src/blocklist/block_address.c
  src/blocklist/block_list.c
  src/blocklist/block_sources.c
  src/blocklist/blocklist.c
)
