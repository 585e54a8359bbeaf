#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/document.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {

// What a value may be, as data: validation, messages, the JSON Schema, the documentation and the
// starter sweep are all made from it.
struct Shape;

struct Anything {};  // whatever JSON can say
struct Flag {};      // true or false
struct Off {};       // false alone
struct Nothing {     // null, or a word that stands for it
  std::string word;  // "none", "auto"
};
struct Whole {  // a whole number, bounds included
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};
enum class Bound { open, closed };
struct Real {  // a finite number
  double minimum = 0;
  double maximum = std::numeric_limits<double>::infinity();
  Bound lower = Bound::closed;
  Bound upper = Bound::closed;
};
struct Interval {  // [low, high] with low <= high
  Real bounds;
};
struct Choice {
  std::vector<std::string> names;
};
struct Text {
  std::string what;            // "the path of a safetensors file"
  std::size_t longest = 4096;  // bytes
};
struct List {
  std::vector<Shape> item;  // one: what every item may be
  std::size_t shortest = 0;
  std::size_t longest = 0;
};
struct Field;
struct Mapping {
  std::vector<Field> fields;
};
struct Kind;
struct Tagged {  // a mapping whose field `kind` decides which others there may be
  std::vector<Kind> kinds;
};
struct AnyOf {  // alternatives that a node's kind tells apart
  std::vector<Shape> shapes;
};

struct Shape {
  std::variant<Anything, Flag, Off, Nothing, Whole, Real, Interval, Choice, Text, List, Mapping,
               Tagged, AnyOf>
      value;
};

struct Field {
  std::string name;
  std::string doc;  // one sentence, without the full stop
  Shape shape;
  nlohmann::json fallback;  // when it is left out; "" when it must be given
};

struct Kind {
  std::string name;
  Mapping mapping;
};

// Whether a field's fallback says that there is none.
inline bool must_be_given(const nlohmann::json& fallback) {
  return fallback.is_string() && fallback.get_ref<const std::string&>().empty();
}

// Whether `node` has the shape; what is wrong is added to `found`, each with its own place. `name`
// is what the value is called in messages: "learning_rate", "head.dense".
bool check(const Shape& shape, const Node& node, const std::string& name,
           std::vector<Diagnostic>& found);

// The same for the entries of a mapping alone, where a caller deals with unknown keys itself.
std::vector<std::string> names_of(const Mapping&);

// "a number > 0", "one of flip, none": what is allowed, for messages and tables.
std::string describe(const Shape&);

// The shape as JSON Schema, draft 2020-12.
nlohmann::ordered_json to_schema(const Shape&);

// `value` as YAML on one line; null becomes the word that the shape has for it.
std::string to_yaml(const Shape&, const nlohmann::json& value);

// The mapping that the shape has for `object`. Null when it has none.
const Mapping* mapping_for(const Shape& shape, const nlohmann::json& object);

}  // namespace ranksweep::sweeps
