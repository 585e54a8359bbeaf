// Holds our architectures to the networks they are named after. reference/*.json are digests that
// make_reference.py wrote; with .venv-tests there, the networks themselves run and every number is
// compared. docs/parity.md is made from the properties recorded here.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/temporary_folder.h"
#include "worker/models/model.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

constexpr int kBatch = 3;
constexpr int kClasses = 10;
constexpr double kLogitsTolerance = 1e-4;
constexpr double kGradientTolerance = 1e-3;

const fs::path kFolder = fs::path(RANKSWEEP_SOURCE_DIR) / "tests/worker/parity";
const fs::path kPython = fs::path(RANKSWEEP_SOURCE_DIR) / ".venv-tests/bin/python";

struct Case {
  const char* architecture;
  int size;

  std::string name() const { return std::string(architecture) + "_" + std::to_string(size); }
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name(); }

// The numbers of make_reference.py's formula(): in [-1, 1), a function of name and index.
torch::Tensor formula(const std::string& name, torch::IntArrayRef shape) {
  std::uint64_t seed = 0xcbf29ce484222325;
  for (const char character : name) {
    seed = (seed ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  }
  torch::Tensor values = torch::empty(shape);
  auto* value = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    std::uint64_t x = seed + static_cast<std::uint64_t>(i + 1) * 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x = x ^ (x >> 31);
    value[i] = static_cast<float>(x >> 40) / static_cast<float>(1 << 24) * 2 - 1;
  }
  return values;
}

void fill_by_formula(const std::string& name, torch::Tensor tensor) {
  torch::NoGradGuard no_gradients;
  torch::Tensor values = formula(name, tensor.sizes());
  if (tensor.dim() >= 2) {
    values.mul_(std::sqrt(6.0 / static_cast<double>(tensor[0].numel())));
  } else if (name.ends_with("running_var") || name.ends_with("weight")) {
    values.mul_(0.25).add_(1);
  } else {
    values.mul_(0.1);
  }
  tensor.copy_(values);
}

Model make_model(const Case& c) {
  sweeps::TrialSpec spec;
  spec.architecture = c.architecture;
  spec.image_size = {c.size, c.size};
  spec.dropout = 0;
  spec.head = {.pooling = sweeps::Pooling::average, .dense = {}};
  if (spec.architecture == "vgg16" && c.size == 224) {
    spec.head = {.pooling = sweeps::Pooling::flatten, .dense = {4096, 4096}};
  }
  return Model(spec, kClasses);
}

using Results = std::map<std::string, torch::Tensor>;

// As compute() in make_reference.py.
Results compute(Model& model, int size) {
  const auto dtype = model.tensors()[0].tensor.scalar_type();
  const torch::Tensor images = formula("input", {kBatch, 3, size, size}).to(dtype);
  Results results;
  model.train(false);
  {
    torch::NoGradGuard no_gradients;
    results["logits.eval"] = model.forward(images);
  }
  model.train(true);
  const torch::Tensor logits = model.forward(images);
  torch::cross_entropy_loss(logits, torch::arange(kBatch) % kClasses).backward();
  results["logits.train"] = logits.detach();
  for (const auto& [name, tensor, block] : model.tensors()) {
    if (tensor.requires_grad()) {
      results["gradient." + name] = tensor.grad();
    } else if (!name.ends_with("num_batches_tracked")) {
      results["buffer." + name] = tensor;
    }
  }
  return results;
}

double tolerance_of(const std::string& name) {
  return name.starts_with("gradient.") ? kGradientTolerance : kLogitsTolerance;
}

class Parity : public testing::TestWithParam<Case> {
 protected:
  // Notes the worst deviation of each kind of result, for docs/parity.md.
  void TearDown() override {
    for (const auto& [kind, error] : worst_) {
      char text[32];
      std::snprintf(text, sizeof(text), "%.1e", error);
      RecordProperty(kind, text);
    }
  }
  void expect_small(const std::string& name, double error) {
    double& worst = worst_[name.starts_with("logits") ? name : name.substr(0, name.find('.'))];
    worst = std::max(worst, error);
    EXPECT_LE(error, tolerance_of(name)) << name;
  }

 private:
  std::map<std::string, double> worst_;
};

// Below this there is only rounding. The bias before a batch normalisation has no gradient in exact
// arithmetic, and what a machine makes of that is its own.
double smallest_norm(const nlohmann::json& reference) {
  double largest = 0;
  for (const auto& [name, expected] : reference.items()) {
    if (name.starts_with("gradient.")) largest = std::max(largest, expected[0].get<double>());
  }
  return 1e-9 * largest;
}

class StoredParity : public Parity {};
class FullParity : public Parity {};

TEST_P(StoredParity, EqualsTheStoredReference) {
  const Case c = GetParam();
  std::ifstream file(kFolder / "reference" / (c.name() + ".json"));
  ASSERT_TRUE(file) << "no stored reference for " << c.name();
  nlohmann::json reference = nlohmann::json::parse(file);

  Model model = make_model(c);
  for (const auto& [name, tensor, block] : model.tensors()) {
    if (!name.ends_with("num_batches_tracked")) fill_by_formula(name, tensor);
  }
  model.base().to(torch::kFloat64);
  model.head().to(torch::kFloat64);
  EXPECT_EQ(model.parameter_count(), reference["parameters"].get<std::int64_t>());
  reference.erase("parameters");
  const double smallest = smallest_norm(reference);
  const Results results = compute(model, c.size);
  EXPECT_EQ(results.size(), reference.size());
  for (const auto& [name, expected] : reference.items()) {
    ASSERT_TRUE(results.contains(name)) << name;
    const torch::Tensor values = results.at(name).to(torch::kFloat64).flatten();
    const auto directions = formula("digest." + name, values.sizes()).to(torch::kFloat64);
    const double product = values.dot(directions).item<double>() * std::sqrt(3.0);
    const double norm = std::max(expected[0].get<double>(), smallest);
    expect_small(name, std::abs(values.norm().item<double>() - expected[0].get<double>()) / norm);
    expect_small(name, std::abs(product - expected[1].get<double>()) / norm);
  }
}

TEST_P(FullParity, EqualsTheReferenceItself) {
  const Case c = GetParam();
  if (!fs::exists(kPython)) {
    GTEST_SKIP() << kPython << " is not there: tools/setup.sh --references makes it";
  }
  const TemporaryFolder folder;
  const std::string command = kPython.string() + " " + (kFolder / "make_reference.py").string() +
                              " --architecture " + c.architecture + " --size " +
                              std::to_string(c.size) + " --full " + folder.path().string();
  ASSERT_EQ(std::system(command.c_str()), 0) << command;

  Model model = make_model(c);
  const SafetensorsFile weights(folder.path() / "weights.safetensors");
  std::map<std::string, torch::Tensor> ours;
  for (const auto& [name, tensor, block] : model.tensors()) ours[name] = tensor;
  EXPECT_EQ(weights.header().arrays.size(), ours.size());
  for (const ArrayInfo& array : weights.header().arrays) {
    ASSERT_TRUE(ours.contains(array.name)) << array.name;
    read_into(ours.at(array.name), weights, array);
  }

  const Results results = compute(model, c.size);
  const SafetensorsFile expected(folder.path() / "expected.safetensors");
  EXPECT_EQ(expected.header().metadata.at("parameters"), std::to_string(model.parameter_count()));
  EXPECT_EQ(expected.header().arrays.size(), results.size());
  for (const ArrayInfo& array : expected.header().arrays) {
    ASSERT_TRUE(results.contains(array.name)) << array.name;
    const torch::Tensor values = results.at(array.name);
    const torch::Tensor reference = torch::empty_like(values);
    read_into(reference, expected, array);
    const double scale = reference.norm().item<double>();
    const double difference = (values - reference).norm().item<double>();
    expect_small(array.name, scale > 0 ? difference / scale : difference);
  }
  RecordProperty("parameters", std::to_string(model.parameter_count()));
}

INSTANTIATE_TEST_SUITE_P(Architectures, StoredParity,
                         testing::Values(Case{"resnet50", 150}, Case{"inception_v3", 150},
                                         Case{"vgg16", 150}, Case{"inception_resnet_v2", 150}));
INSTANTIATE_TEST_SUITE_P(Architectures, FullParity,
                         testing::Values(Case{"resnet50", 150}, Case{"resnet50", 224},
                                         Case{"inception_v3", 150}, Case{"inception_v3", 299},
                                         Case{"vgg16", 150}, Case{"vgg16", 224},
                                         Case{"inception_resnet_v2", 150},
                                         Case{"inception_resnet_v2", 299}));

}  // namespace
}  // namespace ranksweep::worker
