#!/usr/bin/env python3
"""Writes a GGUF file with every tensor dequantised to F32, all else as it was, so
that two engines compute from the same numbers.   gguf_dequantise.py IN OUT

Needs the packages gguf and numpy."""
import sys

import gguf
import numpy as np


def copy_fields(reader, writer):
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type",
                                                 "general.quantization_version"):
            continue
        kind = field.types[0]
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_key_value(name, field.contents(), kind, field.types[-1])
        else:
            writer.add_key_value(name, field.contents(), kind)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    reader = gguf.GGUFReader(sys.argv[1])
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(sys.argv[2], architecture)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    copy_fields(reader, writer)
    for t in reader.tensors:
        values = gguf.dequantize(t.data, t.tensor_type).astype(np.float32)
        writer.add_tensor(t.name, values.reshape([int(n) for n in reversed(t.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{len(reader.tensors)} tensors of {architecture} in F32")


if __name__ == "__main__":
    main()
