#include "tests/sweeps/random_spec.h"

#include <cmath>

#include "sweeps/architectures.h"
#include "sweeps/overloaded.h"
#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps::testing {
namespace {

using nlohmann::json;

class RandomValue {
 public:
  explicit RandomValue(std::mt19937_64& random) : random_(random) {}

  json of(const Shape& shape) {
    return std::visit(
        Overloaded{
            [&](const Anything&) -> json { return below(100); },
            [&](const Flag&) -> json { return below(2) == 0; },
            [&](const Off&) -> json { return false; },
            [&](const Nothing& nothing) { return below(2) == 0 ? json() : json(nothing.word); },
            [&](const Whole& whole) { return of(whole); },
            [&](const Real& real) -> json { return of(real); },
            [&](const Interval& interval) { return of(interval); },
            [&](const Choice& choice) -> json { return choice.names[below(choice.names.size())]; },
            [&](const Text&) -> json {
              return "text " + std::to_string(random_()) + " \u00e9\"\\";
            },
            [&](const List& list) { return of(list); },
            [&](const Mapping& mapping) { return of(mapping); },
            [&](const Tagged& tagged) {
              const auto& [kind, mapping] = tagged.kinds[below(tagged.kinds.size())];
              json object = of(mapping);
              object["kind"] = kind;
              return object;
            },
            [&](const AnyOf& any) { return of(any.shapes[below(any.shapes.size())]); },
        },
        shape.value);
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }

  json of(const Whole& whole) {
    const auto end = below(4);
    if (end == 0) return whole.minimum;
    if (end == 1) return whole.maximum;
    return std::uniform_int_distribution<std::int64_t>(whole.minimum, whole.maximum)(random_);
  }

  double of(const Real& real) {
    const double upper = std::isfinite(real.maximum) ? real.maximum : real.minimum + 1e3;
    if (below(4) == 0 && real.lower == Bound::closed) return real.minimum;
    if (below(4) == 0 && real.upper == Bound::closed) return upper;
    const double share = std::uniform_real_distribution<double>(1e-9, 1 - 1e-9)(random_);
    return real.minimum + share * (upper - real.minimum);
  }

  json of(const Interval& interval) {
    const double a = of(interval.bounds);
    const double b = of(interval.bounds);
    return {std::min(a, b), std::max(a, b)};
  }

  json of(const List& list) {
    auto items = json::array();
    const std::size_t longest = std::min(list.longest, list.shortest + 4);
    const std::size_t size = list.shortest + below(longest - list.shortest + 1);
    for (std::size_t i = 0; i < size; ++i) items.push_back(of(list.item[0]));
    return items;
  }

  json of(const Mapping& mapping) {
    auto object = json::object();
    for (const Field& field : mapping.fields) {
      const bool must_be_given = field.fallback == "";
      if (must_be_given || below(3) != 0) object[field.name] = of(field.shape);
    }
    return object;
  }

  std::mt19937_64& random_;
};

}  // namespace

TrialSpec random_spec(std::mt19937_64& random) {
  Trial spec;
  RandomValue value(random);
  for (const TrialParameter& parameter : trial_parameters()) {
    // A TorchScript file, which the architecture names, brings its own.
    if (parameter.name == "weights" && is_torchscript(spec.architecture)) continue;
    parameter.set(spec, value.of(parameter.shape));
  }
  if (spec.weights) spec.weights_hash = hash_hex(*spec.weights);
  return spec;
}

}  // namespace ranksweep::sweeps::testing
