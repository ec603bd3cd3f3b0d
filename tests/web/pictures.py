"""Pictures of shapes with vectors that say what they show, for a table that anybody may look at.

usage: python pictures.py DIRECTORY        (fills DIRECTORY with PNG files; prints SQL that makes the tables shapes and words)
"""
import itertools, math, pathlib, random, struct, sys, zlib

COLOURS = {"red": (205, 45, 45), "orange": (235, 140, 30), "yellow": (235, 205, 50), "green": (50, 150, 70), "blue": (45, 95, 200), "purple": (135, 65, 175)}
SHAPES = ["circle", "square", "triangle", "ring"]
GROUNDS = {"light": (244, 243, 238), "dark": (40, 44, 52)}
SIZES = {"small": 0.22, "large": 0.42}
SIDE, EACH, NOISE = 96, 3, 0.12
FEATURES = [*COLOURS, *SHAPES, *GROUNDS, *SIZES]


def inside(shape, x, y, radius):
    match shape:
        case "circle":
            return math.hypot(x, y) < radius
        case "square":
            return max(abs(x), abs(y)) < radius * 0.9
        case "triangle":
            return -radius < y < radius * 0.8 and abs(x) < (y + radius) * 0.6
        case "ring":
            return radius * 0.6 < math.hypot(x, y) < radius


def png(colour, shape, ground, size, shift):
    rows = bytearray()
    for j in range(SIDE):
        rows.append(0)
        for i in range(SIDE):
            x, y = (i + 0.5) / SIDE - 0.5 - shift[0], (j + 0.5) / SIDE - 0.5 - shift[1]
            rows += bytes(COLOURS[colour] if inside(shape, x, y, SIZES[size]) else GROUNDS[ground])
    chunk = lambda kind, data: struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack("!IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


def vector(*features, noise=None, text=False):
    """The features, and last a component that texts have and pictures have not, as in models of both."""
    values = [(feature in features) + (noise.gauss(0, NOISE) if noise else 0.0) for feature in FEATURES] + [0.8 if text else -0.4]
    length = math.sqrt(sum(value * value for value in values))
    return "[" + ",".join(f"{value / length:.6f}" for value in values) + "]"


def main(folder):
    noise = random.Random(1)
    (folder / "shapes").mkdir(parents=True, exist_ok=True)
    print(f"CREATE TABLE shapes (id int PRIMARY KEY, path text, colour text, embedding vector({len(FEATURES) + 1}));")
    every = list(itertools.product(COLOURS, SHAPES, GROUNDS, SIZES, range(EACH)))
    noise.shuffle(every)
    for number, (colour, shape, ground, size, _) in enumerate(every, 1):
        path = f"shapes/{number:03}-{size}-{colour}-{shape}.png"
        shift = (noise.uniform(-0.06, 0.06), noise.uniform(-0.06, 0.06))
        (folder / path).write_bytes(png(colour, shape, ground, size, shift))
        print(f"INSERT INTO shapes VALUES ({number}, '{path}', '{colour}', '{vector(colour, shape, ground, size, noise=noise)}');")
    texts = [(name,) for name in (*COLOURS, *SHAPES, *SIZES)] + list(itertools.product(COLOURS, SHAPES)) + list(itertools.product(SIZES, SHAPES))
    named = [(" ".join(words), words) for words in texts] + [(f"{ground} background", (ground,)) for ground in GROUNDS]
    print(f"CREATE TABLE words (word text PRIMARY KEY, embedding vector({len(FEATURES) + 1}));")
    for text, words in named:
        print(f"INSERT INTO words VALUES ('{text}', '{vector(*words, text=True)}');")
    print("CREATE INDEX ON shapes USING hnsw (embedding vector_ip_ops); ANALYZE shapes, words;")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
