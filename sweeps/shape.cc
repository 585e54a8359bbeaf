#include "sweeps/shape.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sweeps/nearest_name.h"
#include "sweeps/overloaded.h"

namespace ranksweep::sweeps {
namespace {

using Kind = Node::Kind;

bool within(const Real& real, double value) {
  if (!std::isfinite(value)) return false;
  const bool above = real.lower == Bound::open ? value > real.minimum : value >= real.minimum;
  const bool below = real.upper == Bound::open ? value < real.maximum : value <= real.maximum;
  return above && below;
}

bool fits(const Real& real, const Node& node) {
  return node.kind == Kind::scalar && node.scalar.is_number() &&
         within(real, node.scalar.get<double>());
}

// Whether a shape is meant, so that its own message is the one to give: decided by the kind of the
// node alone, not by its value.
bool is_meant(const Shape& shape, const Node& node) {
  const bool scalar = node.kind == Kind::scalar;
  return std::visit(Overloaded{
                        [&](const Anything&) { return true; },
                        [&](const Flag&) { return scalar && node.scalar.is_boolean(); },
                        [&](const Off&) { return scalar && node.scalar == false; },
                        [&](const Nothing& nothing) {
                          return scalar && (node.scalar.is_null() || node.scalar == nothing.word);
                        },
                        [&](const Whole&) { return scalar && node.scalar.is_number(); },
                        [&](const Real&) { return scalar && node.scalar.is_number(); },
                        [&](const Interval&) { return node.kind == Kind::list; },
                        [&](const Choice&) { return node.is_text(); },
                        [&](const Text&) { return node.is_text(); },
                        [&](const List&) { return node.kind == Kind::list; },
                        [&](const Mapping&) { return node.kind == Kind::mapping; },
                        [&](const Tagged&) { return node.kind == Kind::mapping; },
                        [&](const AnyOf&) { return false; },
                    },
                    shape.value);
}

// Whether JSON can say it, and a program take it as an argument: no infinity, no zero byte.
bool is_json(const Node& node) {
  if (node.scalar.is_number_float()) return std::isfinite(node.scalar.get<double>());
  return node.text.find('\0') == std::string::npos &&
         std::all_of(node.items.begin(), node.items.end(), is_json) &&
         std::all_of(node.entries.begin(), node.entries.end(),
                     [](const Entry& entry) { return is_json(entry.value); });
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::vector<std::string> choices(const Shape& shape) {
  if (const auto* choice = std::get_if<Choice>(&shape.value)) return choice->names;
  if (const auto* nothing = std::get_if<Nothing>(&shape.value)) return {nothing->word};
  std::vector<std::string> all;
  if (const auto* any = std::get_if<AnyOf>(&shape.value)) {
    for (const Shape& one : any->shapes) {
      for (std::string& name : choices(one)) all.push_back(std::move(name));
    }
  }
  return all;
}

bool wants_number(const Shape& shape) {
  if (const auto* any = std::get_if<AnyOf>(&shape.value)) {
    return std::any_of(any->shapes.begin(), any->shapes.end(), wants_number);
  }
  return std::holds_alternative<Whole>(shape.value) || std::holds_alternative<Real>(shape.value);
}

bool reads_as_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos;
}

// What to do about a mistake that people make often.
std::string remedy(const Shape& shape, const Node& node) {
  if (node.kind != Kind::scalar) return "";
  if (std::holds_alternative<Text>(shape.value) && !node.is_text() && !node.text.empty()) {
    return "; write it in quotes";
  }
  if (!node.is_text()) return "";
  if (std::holds_alternative<Flag>(shape.value)) return "; YAML's words are true and false";
  if (node.quoted && wants_number(shape) && reads_as_number(node.text)) {
    return "; write the number without quotes";
  }
  const std::string near = nearest_name(node.text, choices(shape));
  return near.empty() ? "" : fmt::format("; did you mean `{}`?", near);
}

bool refuse(const Shape& shape, const Node& node, const std::string& name,
            std::vector<Diagnostic>& found) {
  found.push_back({node.line, node.column,
                   fmt::format("{} must be {}; found {}{}", name, describe(shape), show(node),
                               remedy(shape, node))});
  return false;
}

class Checker {
 public:
  Checker(const Shape& shape, const Node& node, const std::string& name,
          std::vector<Diagnostic>& found)
      : shape_(shape), node_(node), name_(name), found_(found) {}

  bool operator()(const Anything&) { return accept_if(is_json(node_)); }
  bool operator()(const Flag&) { return accept_if(meant()); }
  bool operator()(const Off&) { return accept_if(meant()); }
  bool operator()(const Nothing&) { return accept_if(meant()); }
  bool operator()(const Real& real) { return accept_if(fits(real, node_)); }

  bool operator()(const Whole& whole) {
    if (!meant() || !node_.scalar.is_number_integer()) return accept_if(false);
    const auto value = node_.scalar.get<std::int64_t>();
    return accept_if(value >= whole.minimum && value <= whole.maximum);
  }

  bool operator()(const Interval& interval) {
    const auto& items = node_.items;
    return accept_if(meant() && items.size() == 2 && fits(interval.bounds, items[0]) &&
                     fits(interval.bounds, items[1]) &&
                     items[0].scalar.get<double>() <= items[1].scalar.get<double>());
  }

  bool operator()(const Choice& choice) {
    return accept_if(meant() && std::find(choice.names.begin(), choice.names.end(), node_.text) !=
                                    choice.names.end());
  }

  bool operator()(const Text& text) {
    return accept_if(meant() && !node_.text.empty() && node_.text.size() <= text.longest &&
                     std::none_of(node_.text.begin(), node_.text.end(), is_control));
  }

  bool operator()(const List& list) {
    if (!meant() || node_.items.size() < list.shortest || node_.items.size() > list.longest) {
      return accept_if(false);
    }
    bool good = true;
    for (std::size_t i = 0; i < node_.items.size(); ++i) {
      good &= check(list.item[0], node_.items[i], fmt::format("{}[{}]", name_, i), found_);
    }
    return good;
  }

  bool operator()(const Mapping& mapping) {
    return meant() ? check_fields(mapping, "") : accept_if(false);
  }

  bool operator()(const Tagged& tagged) {
    if (!meant()) return accept_if(false);
    std::vector<std::string> names;
    for (const auto& [kind, mapping] : tagged.kinds) names.push_back(kind);
    const Entry* kind = node_.find("kind");
    if (kind == nullptr) {
      found_.push_back({node_.line, node_.column,
                        fmt::format("{} needs a `kind`: {}", name_, fmt::join(names, ", "))});
      return false;
    }
    if (!check({Choice{names}}, kind->value, name_ + ".kind", found_)) return false;
    for (const auto& [tag, mapping] : tagged.kinds) {
      if (tag == kind->value.text) return check_fields(mapping, "kind");
    }
    return false;
  }

  bool operator()(const AnyOf& any) {
    const Shape* meant_shape = nullptr;
    for (const Shape& shape : any.shapes) {
      if (!is_meant(shape, node_)) continue;
      std::vector<Diagnostic> ignored;
      if (check(shape, node_, name_, ignored)) return true;
      meant_shape = &shape;
    }
    // Inside a list or a mapping the mistake has a place of its own; a wrong scalar is answered
    // with all that is allowed.
    if (meant_shape == nullptr || node_.kind == Kind::scalar) return accept_if(false);
    return check(*meant_shape, node_, name_, found_);
  }

 private:
  bool meant() const { return is_meant(shape_, node_); }

  bool accept_if(bool good) { return good || refuse(shape_, node_, name_, found_); }

  bool check_fields(const Mapping& mapping, const std::string& besides) {
    bool good = true;
    for (const Entry& entry : node_.entries) {
      if (entry.key.text == besides) continue;
      const Field* field = find_field(mapping, entry.key.text);
      if (field != nullptr) {
        good &= check(field->shape, entry.value, name_ + "." + field->name, found_);
        continue;
      }
      found_.push_back({entry.key.line, entry.key.column,
                        fmt::format("{} has no `{}`{}", name_, entry.key.text,
                                    suggestion(entry.key.text, names_of(mapping)))});
      good = false;
    }
    if (!good) return false;  // a name that is misspelled is not missing
    for (const Field& field : mapping.fields) {
      if (!must_be_given(field.fallback) || node_.find(field.name) != nullptr) continue;
      found_.push_back(
          {node_.line, node_.column,
           fmt::format("{} needs a `{}`: {}", name_, field.name, describe(field.shape))});
      good = false;
    }
    return good;
  }

  static const Field* find_field(const Mapping& mapping, const std::string& name) {
    for (const Field& field : mapping.fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }

  const Shape& shape_;
  const Node& node_;
  const std::string& name_;
  std::vector<Diagnostic>& found_;
};

std::string describe_bounds(const Real& real) {
  const bool below = std::isfinite(real.minimum);
  const bool above = std::isfinite(real.maximum);
  if (below && above) {
    return fmt::format(" in {}{}, {}{}", real.lower == Bound::open ? "(" : "[", real.minimum,
                       real.maximum, real.upper == Bound::open ? ")" : "]");
  }
  if (below) return fmt::format(" {} {}", real.lower == Bound::open ? ">" : ">=", real.minimum);
  return "";
}

std::string describe_list(const List& list) {
  const std::string item = describe(list.item[0]);
  if (list.shortest == list.longest)
    return fmt::format("a list of {}, each {}", list.longest, item);
  return fmt::format("a list of {} to {} values, each {}", list.shortest, list.longest, item);
}

std::string describe_whole(const Whole& whole) {
  if (whole.maximum == std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("a whole number from {}", whole.minimum);
  }
  return fmt::format("a whole number from {} to {}", whole.minimum, whole.maximum);
}

std::string describe_kinds(const Tagged& tagged) {
  std::vector<std::string> names;
  for (const auto& [kind, mapping] : tagged.kinds) names.push_back(kind);
  return fmt::format("a mapping with `kind` ({})", fmt::join(names, ", "));
}

std::string describe_any(const AnyOf& any) {
  std::string text;
  for (const Shape& shape : any.shapes) text += (text.empty() ? "" : ", or ") + describe(shape);
  return text;
}

}  // namespace

bool check(const Shape& shape, const Node& node, const std::string& name,
           std::vector<Diagnostic>& found) {
  return std::visit(Checker(shape, node, name, found), shape.value);
}

std::vector<std::string> names_of(const Mapping& mapping) {
  std::vector<std::string> names;
  for (const Field& field : mapping.fields) names.push_back(field.name);
  return names;
}

std::string describe(const Shape& shape) {
  return std::visit(
      Overloaded{
          [](const Anything&) -> std::string {
            return "a finite number, a text, true, false, null, or a list or mapping of them";
          },
          [](const Flag&) -> std::string { return "true or false"; },
          [](const Off&) -> std::string { return "false"; },
          [](const Nothing& nothing) { return nothing.word; },
          [](const Whole& whole) { return describe_whole(whole); },
          [](const Real& real) { return "a number" + describe_bounds(real); },
          [](const Interval& interval) {
            return "[low, high], two numbers" + describe_bounds(interval.bounds);
          },
          [](const Choice& choice) {
            return fmt::format("{}{}", choice.names.size() > 1 ? "one of " : "",
                               fmt::join(choice.names, ", "));
          },
          [](const Text& text) { return text.what; },
          [](const List& list) { return describe_list(list); },
          [](const Mapping& mapping) {
            return fmt::format("a mapping of {}", fmt::join(names_of(mapping), ", "));
          },
          [](const Tagged& tagged) { return describe_kinds(tagged); },
          [](const AnyOf& any) { return describe_any(any); },
      },
      shape.value);
}

}  // namespace ranksweep::sweeps
