"""Runs batched greedy and beam search in PyTorch. Prints captions per second and the captions as JSON.

    python generate_reference.py DIR

DIR holds weights.safetensors, words.txt and features.bin, see generate.go. As in captionlab, the search never chooses
<pad>, <start> or <unk>, nor <end> as the first word.
"""
import json
import struct
import sys
import time

import numpy
import torch

WORDS, BEAM, END, START = 20, 5, 2, 1
FORBIDDEN = [0, 1, 3]


def read_weights(path):
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            array = numpy.frombuffer(data[8 + size + begin:8 + size + end], dtype=numpy.float32)
            out[name.removeprefix("model/")] = torch.from_numpy(array.reshape(entry["shape"]).copy())
    return out


class Captioner(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        vocabulary, embedding = w["embedding.weight"].shape
        hidden, features = w["image.weight"].shape
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.image = torch.nn.Linear(features, hidden)
        self.cell = torch.nn.LSTMCell(embedding, hidden)
        self.output = torch.nn.Linear(hidden, vocabulary)
        self.load_state_dict(w)

    def log_probs(self, words, h, c, first):
        h, c = self.cell(self.embedding(words), (h, c))
        logits = self.output(h)
        logits[:, FORBIDDEN] = -1e30
        if first:
            logits[:, END] = -1e30
        return torch.log_softmax(logits, 1), h, c

    def greedy(self, features):
        h = c = self.image(features)
        n = len(features)
        words, finished, out = torch.full((n,), START), torch.zeros(n, dtype=torch.bool), []
        for t in range(WORDS):
            scores, h, c = self.log_probs(words, h, c, t == 0)
            words = scores.argmax(1)
            out.append(torch.where(finished, END, words))
            finished |= words == END
            if finished.all():
                break
        return torch.stack(out, 1)

    def beam(self, features):
        n = len(features)
        h = c = self.image(features).repeat_interleave(BEAM, 0)
        words = torch.full((n * BEAM,), START)
        totals = torch.full((n, BEAM), -1e30)
        totals[:, 0] = 0
        finished = torch.zeros(n, BEAM, dtype=torch.bool)
        tokens = torch.zeros(n, BEAM, 0, dtype=torch.long)
        base = torch.arange(n)[:, None] * BEAM
        for t in range(WORDS):
            scores, h, c = self.log_probs(words, h, c, t == 0)
            vocabulary = scores.shape[1]
            scores = scores.view(n, BEAM, vocabulary)
            scores[finished] = -1e30
            scores[:, :, END][finished] = 0
            totals, index = (scores + totals[:, :, None]).view(n, -1).topk(BEAM, 1)
            parent, word = index // vocabulary, index % vocabulary
            rows = (base + parent).view(-1)
            h, c = h[rows], c[rows]
            finished = finished.gather(1, parent) | (word == END)
            tokens = torch.cat([tokens.gather(1, parent[:, :, None].expand(-1, -1, t)), word[:, :, None]], 2)
            words = word.view(-1)
            if finished.all():
                break
        return tokens[:, 0]


@torch.inference_mode()
def main(folder):
    words = open(folder + "/words.txt", encoding="utf-8").read().split("\n")[:-1]
    model = Captioner(read_weights(folder + "/weights.safetensors")).eval()
    features = numpy.fromfile(folder + "/features.bin", dtype=numpy.float32)
    rows = torch.from_numpy(features.reshape(-1, model.image.in_features))

    def text(ids):
        ids = ids.tolist()
        return " ".join(words[i] for i in (ids[:ids.index(END)] if END in ids else ids))

    out = {}
    for name, captions, search in (("greedy", "captions", model.greedy), ("beam", "beams", model.beam)):
        def run(size):
            began = time.perf_counter()
            done = [search(part) for part in rows.split(size)]
            return len(rows) / (time.perf_counter() - began), done

        run(100)
        size = max((100, 250, 1000), key=lambda s: run(s)[0])
        best = max((run(size) for _ in range(2)), key=lambda r: r[0])
        out[name] = best[0]
        out[captions] = [text(ids) for part in best[1] for ids in part]
    print(json.dumps(out))


if __name__ == "__main__":
    main(sys.argv[1])
