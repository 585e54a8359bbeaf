"""Trains a small network of Keras on a folder of images, train/CLASS/* and val/CLASS/*. Needs keras with any of its
backends, and pillow."""

import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402
import numpy  # noqa: E402
from PIL import Image  # noqa: E402
from ranksweep_trainer import serve  # noqa: E402


class Report(keras.callbacks.Callback):
    """Early stopping is the coordinator's, so no EarlyStopping stands beside it."""

    def __init__(self, trial):
        super().__init__()
        self.trial = trial

    def on_train_batch_end(self, batch, logs=None):
        self.trial.progress(batch + 1, self.params["steps"])

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = not self.trial.report(
            val_loss=logs["val_loss"], val_accuracy=logs["val_accuracy"], train_loss=logs["loss"],
            train_accuracy=logs["accuracy"], save=self.model.save, suffix=".keras")


def load_split(folder, size):
    classes = sorted(path.name for path in folder.iterdir())
    files = [(file, label) for label, name in enumerate(classes) for file in sorted((folder / name).iterdir())]
    images = [numpy.asarray(Image.open(file).convert("RGB").resize((size, size)), "float32") / 255 for file, _ in files]
    return numpy.stack(images), numpy.array([label for _, label in files]), len(classes)


def make_model(wanted, classes):
    layers = keras.layers
    model = keras.Sequential([layers.Input((wanted["image_size"], wanted["image_size"], 3))])
    for filters in wanted["filters"]:
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(classes, activation="softmax"))
    model.compile(keras.optimizers.Adam(wanted["learning_rate"]), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def train(trial):
    if not trial.goes_on:
        return  # only its end was not heard of
    wanted, data = trial.parameters, Path(trial.data["path"])
    keras.utils.set_random_seed(wanted["seed"])
    images, labels, classes = load_split(data / "train", wanted["image_size"])
    validation = load_split(data / "val", wanted["image_size"])[:2]
    model = keras.models.load_model(trial.checkpoint) if trial.checkpoint else make_model(wanted, classes)
    model.fit(images, labels, batch_size=wanted["batch_size"], initial_epoch=trial.epoch, epochs=wanted["epochs"],
              validation_data=validation, callbacks=[Report(trial)], verbose=0)


serve(train)
