#include "sweeps/blocks.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sweeps/trial_parameters.h"
#include "sweeps/trial_values.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

Member<DataSpec> path_member() {
  return {"path",
          "A folder `train/<class>/*` and `val/<class>/*`, a folder `<class>/*` to be split, or a "
          "CSV manifest; relative to the sweep file",
          {Text{"the path of a folder or of a CSV manifest"}},
          [](const DataSpec& data) { return json(data.path.string()); },
          [](DataSpec& data, const json& value) { data.path = value.get<std::string>(); }};
}

Member<DataSpec> validation_fraction_member() {
  constexpr Real kInside{0, 1, Bound::open, Bound::open};
  return {"validation_fraction",
          "Share of the images that is kept for validation, by class and never splitting a group; "
          "for data that is not split yet",
          {AnyOf{{{Nothing{"none"}}, {kInside}}}},
          [](const DataSpec& data) {
            return data.validation_fraction ? encode(*data.validation_fraction) : json();
          },
          [](DataSpec& data, const json& value) {
            data.validation_fraction.reset();
            if (value.is_number()) data.validation_fraction = value.get<double>();
          }};
}

template <typename Struct, typename Value>
bool has(const std::vector<Member<Struct>>& members, const Value& name) {
  return std::any_of(members.begin(), members.end(),
                     [&](const auto& member) { return member.name == name; });
}

}  // namespace

const std::vector<Member<DataSpec>>& data_members() {
  static const std::vector<Member<DataSpec>> members = {
      path_member(),
      validation_fraction_member(),
      member("split_seed", &DataSpec::split_seed, {Whole{}},
             "Decides which images `validation_fraction` keeps"),
      member("on_bad_file", &DataSpec::on_bad_file, {Choice{names_of<DataSpec::OnBadFile>()}},
             "fail refuses data with a file that cannot be read, skip leaves such files out"),
      member("on_leakage", &DataSpec::on_leakage, {Choice{names_of<DataSpec::OnLeakage>()}},
             "What becomes of a run whose splits share a group or a file with the same bytes"),
  };
  return members;
}

const std::vector<Member<Execution>>& execution_members() {
  constexpr Real kSeconds{1, 1e6};
  static const std::vector<Member<Execution>> members = {
      {"threads",
       "Threads of each trainer; auto shares the node's cores between its trainers",
       {AnyOf{{{Nothing{"auto"}}, {Whole{1, 4096}}}}},
       [](const Execution& execution) {
         return execution.threads ? json(*execution.threads) : json();
       },
       [](Execution& execution, const json& value) {
         execution.threads.reset();
         if (value.is_number()) execution.threads = value.get<int>();
       }},
      member("max_attempts", &Execution::max_attempts, {Whole{1, 100}},
             "A trial that failed so often is given up"),
      member("checkpoint_interval", &Execution::checkpoint_interval, {kSeconds},
             "Seconds between two resume states of a running trial"),
      {"silence_limit",
       "Seconds without a sign of life after which a trainer counts as lost; auto is ten of its "
       "epochs, within 120 to 600 s, and 600 s up to its first",
       {AnyOf{{{Nothing{"auto"}}, {kSeconds}}}},
       [](const Execution& execution) {
         return execution.silence_limit ? json(*execution.silence_limit) : json();
       },
       [](Execution& execution, const json& value) {
         execution.silence_limit.reset();
         if (value.is_number()) execution.silence_limit = value.get<double>();
       }},
      member("storage_patience", &Execution::storage_patience, {Real{0, 1e6}},
             "Seconds to wait for a database that is locked or cannot be written before the sweep "
             "stops"),
      member("lease", &Execution::lease, {Real{3, 1e6}},
             "Seconds without a sign of life after which a rank counts as lost"),
      member("on_out_of_memory", &Execution::on_out_of_memory,
             {Choice{names_of<Execution::OnOutOfMemory>()}},
             "fail tries a trial for which a device had too little memory as it was; accumulate "
             "adds up the gradients of twice as many parts of each batch, one after the other"),
      member("cuda_graphs", &Execution::cuda_graphs, {Flag{}},
             "Whether a trial on one GPU records its training step and replays it, so that small "
             "batches do not wait for the CPU"),
  };
  return members;
}

std::vector<std::string> top_level_names() {
  return {"name",    "trainer", "data",     "weights",  "grid",
          "exclude", "include", "training", "execution"};
}

std::vector<std::string> data_keys() {
  std::vector<std::string> keys;
  for (const auto& each : data_members()) keys.push_back(each.name);
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.block == Block::data) keys.push_back(parameter.block_name);
  }
  return keys;
}

Shape name_shape() { return {Text{"a text of at most 200 bytes", 200}}; }

std::string block_of(const std::string& key) {
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.name == key) return parameter.block == Block::data ? "data" : "training";
  }
  if (has(data_members(), key)) return "data";
  if (has(execution_members(), key)) return "execution";
  return "";
}

json to_json(const DataSpec& data) { return encode_members(data_members(), data); }

DataSpec data_spec_from_json(const json& object) {
  if (!object.is_object() || !object.contains("path")) {
    throw std::invalid_argument("no data: an object with `path` is wanted");
  }
  std::vector<Diagnostic> found;
  for (const Member<DataSpec>& member : data_members()) {
    if (!object.contains(member.name)) continue;
    check(member.shape, node_from_json(object.at(member.name)), "data." + member.name, found);
  }
  if (!found.empty()) throw std::invalid_argument(found.front().message);
  return decode_members(data_members(), object);
}

}  // namespace ranksweep::sweeps
