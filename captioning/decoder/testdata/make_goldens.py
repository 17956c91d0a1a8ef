"""Generates torch_goldens.json: losses, gradients, and the weights after 20 Adam steps of the paper's decoder in PyTorch.
Run with torch 2.11.0 (CPU):  python make_goldens.py > torch_goldens.json

Weights and data come from a formula that torch_test.go repeats, so that only the expected numbers are stored.
"""
import json
import sys

import torch
import torch.nn as nn

V, F, E, H, B, T, STEPS = 23, 7, 5, 6, 4, 5, 20


def formula(n, salt, scale):
    """Numbers in [-scale, scale) from a 32-bit linear congruential generator (constants of Numerical Recipes)."""
    x, out = salt & 0xFFFFFFFF, []
    for _ in range(n):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        out.append((x / 2**31 - 1) * scale)
    return out


def ids(n, salt):
    return [4 + int((v + 1) / 2 * (V - 4)) for v in formula(n, salt, 1)]


class Captioner(nn.Module):
    def __init__(self, cell, image_first):
        super().__init__()
        self.image_first = image_first
        self.embedding = nn.Embedding(V, E)
        self.image = nn.Linear(F, E if image_first else H)
        self.cell = (nn.LSTM if cell == "lstm" else nn.RNN)(E, H)
        self.output = nn.Linear(H, V)
        self.lstm = cell == "lstm"

    def forward(self, features, inputs):  # inputs [T, B]
        image = self.image(features).unsqueeze(0)
        x = self.embedding(inputs)
        if self.image_first:
            out, _ = self.cell(torch.cat([image, x], 0))
            return self.output(out[1:])
        out, _ = self.cell(x, (image, image) if self.lstm else image)
        return self.output(out)


def names(model):
    short = {"cell.weight_ih_l0": "cell.weight_ih", "cell.weight_hh_l0": "cell.weight_hh",
             "cell.bias_ih_l0": "cell.bias_ih", "cell.bias_hh_l0": "cell.bias_hh"}
    return {short.get(name, name): p for name, p in model.named_parameters()}


def flat(t):
    return [float(v) for v in t.detach().flatten()]


def run(cell, image_first):
    model = Captioner(cell, image_first)
    params = names(model)
    with torch.no_grad():
        for i, name in enumerate(sorted(params)):
            p = params[name]
            p.copy_(torch.tensor(formula(p.numel(), 1000 + i, 0.5)).view_as(p))
    features = torch.tensor(formula(B * F, 1, 1.0)).view(B, F)
    inputs = torch.tensor(ids(T * B, 2)).view(T, B)
    targets = torch.tensor(ids(T * B, 3)).view(T, B)
    weights = torch.tensor([1.0 if t < 2 + b else 0.0 for t in range(T) for b in range(B)]).view(T, B)

    def loss_of():
        each = nn.functional.cross_entropy(model(features, inputs).view(T * B, V), targets.view(-1), reduction="none")
        return each, (each * weights.view(-1)).sum() / weights.sum()

    each, loss = loss_of()
    loss.backward()
    golden = {"losses": flat(each), "loss": float(loss), "gradients": {n: flat(p.grad) for n, p in params.items()}}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(STEPS):
        optimizer.zero_grad()
        _, loss = loss_of()
        loss.backward()
        optimizer.step()
    golden["after"] = {n: flat(p) for n, p in params.items()}
    golden["last_loss"] = float(loss)
    return golden


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return float(f"{x:.8g}")


if __name__ == "__main__":
    torch.manual_seed(0)
    json.dump({"made_with": "torch " + torch.__version__,
               "cases": {f"{c}{'_first' if f else ''}": rounded(run(c, f))
                         for c in ("lstm", "rnn") for f in (False, True)}}, sys.stdout)
