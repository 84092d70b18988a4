"""Every tensor of a GGUF file as winnow reads it equals gguf-py's dequantize(), bit for bit.

    python3 tests/oracle/gguf_values.py build/release/dump_engine FILE.gguf...

Needs gguf, safetensors, numpy.  The rows of q and k, which llama.cpp's converter
interleaves, are put back here by numpy's own means.
"""
import json, subprocess, sys, tempfile
from collections import Counter

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import load_file

NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}

for path in sys.argv[2:]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "convert", path, "f32", folder], check=True)
        ours = load_file(folder + "/model.safetensors")
        config = json.load(open(folder + "/config.json"))
    reader = GGUFReader(path)
    for t in reader.tensors:
        value = dequantize(t.data, t.tensor_type).astype(np.float32)
        part = t.name.split(".")
        if part[0] == "blk":
            name = f"model.layers.{part[1]}.{NAMES[part[2]]}.{part[3]}"
            heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}.get(part[2])
            if heads and config["model_type"] == "llama":
                half = value.shape[0] // heads // 2
                value = value.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(value.shape)
        else:
            name = TOP[part[0]] + "." + part[1]
        if not np.array_equal(value, ours.pop(name)):
            sys.exit(f"{path}: {t.name} differs")
    if ours:
        sys.exit(f"{path}: {sorted(ours)} came from nowhere")
    print(path.split("/")[-1], "equal:", dict(Counter(t.tensor_type.name for t in reader.tensors)))
