"""tools/convert_weights.py against the packages whose weights it converts."""

import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import warnings

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy  # noqa: E402
import timm  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

CONVERTER = pathlib.Path(__file__).resolve().parents[3] / "tools/convert_weights.py"
SIZE = 96


class ConvertWeightsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "weights.safetensors"
        torch.manual_seed(0)

    def convert(self, source, architecture, *options):
        command = [sys.executable, CONVERTER, source, "--architecture", architecture, "-o", self.output]
        return subprocess.run([*command, *options], capture_output=True, text=True)

    def converted(self, source, architecture, *options):
        result = self.convert(source, architecture, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return load_file(self.output)

    def assert_same_base(self, tensors, network, classifier):
        expected = {n: t for n, t in network.state_dict().items() if not n.startswith(classifier)}
        self.assertEqual(tensors.keys(), expected.keys())
        for name, tensor in expected.items():
            self.assertTrue(torch.equal(tensors[name], tensor), name)

    def test_torchvision_safetensors(self):
        network = torchvision.models.resnet50()
        save_file(network.state_dict(), self.folder / "resnet50.safetensors")
        tensors = self.converted(self.folder / "resnet50.safetensors", "resnet50")
        self.assert_same_base(tensors, network, "fc.")

    def test_half_precision_becomes_single(self):
        network = torchvision.models.vgg16().features
        halves = {"features." + name: t.half() for name, t in network.state_dict().items()}
        save_file(halves, self.folder / "half.safetensors")
        tensors = self.converted(self.folder / "half.safetensors", "vgg16")
        self.assertEqual({t.dtype for t in tensors.values()}, {torch.float32})

    def test_pickles_are_refused_unless_allowed(self):
        network = timm.create_model("inception_resnet_v2")
        source = self.folder / "weights.pth"
        torch.save(network.state_dict(), source)
        result = self.convert(source, "inception_resnet_v2")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("--allow-pickle", result.stderr)
        self.assertFalse(self.output.exists())
        tensors = self.converted(source, "inception_resnet_v2", "--allow-pickle")
        self.assert_same_base(tensors, network, "classif.")

    def keras_file(self, network):
        """Random statistics too: fresh ones are zeros and ones, which would hide a mistake."""
        random = numpy.random.default_rng(0)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                weights = [random.uniform(-0.1, 0.1, w.shape) for w in layer.get_weights()]
                weights[-1] = random.uniform(0.8, 1.2, weights[-1].shape)
                layer.set_weights(weights)
        network.save(self.folder / "keras.h5")
        return self.folder / "keras.h5"

    def assert_same_features(self, keras_network, features, tolerance):
        images = numpy.random.default_rng(1).uniform(-1, 1, (2, SIZE, SIZE, 3)).astype(numpy.float32)
        expected = keras_network.predict(images, verbose=0).transpose(0, 3, 1, 2)
        with torch.no_grad():
            ours = features(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        self.assertEqual(ours.shape, expected.shape)
        self.assertLess(numpy.abs(ours - expected).max() / numpy.abs(expected).max(), tolerance)

    def test_keras_vgg16(self):
        network = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
        tensors = self.converted(self.keras_file(network), "vgg16")
        ours = torchvision.models.vgg16().eval()
        ours.load_state_dict(tensors, strict=False)
        self.assert_same_features(network, ours.features, 1e-4)

    def test_keras_inception_resnet_v2(self):
        network = keras.applications.InceptionResNetV2(
            weights=None, include_top=False, input_shape=(SIZE, SIZE, 3)
        )
        tensors = self.converted(self.keras_file(network), "inception_resnet_v2")
        ours = timm.create_model("inception_resnet_v2").eval()
        missing = ours.load_state_dict(tensors, strict=False)
        self.assertEqual(missing.unexpected_keys, [])
        self.assert_same_features(network, ours.forward_features, 1e-4)

    def test_keras_inception_v3(self):
        network = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
        tensors = self.converted(self.keras_file(network), "inception_v3")
        ours = timm.create_model("inception_v3").eval()
        missing = ours.load_state_dict(tensors, strict=False)
        self.assertEqual(missing.unexpected_keys, [])

        # Keras leaves padding out of the mean, which the networks of PyTorch do not.
        average = torch.nn.functional.avg_pool2d

        def features(images):
            keras_way = functools.partial(average, count_include_pad=False)
            with unittest.mock.patch("torch.nn.functional.avg_pool2d", keras_way):
                return ours.forward_features(images)

        self.assert_same_features(network, features, 1e-4)

    def test_keras_resnet50_is_another_network(self):
        source = self.folder / "keras.h5"
        source.write_bytes(b"")
        self.assertIn("take torchvision's", self.convert(source, "resnet50").stderr)


if __name__ == "__main__":
    unittest.main()
