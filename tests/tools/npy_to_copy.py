"""Writes a data set of .npy files as files for COPY BINARY; needs only Python's standard library.

usage: python npy_to_copy.py DATASET_DIR OUTPUT_DIR

Writes items.bin (id int, class int, embedding halfvec) and hints.bin (class int, hint halfvec), without classes that have no hint.
"""
import array
import ast
import pathlib
import struct
import sys


def load(path):
    """The dtype letter, shape and values of an array of float16 (kept as uint16), int or bool."""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + length].decode())
    code = {"<f2": "H", "<i4": "i", "|i1": "b", "|b1": "b"}[header["descr"]]
    values = array.array(code)
    values.frombytes(data[10 + length :])
    return header["shape"], values


def halfvec(halves):
    swapped = array.array("H", halves)
    if sys.byteorder == "little":
        swapped.byteswap()
    body = struct.pack(">hh", len(halves), 0) + swapped.tobytes()
    return struct.pack(">i", len(body)) + body


def integer(value):
    return struct.pack(">ii", 4, value)


def write(path, rows):
    with path.open("wb") as out:
        out.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        for fields in rows:
            out.write(struct.pack(">h", len(fields)) + b"".join(fields))
        out.write(struct.pack(">h", -1))


def main(source, target):
    (n, d), items = load(source / "items.npy")
    labels = load(source / "labels.npy")[1]
    (classes, _), hints = load(source / "hints.npy")
    hinted = load(source / "has_hint.npy")[1]
    row = lambda values, i: halfvec(values[i * d : (i + 1) * d])
    write(target / "items.bin", ([integer(i), integer(labels[i]), row(items, i)] for i in range(n)))
    write(target / "hints.bin", ([integer(c), row(hints, c)] for c in range(classes) if hinted[c]))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
