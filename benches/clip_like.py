"""Rows that vary as CLIP's image vectors do, and texts for them: what an index finds hard or easy depends on how rows lie.

usage: python clip_like.py rows|texts [COUNT]      (binary COPY data of (id, path, embedding) or (words, embedding), to be piped into psql)
       python clip_like.py describe [FILE.npy]     (prints how rows lie: these, or real ones of a file to compare them with)

A tree of Gaussians: subjects, categories of them, kinds of those, rows, each level a share of the variance. The variance of the j-th
direction falls as j^-0.85, all rows share a mean, and kinds are of uneven width. The same seed gives the same rows.
"""
import sys

import numpy as np

D, ROWS, TEXTS, PICTURES = 512, 200_000, 300, 96
MEAN, DECAY, SPREAD = 0.68, 0.85, 0.45
# Nodes and share of the variance of each level; what is left is the rows' own.
LEVELS = [(5, 0.12), (60, 0.18), (300, 0.18), (2000, 0.16)]
# Of a text: how much of it all texts share, and how much of the rest is its category's.
TEXT_MEAN, TEXT_AIM = 0.86, 0.7

DEVIATION = np.arange(1, D + 1) ** (-DECAY / 2)
DEVIATION = (DEVIATION / np.linalg.norm(DEVIATION)).astype(np.float32)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def noise(draw, count):
    return DEVIATION * draw.standard_normal((count, D), dtype=np.float32)


def tree(draw):
    """The nodes of each level."""
    levels = [np.zeros((1, D), np.float32)]
    for nodes, share in LEVELS:
        above = levels[-1]
        levels.append(above[draw.integers(0, len(above), nodes)] + np.float32(share**0.5) * noise(draw, nodes))
    return levels


def rows(count, seed=1):
    draw = np.random.default_rng(seed)
    kinds = tree(draw)[-1]
    own = np.sqrt(1 - sum(share for _, share in LEVELS)) * np.exp(draw.normal(-(SPREAD**2), SPREAD, len(kinds)))
    kind = draw.integers(0, len(kinds), count)
    x = kinds[kind] + own[kind, None].astype(np.float32) * noise(draw, count)
    x *= np.float32((1 - MEAN**2) ** 0.5)
    x[:, -1] += MEAN
    return unit(x)


def texts(count, seed=1):
    draw = np.random.default_rng(seed)
    categories = tree(draw)[3][:count]
    own = TEXT_AIM * unit(categories) + np.sqrt(1 - TEXT_AIM**2) * unit(noise(draw, len(categories)))
    x = np.float32((1 - TEXT_MEAN**2) ** 0.5) * own
    x[:, -2] += TEXT_MEAN
    return unit(x)


def copy(columns, vectors):
    """Binary COPY data: columns of texts or integers, then the vectors."""
    count, fields, values = len(vectors), [("fields", ">i2")], {"fields": len(columns) + 1}
    for i, column in enumerate(columns):
        kind = ">i8" if column.dtype.kind == "i" else column.dtype
        fields += [(f"length{i}", ">i4"), (f"value{i}", kind)]
        values |= {f"length{i}": np.dtype(kind).itemsize, f"value{i}": column}
    fields += [("length", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f4", (D,))]
    values |= {"length": 4 + 4 * D, "dimensions": D, "unused": 0, "vector": vectors}
    table = np.zeros(count, fields)
    for name, value in values.items():
        table[name] = value
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + table.tobytes() + b"\xff\xff"


def describe(x):
    """Length of the mean, spectrum, near rows and their local dimension (Levina and Bickel 2005), of 20,000 rows."""
    draw = np.random.default_rng(0)
    x = x[draw.permutation(len(x))[:20_000]]
    centred = x - x.mean(0)
    shares = np.linalg.eigvalsh(centred.T @ centred / len(x))[::-1]
    shares /= shares.sum()
    some = draw.choice(len(x), 1000, replace=False)
    near = x[some] @ x.T
    near[np.arange(len(some)), some] = -2
    near = -np.sort(-near, axis=1)[:, :200]
    distance = np.sqrt(np.maximum(2 - 2 * near, 1e-9))
    local = [1 / np.mean(np.log(distance[:, [k - 1]] / distance[:, : k - 1]).sum(1) / (k - 2)) for k in (10, 50, 200)]
    pairs = x[some] @ x[draw.choice(len(x), 1000)].T
    print(f"rows {len(x)}, length of the mean {np.linalg.norm(x.mean(0)):.2f}")
    print("share of the variance in the first 1, 10, 50, 100, 200 directions:", *(f"{shares[:k].sum():.2f}" for k in (1, 10, 50, 100, 200)))
    print("cosine to the nearest, 10th, 100th row, to any:", *(f"{np.median(near[:, k]):.2f}" for k in (0, 9, 99)), f"{np.median(pairs):.2f}")
    print("local dimension by the nearest 10, 50, 200 rows:", *(f"{dimension:.0f}" for dimension in local))


def main(what, argument=None):
    if what == "describe":
        describe(unit(np.load(argument).astype(np.float32)) if argument else rows(ROWS))
        return
    count = int(argument or (ROWS if what == "rows" else TEXTS))
    if what == "rows":
        numbers = np.arange(1, count + 1)
        paths = np.char.mod("%03d.png", numbers % PICTURES).astype("S7")
        sys.stdout.buffer.write(copy([numbers, paths], rows(count)))
    else:
        sys.stdout.buffer.write(copy([np.char.mod("category %03d", np.arange(count)).astype("S12")], texts(count)))


if __name__ == "__main__":
    main(*sys.argv[1:])
