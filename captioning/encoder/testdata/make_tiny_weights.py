"""Writes tiny.pth and tiny_legacy.pth: two tensors in each of PyTorch's formats. The files come from torch 2.11.0."""
import collections
import pathlib

import torch

state = collections.OrderedDict()
state["a.weight"] = torch.arange(6, dtype=torch.float32).reshape(2, 3).t()  # not row-major
state["a.bias"] = torch.tensor([0.5, -0.5], dtype=torch.float16)
here = pathlib.Path(__file__).parent
torch.save(state, here / "tiny.pth")
torch.save(state, here / "tiny_legacy.pth", _use_new_zipfile_serialization=False)
