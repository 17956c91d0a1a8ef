"""Trains the paper's LSTM in PyTorch and prints real tokens per second as JSON.

    python train_reference.py DIR packed|padded float32|bfloat16 EMBEDDING HIDDEN STEPS

DIR holds captions.json and features.bin, see export.go. "packed" runs nn.LSTM on packed sequences, "padded" on padded
batches. Both compute output layer and loss on real tokens only. With bfloat16, both do so under torch.autocast.
"""
import json
import sys
import time

STARTED = time.perf_counter()

import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence

BATCH = 64


class Captioner(torch.nn.Module):
    def __init__(self, vocabulary, features, embedding, hidden):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.image = torch.nn.Linear(features, hidden)
        self.lstm = torch.nn.LSTM(embedding, hidden, batch_first=True)
        self.output = torch.nn.Linear(hidden, vocabulary)

    def forward(self, mode, features, inputs, lengths, mask):
        state = self.image(features)[None]
        words = self.embedding(inputs)
        if mode == "packed":
            packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
            return self.output(self.lstm(packed, (state, state))[0].data)
        return self.output(self.lstm(words, (state, state))[0][mask])


def batches(captions, rows):
    """Collates batches, each padded to its longest caption. The captions are shuffled already."""
    for first in range(0, len(captions) - BATCH + 1, BATCH):
        part = captions[first:first + BATCH]
        lengths = torch.tensor([len(c["ids"]) - 1 for c in part])
        ids = torch.zeros(BATCH, int(lengths.max()) + 1, dtype=torch.long)
        for i, c in enumerate(part):
            ids[i, :len(c["ids"])] = torch.tensor(c["ids"])
        mask = torch.arange(ids.shape[1] - 1)[None] < lengths[:, None]
        yield rows[[c["row"] for c in part]], ids[:, :-1], ids[:, 1:], lengths, mask


def main(folder, mode, precision, embedding, hidden, steps):
    torch.manual_seed(1)
    with open(folder + "/captions.json") as f:
        data = json.load(f)
    features = numpy.fromfile(folder + "/features.bin", dtype=numpy.float32)
    rows = torch.from_numpy(features.reshape(-1, data["features"]))
    model = Captioner(data["vocabulary"], data["features"], embedding, hidden)
    adam = torch.optim.Adam(model.parameters(), 5e-4)
    warm, tokens, first_step, began = 3, 0, None, None
    for step, (features, inputs, targets, lengths, mask) in enumerate(batches(data["captions"], rows)):
        if step == warm:
            began = time.perf_counter()
        if mode == "packed":
            targets = pack_padded_sequence(targets, lengths, batch_first=True, enforce_sorted=False).data
        else:
            targets = targets[mask]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(mode, features, inputs, lengths, mask)
            loss = torch.nn.functional.cross_entropy(logits, targets)
        adam.zero_grad()
        loss.backward()
        adam.step()
        loss.item()
        first_step = first_step or time.perf_counter() - STARTED
        if step >= warm:
            tokens += int(lengths.sum())
        if step == warm + steps - 1:
            break
    rate = tokens / (time.perf_counter() - began)
    a, best = torch.randn(2048, 2048), 0
    for _ in range(10):
        began = time.perf_counter()
        a @ a
        best = max(best, 2 * 2048**3 / (time.perf_counter() - began) / 1e9)
    print(json.dumps({"tokens_per_second": rate, "first_step": first_step, "peak_gflops": best}))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
