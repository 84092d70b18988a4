#include "model/gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
