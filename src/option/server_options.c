#include "option/server_options.h"

const char *const SERVER_KINDS[] = {"auto", "llama.cpp", "vllm", "sglang", "openai", NULL};
