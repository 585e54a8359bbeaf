#!/usr/bin/env python3
"""Classifies images with a model that `ranksweep export -o FOLDER` wrote. Needs torch, numpy and pillow.

    classify.py FOLDER/model.pt IMAGE...
"""

import json
import sys

import numpy
import torch
from PIL import Image, ImageOps


def read_image(path: str, height: int, width: int) -> torch.Tensor:
    """Upright RGB pixels [1, height, width, 3] of uint8; the model resizes them."""
    with Image.open(path) as image:
        # Large JPEG files are decoded at a fraction of their size, as in training.
        image.draft("RGB", (width, height))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return torch.from_numpy(numpy.array(upright)).unsqueeze(0)


def main() -> None:
    module, *paths = sys.argv[1:]
    model = torch.jit.load(module)
    for path in paths:
        with torch.inference_mode():
            probabilities = model(read_image(path, *model.image_size))[0]
        print(json.dumps({"image": path, **dict(zip(model.classes, probabilities.tolist()))}))


if __name__ == "__main__":
    main()
