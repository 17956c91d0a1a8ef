"""Times an encoder in PyTorch up to the end of each stage. Prints milliseconds an image and the peak of products as JSON.

    python profile_reference.py resnet50 WEIGHTS
    python profile_reference.py efficientnet-lite0 -

The networks are channels_last, traced, frozen and optimized for inference, and end with a mean over the places.
"""
import contextlib
import json
import statistics
import sys
import time

import torch

import features_reference

BATCHES = {"resnet50": 8, "efficientnet-lite0": 16}
REPEATS = [1, 2, 2, 3, 3, 4, 1]  # blocks in the stages of EfficientNet-Lite0
TIMES = 9


class Mean(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def parts(name, model):
    """The stages of a network, each as (name, module)."""
    if name == "resnet50":
        depths = [len(getattr(model, f"layer{i}")) for i in range(1, 5)]
        return [("conv1", torch.nn.Sequential(model.conv1, model.bn1, model.relu)), ("max pool", model.maxpool),
                *((f"layer{i}: {n} blocks", getattr(model, f"layer{i}")) for i, n in enumerate(depths, 1))]
    net = model.net
    out, at = [("stem", torch.nn.Sequential(net._conv_stem, net._bn0, net._swish))], 0
    for i, n in enumerate(REPEATS, 1):
        out.append((f"stage {i}", torch.nn.Sequential(*net._blocks[at:at + n])))
        at += n
    return out + [("head", torch.nn.Sequential(net._conv_head, net._bn1, net._swish))]


def milliseconds(*functions):
    """Medians of functions that are timed in turns, after two runs of each for nothing."""
    times = [[] for _ in functions]
    for i in range(2 + TIMES):
        for own, do in zip(times, functions):
            start = time.perf_counter()
            do()
            if i >= 2:
                own.append((time.perf_counter() - start) * 1000)
    return [statistics.median(own) for own in times]


@torch.inference_mode()
def main(name, weights):
    model, _, side = features_reference.network(name, weights)
    model = model.to(memory_format=torch.channels_last)
    images = torch.rand(BATCHES[name], 3, side, side).contiguous(memory_format=torch.channels_last)
    stages = parts(name, model)
    parts_until = []
    for i in range(len(stages)):
        part = torch.nn.Sequential(*(module for _, module in stages[:i + 1]), Mean()).eval()
        parts_until.append(torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(part, images))))
    until = [ms / len(images) for ms in milliseconds(*(lambda p=p: p(images) for p in parts_until))]
    x = torch.ones(2048, 2048)
    peak = 2 * 2048 ** 3 / milliseconds(lambda: x @ x)[0] / 1e6
    return {"stages": [stage for stage, _ in stages], "until": until, "peak": peak}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # the library prints to standard output
        result = main(*sys.argv[1:])
    print(json.dumps(result))
