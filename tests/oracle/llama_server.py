#!/usr/bin/env python3
"""llama.cpp's server on loopback, out of the package xllamacpp (its wheel holds the
server's own code).   llama_server.py MODEL.gguf ADDRESS_FILE [PARALLEL [CONTEXT [THREADS]]]

Writes its address and runs until it is killed or whoever started it ends."""
import os
import sys
import threading
import time

import xllamacpp


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    parent = os.getppid()
    p = xllamacpp.CommonParams()
    p.model.path = sys.argv[1]
    p.n_parallel = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    p.n_ctx = p.n_parallel * (int(sys.argv[4]) if len(sys.argv) > 4 else 2048)
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(sys.argv[5]) if len(sys.argv) > 5 else os.cpu_count()
    # Keys and values in full precision, as our engine keeps them.
    p.cache_type_k = p.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    p.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    p.endpoint_props = True
    p.port = 0
    server = xllamacpp.Server(p)
    with open(sys.argv[2] + ".tmp", "w") as f:
        f.write(server.listening_address)
    os.replace(sys.argv[2] + ".tmp", sys.argv[2])
    while os.getppid() == parent:
        time.sleep(0.5)


if __name__ == "__main__":
    main()
