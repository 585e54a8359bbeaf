#!/usr/bin/env python3
"""Writes keras_transforms.json: what Keras makes of small images, for transforms_test.cc.

Usage: make_reference.py OUTPUT.json, in a Python that has keras, torch and scipy.
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np  # noqa: E402
import scipy.ndimage  # noqa: E402
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # noqa: E402

if not hasattr(scipy.ndimage, "interpolation"):  # the name that Keras calls scipy by
    scipy.ndimage.interpolation = scipy.ndimage

SIZE = 8
GEOMETRY = [
    {"theta": 25.0},
    {"tx": 1.75, "ty": -2.5},
    {"shear": 20.0},
    {"zx": 0.7, "zy": 1.4},
    {"theta": -37.0, "tx": 3.1, "ty": 1.3, "shear": -12.0, "zx": 1.5, "zy": 1.2},
    {"theta": 80.0, "tx": -9.3, "ty": 12.6, "zx": 2.3, "zy": 0.6, "flip_horizontal": True},
]
COLOUR = [
    {"flip_vertical": True, "channel_shift_intensity": 40.0},
    {"channel_shift_intensity": -75.5},
    {"brightness": 1.45},
    {"theta": 10.0, "channel_shift_intensity": 20.0, "brightness": 0.6},
]


def image():
    """The image of the test: values of a linear congruential generator."""
    state, values = 1, []
    for _ in range(SIZE * SIZE * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return np.array(values, dtype=np.float32).reshape(SIZE, SIZE, 3)


def transform(parameters, fill_mode):
    generator = ImageDataGenerator(
        fill_mode=fill_mode, cval=55.0, data_format="channels_last"
    )
    generator.interpolation_order = 1
    result = generator.apply_transform(image(), parameters)
    return [round(float(value), 3) for value in result.flatten()]


cases = [
    {"fill_mode": mode, "parameters": p, "pixels": transform(p, mode)}
    for p, modes in [(p, ["nearest", "constant", "reflect", "wrap"]) for p in GEOMETRY]
    + [(p, ["nearest"]) for p in COLOUR]
    for mode in modes
]
with open(sys.argv[1], "w") as file:
    json.dump({"size": SIZE, "fill_value": 55.0, "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
