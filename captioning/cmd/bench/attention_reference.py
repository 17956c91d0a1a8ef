"""Trains the decoder with soft attention in PyTorch and prints real tokens per second as JSON.

    python attention_reference.py DIR EMBEDDING HIDDEN ATTENTION STEPS

DIR holds captions.json, features.bin and grids.bin, see export.go. The model is decoder.Attention: what depends on the
image alone, on all words, or on all outputs is computed once for the whole batch, as a careful PyTorch programmer
would. The loop over the words runs only over the captions that are not at their end.
"""
import json
import sys
import time

STARTED = time.perf_counter()

import numpy
import torch

from train_reference import BATCH, batches

PLACES = 49


class Captioner(torch.nn.Module):
    def __init__(self, vocabulary, channels, embedding, hidden, attention):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.image = torch.nn.Linear(channels, hidden)
        self.place = torch.nn.Linear(channels, attention)
        self.key = torch.nn.Linear(attention, attention)
        self.words = torch.nn.Linear(embedding, 4 * hidden)
        self.recurrent = torch.nn.Linear(hidden, 4 * hidden + attention, bias=False)  # gates and query
        self.context = torch.nn.Linear(attention, 4 * hidden, bias=False)
        self.score = torch.nn.Linear(attention, 1, bias=False)
        self.gate = torch.nn.Linear(hidden, 1)
        self.output = torch.nn.Linear(hidden, vocabulary)
        self.hidden = hidden

    def forward(self, features, grids, inputs, lengths):
        """Captions are sorted by length, the longest first. Returns logits [tokens, vocabulary], time-major."""
        values = torch.relu(self.place(grids))
        keys = self.key(values)
        h = c = self.image(features)
        words = self.words(self.embedding(inputs))
        outputs = []
        for t in range(inputs.shape[1]):
            n = int((lengths > t).sum())
            h, c = h[:n], c[:n]
            recurrent = self.recurrent(h)
            query = recurrent[:, 4 * self.hidden:]
            scores = self.score(torch.tanh(keys[:n] + query[:, None])).squeeze(-1)
            seen = torch.bmm(torch.softmax(scores, -1)[:, None], values[:n]).squeeze(1)
            seen = seen * torch.sigmoid(self.gate(h))
            gates = words[:n, t] + recurrent[:, :4 * self.hidden] + self.context(seen)
            i, f, g, o = gates.chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return self.output(torch.cat(outputs))


def main(folder, embedding, hidden, attention, steps):
    torch.manual_seed(1)
    with open(folder + "/captions.json") as f:
        data = json.load(f)
    features = numpy.fromfile(folder + "/features.bin", dtype=numpy.float32)
    rows = torch.from_numpy(features.reshape(-1, data["features"]))
    grids = torch.from_numpy(numpy.memmap(folder + "/grids.bin", dtype=numpy.int16, mode="c"))
    grids = grids.view(torch.bfloat16).view(-1, PLACES, data["features"])
    of = torch.arange(len(rows))
    model = Captioner(data["vocabulary"], data["features"], embedding, hidden, attention)
    adam = torch.optim.Adam(model.parameters(), 5e-4)
    warm, tokens, began = 3, 0, None
    for step, (images, inputs, targets, lengths, _) in enumerate(batches(data["captions"], of)):
        if step == warm:
            began = time.perf_counter()
        lengths, order = lengths.sort(descending=True)
        images, inputs, targets = images[order], inputs[order], targets[order]
        counts = [int((lengths > t).sum()) for t in range(inputs.shape[1])]
        targets = torch.cat([targets[:n, t] for t, n in enumerate(counts)])
        logits = model(rows[images], grids[images].float(), inputs, lengths)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        adam.zero_grad()
        loss.backward()
        adam.step()
        loss.item()
        if step >= warm:
            tokens += int(lengths.sum())
        if step == warm + steps - 1:
            break
    print(json.dumps({"tokens_per_second": tokens / (time.perf_counter() - began)}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
