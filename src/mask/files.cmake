list(APPEND WINNOW_SOURCES
  src/mask/mask.c
  src/mask/mask_card.c
  src/mask/mask_email.c
  src/mask/mask_find.c
  src/mask/mask_ip.c
  src/mask/mask_phone.c
  src/mask/mask_url.c
)
