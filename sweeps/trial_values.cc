#include "sweeps/trial_values.h"

#include <cmath>
#include <utility>

#include "sweeps/members.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

const std::vector<Member<Augmentation>>& augmentation_members() {
  constexpr Real kFraction{0, 1, Bound::closed, Bound::open};
  constexpr Real kFactor{0, 10, Bound::open, Bound::closed};
  using A = Augmentation;
  static const std::vector<Member<A>> members = {
      member("rotation", &A::rotation, {Real{0, 180}},
             "Degrees, turned by up to this to either side"),
      member("width_shift", &A::width_shift, {kFraction},
             "Fraction of the width, shifted by up to this to either side"),
      member("height_shift", &A::height_shift, {kFraction},
             "Fraction of the height, shifted by up to this up or down"),
      member("shear", &A::shear, {Real{0, 89}}, "Degrees, sheared by up to this to either side"),
      member("zoom", &A::zoom, {AnyOf{{{kFraction}, {Interval{kFactor}}}}},
             "Factors drawn from [low, high]; one number x means [1 - x, 1 + x]"),
      member("brightness", &A::brightness, {Interval{Real{0, 10}}},
             "Factors drawn from [low, high]"),
      member("channel_shift", &A::channel_shift, {Real{0, 255}},
             "Units of 0 to 255, each channel shifted by up to this up or down"),
      member("horizontal_flip", &A::horizontal_flip, {Flag{}},
             "Mirrored left to right half of the time"),
      member("vertical_flip", &A::vertical_flip, {Flag{}},
             "Mirrored top to bottom half of the time"),
      member("fill_mode", &A::fill_mode, {Choice{names_of<FillMode>()}},
             "What is seen outside the image"),
      member("fill_value", &A::fill_value, {Real{0, 255}},
             "The grey that `fill_mode: constant` shows"),
  };
  return members;
}

const std::vector<Member<Head>>& head_members() {
  static const std::vector<Member<Head>> members = {
      member("pooling", &Head::pooling, {Choice{names_of<Pooling>()}},
             "How the base's last feature map becomes a vector"),
      member("dense", &Head::dense, {List{{{Whole{1, 65536}}}, 0, 16}},
             "Widths of the hidden layers, ReLU after each; [] for none"),
  };
  return members;
}

const std::vector<Member<EarlyStopping>>& early_stopping_members() {
  using E = EarlyStopping;
  static const std::vector<Member<E>> members = {
      member("patience", &E::patience, {Whole{1, 100000}},
             "Epochs in a row without a lower validation loss after which the trial ends"),
      member("min_delta", &E::min_delta, {Real{}}, "A smaller decrease counts as none"),
  };
  return members;
}

const std::vector<Member<ConstantSchedule>>& constant_members() {
  static const std::vector<Member<ConstantSchedule>> members;
  return members;
}

const std::vector<Member<StepSchedule>>& step_members() {
  using S = StepSchedule;
  static const std::vector<Member<S>> members = {
      member("every", &S::every, {Whole{1, 100000}}, "Epochs between two steps"),
      member("factor", &S::factor, {Real{0, 1, Bound::open}}, "What the rate is multiplied by"),
  };
  return members;
}

const std::vector<Member<CosineSchedule>>& cosine_members() {
  using S = CosineSchedule;
  static const std::vector<Member<S>> members = {
      member("warmup_epochs", &S::warmup_epochs, {Whole{0, 100000}},
             "Epochs in which the rate rises linearly to its full value"),
      member("minimum", &S::minimum, {Real{0, 1}}, "Fraction of the rate that is left at the end"),
  };
  return members;
}

const std::vector<Member<PlateauSchedule>>& plateau_members() {
  using S = PlateauSchedule;
  static const std::vector<Member<S>> members = {
      member("patience", &S::patience, {Whole{1, 100000}},
             "Epochs in a row without a lower validation loss after which the rate falls"),
      member("factor", &S::factor, {Real{0, 1, Bound::open, Bound::open}},
             "What the rate is multiplied by"),
      member("min_delta", &S::min_delta, {Real{}}, "A smaller decrease counts as none"),
  };
  return members;
}

// The one list of schedules: calls `visit(name, members)` for each alternative of the variant.
template <typename Visitor>
void for_each_schedule(Visitor&& visit) {
  visit("constant", constant_members());
  visit("step", step_members());
  visit("cosine", cosine_members());
  visit("plateau", plateau_members());
}

struct Preset {
  std::string name;
  Augmentation augmentation;
};

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = [] {
    const Augmentation none;
    Augmentation flip;
    flip.horizontal_flip = true;
    Augmentation standard = flip;
    standard.rotation = 15;
    standard.width_shift = standard.height_shift = 0.1;
    standard.zoom = {0.9, 1.1};
    Augmentation strong = flip;
    strong.rotation = 30;
    strong.width_shift = strong.height_shift = 0.2;
    strong.shear = 10;
    strong.zoom = {0.8, 1.2};
    strong.brightness = {0.7, 1.3};
    strong.channel_shift = 20;
    return std::vector<Preset>{
        {"none", none}, {"flip", flip}, {"standard", standard}, {"strong", strong}};
  }();
  return all;
}

}  // namespace

const std::vector<std::string>& augmentation_preset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Preset& preset : presets()) all.push_back(preset.name);
    return all;
  }();
  return names;
}

const Augmentation* find_augmentation_preset(const std::string& name) {
  for (const Preset& preset : presets()) {
    if (preset.name == name) return &preset.augmentation;
  }
  return nullptr;
}

json encode(double value) { return value == 0 ? 0.0 : value; }

json encode(const std::array<double, 2>& range) {
  return json::array({encode(range[0]), encode(range[1])});
}

json encode(const Augmentation& augmentation) {
  for (const Preset& preset : presets()) {
    if (preset.augmentation == augmentation) return preset.name;
  }
  return encode_changes(augmentation);
}

json encode_changes(const Augmentation& augmentation) {
  return encode_members(augmentation_members(), augmentation);
}

json encode(const Schedule& schedule) {
  json encoded;
  for_each_schedule([&](const char* name, const auto& members) {
    using Owner = std::remove_cvref_t<decltype(members)>::value_type::Owner;
    if (const auto* kind = std::get_if<Owner>(&schedule)) {
      encoded = encode_members(members, *kind);
      encoded["kind"] = name;
    }
  });
  return encoded;
}

json encode(const Head& head) { return encode_members(head_members(), head); }

json encode(const std::optional<EarlyStopping>& early_stopping) {
  if (!early_stopping) return false;
  return encode_members(early_stopping_members(), *early_stopping);
}

void decode(const json& value, std::array<int, 2>& size) {
  size = value.is_array() ? value.get<std::array<int, 2>>()
                          : std::array<int, 2>{value.get<int>(), value.get<int>()};
}

void decode(const json& value, std::array<double, 2>& range) {
  if (value.is_array()) {
    range = value.get<std::array<double, 2>>();
    return;
  }
  // Rounded, so that 0.55 and [0.45, 1.55] are the same trial.
  const auto rounded = [](double factor) { return std::round(factor * 1e12) / 1e12; };
  range = {rounded(1 - value.get<double>()), rounded(1 + value.get<double>())};
}

void decode(const json& value, Augmentation& augmentation) {
  augmentation = value.is_string() ? *find_augmentation_preset(value.get<std::string>())
                                   : decode_members(augmentation_members(), value);
}

void decode(const json& value, Schedule& schedule) {
  const auto kind = (value.is_string() ? value : value.at("kind")).get<std::string>();
  const json settings = value.is_string() ? json::object() : value;
  for_each_schedule([&](const char* name, const auto& members) {
    if (kind == name) schedule = decode_members(members, settings);
  });
}

void decode(const json& value, Head& head) { head = decode_members(head_members(), value); }

void decode(const json& value, std::optional<EarlyStopping>& early_stopping) {
  early_stopping.reset();
  if (value.is_object()) early_stopping = decode_members(early_stopping_members(), value);
}

Shape augmentation_shape() {
  return {AnyOf{{{Choice{augmentation_preset_names()}}, {mapping_of(augmentation_members())}}}};
}

Shape schedule_shape() {
  Choice names;
  Tagged kinds;
  for_each_schedule([&](const char* name, const auto& members) {
    names.names.emplace_back(name);
    kinds.kinds.push_back({name, mapping_of(members)});
  });
  return {AnyOf{{{names}, {kinds}}}};
}

Shape head_shape() { return {mapping_of(head_members())}; }

Shape early_stopping_shape() { return {AnyOf{{{Off{}}, {mapping_of(early_stopping_members())}}}}; }

Shape image_size_shape() {
  const Shape side{Whole{16, 4096}};
  return {AnyOf{{{List{{side}, 2, 2}}, side}}};
}

}  // namespace ranksweep::sweeps
