#!/usr/bin/env python3
"""Writes a GGUF file of a model folder in F32, with all else of a GGUF file of its base
(vocabulary, sizes, template), so that a fine-tuned model runs where folders do not.

    gguf_of_folder.py BASE.gguf FOLDER OUT.gguf

Needs the packages gguf, safetensors, ml_dtypes and numpy."""
import sys

import gguf
import ml_dtypes  # noqa: F401  # teaches numpy bfloat16
import numpy as np
from safetensors.numpy import load_file

from gguf_dequantise import copy_fields

LAYER = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def folder_name(name):
    """The folder's name of a GGUF tensor: blk.3.attn_q.weight."""
    parts = name.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{LAYER[parts[2]]}.{parts[3]}"
    return f"{WHOLE[parts[0]]}.{parts[1]}"


def gguf_rows(rows, heads):
    """Rotated pairs lie side by side in GGUF, half a head apart in a folder."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    reader = gguf.GGUFReader(sys.argv[1])
    weights = load_file(f"{sys.argv[2]}/model.safetensors")
    number = lambda key: int(reader.fields[f"llama.attention.{key}"].contents())
    heads = {"attn_q": number("head_count"), "attn_k": number("head_count_kv")}
    writer = gguf.GGUFWriter(sys.argv[3], "llama")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    copy_fields(reader, writer)
    for t in reader.tensors:
        values = weights.pop(folder_name(t.name)).astype(np.float32)
        kind = t.name.split(".")[2] if t.name.startswith("blk.") else ""
        if kind in heads:
            values = gguf_rows(values, heads[kind])
        if list(values.shape) != [int(n) for n in reversed(t.shape)]:
            sys.exit(f"{t.name}: {values.shape} in the folder, {list(t.shape)} in the file")
        writer.add_tensor(t.name, np.ascontiguousarray(values))
    if weights:
        sys.exit(f"the file has no place for {sorted(weights)}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{len(reader.tensors)} tensors in F32")


if __name__ == "__main__":
    main()
