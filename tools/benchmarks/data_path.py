#!/usr/bin/env python3
"""Compares ranksweep's data path with torchvision's and Keras', on one thread, in the same run.

Usage: data_path.py DATA_PATH_PROGRAM FOLDER [FOLDER ...]
FOLDER holds train/CLASS/*.jpg. Needs a Python with torch, torchvision, keras, scipy, Pillow.
Each side is measured three times in turn; the best of each counts. Exit status 1 when a target is
missed: decoding 1.0 times torchvision, augmentation 5 times Keras, later epochs 10 times the first.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

os.environ["KERAS_BACKEND"] = "torch"
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
core = sorted(os.sched_getaffinity(0))[-1]
os.sched_setaffinity(0, {core})  # the program inherits it

import io  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

import scipy.ndimage  # noqa: E402

if not hasattr(scipy.ndimage, "interpolation"):
    scipy.ndimage.interpolation = scipy.ndimage
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # noqa: E402

torch.set_num_threads(1)
SIZE = (150, 150)
SECONDS = 3
TARGETS = {"decode": 1.0, "augment": 5.0, "cache": 10.0}


def images_per_second(images, body):
    start, handled = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        body()
        handled += images
    return handled / (time.perf_counter() - start)


def torchvision_decode(files):
    tensors = [torch.frombuffer(bytearray(f), dtype=torch.uint8) for f in files]

    def body():
        for tensor in tensors:
            image = torchvision.io.decode_jpeg(tensor, mode=torchvision.io.ImageReadMode.RGB)
            F.resize(image, SIZE, antialias=True)

    return images_per_second(len(files), body)


def pillow_decode(files):
    """What ImageFolder does by default, with Pillow's own scaled decoding."""

    def body():
        for file in files:
            image = Image.open(io.BytesIO(file))
            image.draft("RGB", SIZE)
            F.pil_to_tensor(F.resize(image.convert("RGB"), SIZE, antialias=True))

    return images_per_second(len(files), body)


def keras_augment(files):
    generator = ImageDataGenerator(
        rotation_range=15,
        width_shift_range=0.1,
        height_shift_range=0.1,
        zoom_range=0.1,
        horizontal_flip=True,
        data_format="channels_last",
    )
    images = [
        np.asarray(Image.open(io.BytesIO(f)).convert("RGB").resize(SIZE), dtype=np.float32)
        for f in files[:50]
    ]
    return images_per_second(
        len(images), lambda: [generator.random_transform(image) for image in images]
    )


def compare(program, folder):
    paths = sorted(pathlib.Path(folder).glob("train/*/*.jpg"))
    files = [path.read_bytes() for path in paths]
    ours, theirs = {}, {}

    def keep_best(table, results):
        for key, value in results.items():
            table[key] = max(value, table.get(key, 0))

    for _ in range(3):
        output = subprocess.run(
            [program, folder, str(SIZE[0]), str(SIZE[1])], check=True, capture_output=True, text=True
        )
        keep_best(ours, json.loads(output.stdout))
        keep_best(
            theirs,
            {
                "torchvision": torchvision_decode(files),
                "pillow": pillow_decode(files),
                "keras": keras_augment(files),
            },
        )
    fastest = max(theirs["torchvision"], theirs["pillow"])
    ratios = {
        "decode": ours["decode"] / fastest,
        "augment": ours["augment"] / theirs["keras"],
        "cache": ours["later_epochs"] / ours["first_epoch"],
    }
    size = Image.open(paths[0]).size
    print(f"{folder}: {len(files)} images, the first of {size[0]} x {size[1]}; images/s on one core")
    print(f"  decode and resize  ranksweep {ours['decode']:8.0f}   torchvision.io "
          f"{theirs['torchvision']:8.0f}   Pillow {theirs['pillow']:8.0f}   ratio {ratios['decode']:.2f}")
    print(f"  standard           ranksweep {ours['augment']:8.0f}   Keras {theirs['keras']:8.0f}   "
          f"ratio {ratios['augment']:.1f}")
    print(f"  epochs             first     {ours['first_epoch']:8.0f}   later "
          f"{ours['later_epochs']:8.0f}   ratio {ratios['cache']:.1f}")
    return all(ratios[key] >= target for key, target in TARGETS.items())


print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, core {core}")
sys.exit(0 if all([compare(sys.argv[1], folder) for folder in sys.argv[2:]]) else 1)
