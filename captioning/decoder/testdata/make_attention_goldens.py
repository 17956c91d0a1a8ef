"""Generates attention_goldens.json: losses, gradients, and the weights after 20 Adam steps of the attending decoders in
PyTorch. Run with torch 2.11.0 (CPU):  python make_attention_goldens.py > attention_goldens.json

Weights and data come from the formula of make_goldens.py, which attention_test.go repeats. The grids are rounded to
bfloat16, as the decoder reads them.
"""
import json
import sys

import torch
import torch.nn.functional as nnf

from make_goldens import B, E, F, H, STEPS, T, V, flat, formula, ids, rounded

PLACES, CHANNELS, SIZE = 3, 8, 10
IMAGES, ROWS = 3, [2, 0, 1, 0]  # the image of each caption

COMMON = {"embedding.weight": (V, E), "image.weight": (H, F), "image.bias": (H,), "output.weight": (V, H),
          "output.bias": (V,), "cell.weight_ih": (4 * H, E), "cell.bias_ih": (4 * H,), "cell.bias_hh": (4 * H,),
          "cell.query_weight": (SIZE, H), "cell.score": (SIZE,), "cell.place_weight": (SIZE, CHANNELS),
          "cell.place_bias": (SIZE,), "cell.key_weight": (SIZE, SIZE), "cell.key_bias": (SIZE,)}
SHAPES = {
    "attention": COMMON | {"cell.weight_hh": (4 * H, H), "cell.weight_ch": (4 * H, SIZE), "cell.gate_weight": (H,),
                           "cell.gate_bias": (1,)},
    "top-down": COMMON | {"cell.weight_hh": (4 * H, 2 * H), "cell.mean_weight": (4 * H, SIZE),
                          "cell.language_ih": (4 * H, SIZE + H), "cell.language_hh": (4 * H, H),
                          "cell.language_bias": (4 * H,)},
}


def lstm(gates, c):
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def attend(w, keys, values, query):
    scores = torch.tanh(keys + query.unsqueeze(1)) @ w["cell.score"]
    weights = torch.softmax(scores, -1)
    return weights, (weights.unsqueeze(-1) * values).sum(1)


def forward(cell, w, features, grids, inputs):
    """Returns logits [T, B, V] and the weights of the places [T, B, PLACES]."""
    values = torch.relu(nnf.linear(grids, w["cell.place_weight"], w["cell.place_bias"]))[ROWS]
    keys = nnf.linear(values, w["cell.key_weight"], w["cell.key_bias"])
    image = nnf.linear(features, w["image.weight"], w["image.bias"])
    words = nnf.linear(w["embedding.weight"][inputs], w["cell.weight_ih"], w["cell.bias_ih"] + w["cell.bias_hh"])
    outputs, looks = [], []
    h = c = h1 = c1 = image
    for t in range(T):
        if cell == "attention":
            weights, context = attend(w, keys, values, nnf.linear(h, w["cell.query_weight"]))
            gate = torch.sigmoid(h @ w["cell.gate_weight"] + w["cell.gate_bias"]).unsqueeze(-1)
            h, c = lstm(words[t] + nnf.linear(h, w["cell.weight_hh"])
                        + nnf.linear(gate * context, w["cell.weight_ch"]), c)
        else:
            h1, c1 = lstm(words[t] + nnf.linear(torch.cat([h1, h], -1), w["cell.weight_hh"])
                          + nnf.linear(values.mean(1), w["cell.mean_weight"]), c1)
            weights, context = attend(w, keys, values, nnf.linear(h1, w["cell.query_weight"]))
            h, c = lstm(nnf.linear(torch.cat([context, h1], -1), w["cell.language_ih"], w["cell.language_bias"])
                        + nnf.linear(h, w["cell.language_hh"]), c)
        outputs.append(h)
        looks.append(weights)
    return nnf.linear(torch.stack(outputs), w["output.weight"], w["output.bias"]), torch.stack(looks)


def run(cell, regulariser):
    shapes = SHAPES[cell]
    w = {}
    for i, name in enumerate(sorted(shapes)):
        size = 1
        for d in shapes[name]:
            size *= d
        w[name] = torch.tensor(formula(size, 1000 + i, 0.5)).view(shapes[name]).requires_grad_()
    features = torch.tensor(formula(B * F, 1, 1.0)).view(B, F)
    grids = torch.tensor(formula(IMAGES * PLACES * CHANNELS, 4, 2.0)).view(IMAGES, PLACES, CHANNELS).bfloat16().float()
    inputs = torch.tensor(ids(T * B, 2)).view(T, B)
    targets = torch.tensor(ids(T * B, 3)).view(T, B)
    weights = torch.tensor([1.0 if t < 2 + b else 0.0 for t in range(T) for b in range(B)]).view(T, B)

    def loss_of():
        logits, looks = forward(cell, w, features, grids, inputs)
        each = nnf.cross_entropy(logits.view(T * B, V), targets.view(-1), reduction="none")
        penalty = (1 - (looks * weights.unsqueeze(-1)).sum(0)).square().sum()
        return each, looks, ((each * weights.view(-1)).sum() + regulariser * penalty) / weights.sum()

    each, looks, loss = loss_of()
    loss.backward()
    golden = {"losses": flat(each), "attention": flat(looks), "loss": float(loss),
              "gradients": {n: flat(p.grad) for n, p in w.items()}}
    optimizer = torch.optim.Adam(w.values(), lr=1e-2)
    for _ in range(STEPS):
        optimizer.zero_grad()
        _, _, loss = loss_of()
        loss.backward()
        optimizer.step()
    golden["after"] = {n: flat(p) for n, p in w.items()}
    golden["last_loss"] = float(loss)
    return golden


json.dump({"made_with": "torch " + torch.__version__,
           "cases": {f"{c}{'_regularised' if r else ''}": rounded(run(c, r)) for c in SHAPES for r in (0, 0.7)}},
          sys.stdout)
