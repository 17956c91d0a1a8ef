"""Writes ResNet-50 weights in torchvision's layout, and encodes images with them.

    python resnet50_reference.py weights FOLDER [IMAGES]
    python resnet50_reference.py vectors WEIGHTS IMAGES FILE

"weights" writes a whole state dict in the zip format of torch.save (resnet50.pth), in its older format
(resnet50-legacy.pth) and as resnet50.safetensors. The weights are random. Given a folder of images, batch
normalisation gets their statistics, as after training. "vectors" writes the pooled features of a folder of images as
float32, sorted by file name.
"""
import json
import pathlib
import sys

import numpy
import safetensors.torch
import torch
import torchvision
from PIL import Image
from torchvision import transforms

TRANSFORM = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(256), transforms.ToTensor(),
                                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def load(folder):
    return torch.stack([TRANSFORM(Image.open(f).convert("RGB")) for f in sorted(pathlib.Path(folder).iterdir())])


@torch.no_grad()
def weights(folder, images=None):
    torch.manual_seed(1)
    model = torchvision.models.resnet50(weights=None)
    for name, norm in model.named_modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            # A small gain of bn3, as in trained networks: each block changes its input little.
            norm.weight.uniform_(0.5, 1.5).mul_(0.2 if name.endswith("bn3") else 1)
            norm.bias.normal_(0, 0.1)
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 1.5)
            norm.momentum = None  # the statistics are the mean over all batches
    if images:
        model.train()(load(images))
    state, folder = model.state_dict(), pathlib.Path(folder)
    torch.save(state, folder / "resnet50.pth")
    torch.save(state, folder / "resnet50-legacy.pth", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(state, folder / "resnet50.safetensors")
    return {"parameters": sum(p.numel() for p in model.parameters()), "tensors": len(state)}


@torch.inference_mode()
def vectors(file, images, out):
    model = torchvision.models.resnet50(weights=None)
    model.load_state_dict(torch.load(file, weights_only=True))
    model.fc = torch.nn.Identity()
    features = model.eval()(load(images)).numpy()
    features.astype(numpy.float32).tofile(out)
    return {"images": len(features)}


if __name__ == "__main__":
    print(json.dumps({"weights": weights, "vectors": vectors}[sys.argv[1]](*sys.argv[2:])))
