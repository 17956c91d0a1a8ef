"""Runs self-critical training in PyTorch, rewarded by pycocoevalcap's CIDEr-D. Prints sampled captions per second as JSON.

    python selfcritical_reference.py DIR STEPS

DIR holds weights.safetensors, references.json and features.bin, see selfcritical.go. As in captionlab, a step samples 5
captions of each of 64 images, none with <pad>, <start>, <unk> or <end> as the first word; the baseline of each is the mean
reward of the image's other captions; Adam takes the step. The document frequencies are counted once.
"""
import json
import sys
import time

import numpy
import torch
from pycocoevalcap.cider.cider_scorer import CiderScorer

from generate_reference import END, FORBIDDEN, START, read_weights

IMAGES, SAMPLES, TOKENS, WARM = 64, 5, 19, 2


class Corpus(list):
    """References of a batch that count as all training images, since the scorer takes the logarithm of their number."""
    images = 0

    def __len__(self):
        return self.images


class Policy(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        vocabulary, embedding = w["embedding.weight"].shape
        hidden, features = w["image.weight"].shape
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.image = torch.nn.Linear(features, hidden)
        self.lstm = torch.nn.LSTM(embedding, hidden, batch_first=True)
        self.output = torch.nn.Linear(hidden, vocabulary)
        rename = {f"cell.{n}": f"lstm.{n}_l0" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        self.load_state_dict({rename.get(name, name): value for name, value in w.items()})

    @torch.no_grad()
    def sample(self, features):
        h = c = self.image(features)
        words, finished, out = torch.full((len(features),), START), torch.zeros(len(features), dtype=torch.bool), []
        weights = (self.lstm.weight_ih_l0, self.lstm.weight_hh_l0, self.lstm.bias_ih_l0, self.lstm.bias_hh_l0)
        for t in range(TOKENS):
            h, c = torch.lstm_cell(self.embedding(words), (h, c), *weights)
            logits = self.output(h)
            logits[:, FORBIDDEN] = -1e30
            if t == 0:
                logits[:, END] = -1e30
            words = torch.multinomial(torch.softmax(logits, 1), 1)[:, 0]
            out.append(torch.where(finished, 0, words))
            finished |= words == END
            if finished.all():
                break
        return torch.stack(out, 1)

    def losses(self, features, ids):
        """Returns the cross-entropies of the sampled words, and which position each belongs to."""
        inputs = torch.cat([torch.full((len(ids), 1), START), ids[:, :-1]], 1)
        state = self.image(features)[None]
        mask = ids != 0
        logits = self.output(self.lstm(self.embedding(inputs), (state, state))[0][mask])
        rows, places = mask.nonzero(as_tuple=True)
        forbidden = torch.zeros_like(logits, dtype=torch.bool)
        forbidden[:, FORBIDDEN] = True
        forbidden[:, END] = places == 0
        losses = torch.nn.functional.cross_entropy(logits.masked_fill(forbidden, -1e30), ids[mask], reduction="none")
        return losses, rows


def rewards(scorer, references, images, ids):
    scorer.ctest, scorer.crefs = [], Corpus()
    for i, caption in enumerate(ids.tolist()):
        text = " ".join(str(id) for id in caption if id)
        scorer.cook_append(text, references[images[i // SAMPLES]])
    return torch.tensor(numpy.array(scorer.compute_cider()), dtype=torch.float32)


def main(folder, steps):
    torch.manual_seed(1)
    references = [[" ".join(map(str, ids)) for ids in refs] for refs in json.load(open(folder + "/references.json"))]
    model = Policy(read_weights(folder + "/weights.safetensors"))
    rows = torch.from_numpy(numpy.fromfile(folder + "/features.bin", dtype=numpy.float32)
                            .reshape(-1, model.image.in_features))
    scorer = CiderScorer()
    for refs in references:
        scorer.cook_append(None, refs)
    scorer.compute_doc_freq()
    Corpus.images = len(references)
    adam = torch.optim.Adam(model.parameters(), 5e-5)
    order, captions, mean, scoring, began = torch.randperm(len(rows)), 0, 0.0, 0.0, None
    for step in range(WARM + steps):
        if step == WARM:
            began = time.perf_counter()
        images = order[step * IMAGES:(step + 1) * IMAGES]
        features = rows[images].repeat_interleave(SAMPLES, 0)
        ids = model.sample(features)
        scored = time.perf_counter()
        reward = rewards(scorer, references, images.tolist(), ids)
        scored = time.perf_counter() - scored
        groups = reward.view(-1, SAMPLES)
        advantage = (groups - (groups.sum(1, keepdim=True) - groups) / (SAMPLES - 1)).view(-1)
        losses, of = model.losses(features, ids)
        loss = (losses * advantage[of]).sum() / len(ids)
        adam.zero_grad()
        loss.backward()
        adam.step()
        loss.item()
        if step >= WARM:
            captions, mean, scoring = captions + len(ids), mean + float(reward.mean()) / steps, scoring + scored
    seconds = time.perf_counter() - began
    print(json.dumps({"captions_per_second": captions / seconds, "reward": mean, "scoring": scoring / seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
