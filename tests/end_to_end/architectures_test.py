"""The study as a sweep, small: five architectures, frozen and fully retrained, to their ranking."""

import json
import unittest

from ranksweep_case import LONDON_FACES, RanksweepCase

ARCHITECTURES = ["simple_cnn", "vgg16_simple", "inception_v3", "resnet50", "inception_resnet_v2"]

SWEEP = f"""
name: five
data: {{path: FACES, image_size: 75}}
grid:
  architecture: [{", ".join(ARCHITECTURES)}]
  training: [frozen, full]
training: {{epochs: 1, batch_size: 16}}
"""


class ArchitecturesTest(RanksweepCase):
    def run_all(self, sweep):
        output = self.run_sweep(sweep, ranks=2)
        self.assertIn("10 finished, 0 diverged, 0 failed", output)
        self.assert_sound()
        trained = self.query("SELECT json_extract(spec, '$.architecture'), json_extract(spec, '$.training') "
                             "FROM trial ORDER BY 1, 2")
        self.assertEqual(trained, sorted((name, mode) for name in ARCHITECTURES for mode in ("frozen", "full")))
        # Frozen without weights means random features, and that is said.
        self.assertIn("random features", output)

    def test_models_tells_what_each_costs(self):
        models = json.loads(self.ranksweep("models", "--format", "json"))
        self.assertLessEqual(set(ARCHITECTURES), {model["name"] for model in models})
        for model in models:
            self.assertLess(0, model["base_parameters"])
            self.assertLess(model["base_parameters"], model["parameters"])
            self.assertLess(4 * model["parameters"], model["memory_bytes"])
        inception = next(model for model in models if model["name"] == "inception_v3")
        self.assertEqual(inception["base_parameters"], 21_785_568)
        table = self.ranksweep("models", "--image-size", "75x75")
        self.assertIn("multiply-adds (M)", table)
        self.assertIn("inception_v3", table)

    def test_on_drawn_faces(self):
        self.run_all(self.write_sweep(SWEEP))

    @unittest.skipUnless(LONDON_FACES.exists(), f"{LONDON_FACES} is not there")
    def test_on_photographs(self):
        self.run_all(self.write_sweep(SWEEP.replace("FACES", str(LONDON_FACES))))


if __name__ == "__main__":
    unittest.main()
