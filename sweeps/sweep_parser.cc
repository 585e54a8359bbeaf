#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "sweeps/architectures.h"
#include "sweeps/blocks.h"
#include "sweeps/contradictions.h"
#include "sweeps/document.h"
#include "sweeps/grid.h"
#include "sweeps/identifier.h"
#include "sweeps/nearest_name.h"
#include "sweeps/parameter_table.h"
#include "sweeps/setting.h"
#include "sweeps/sweep_file.h"

namespace ranksweep::sweeps {
namespace {

using Kind = Node::Kind;

const Member<DataSpec>* find_data_member(const std::string& key) {
  const auto& members = data_members();
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == key; });
  return found == members.end() ? nullptr : &*found;
}

const TrialParameter* find_data_parameter(const std::string& key) {
  const auto& all = trial_parameters();
  const auto found = std::find_if(all.begin(), all.end(), [&](const TrialParameter& parameter) {
    return parameter.block == Block::data && parameter.block_name == key;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string misplaced_in_data(const std::string& key) {
  if (const TrialParameter* parameter = find_trial_parameter(key)) {
    return parameter->block == Block::data
               ? fmt::format("`{}` is called `{}` in `data:`", key, parameter->block_name)
               : fmt::format("`{}` belongs in `training:`, or in `grid:` to be swept", key);
  }
  return fmt::format("data has no `{}`{}", key, suggestion(key, data_keys()));
}

bool fits(const Shape& shape, const Node& value) {
  std::vector<Diagnostic> ignored;
  return check(shape, value, "", ignored);
}

// A list that is a value of the parameter, and whose items are none.
bool is_one_value(const Shape& shape, const Node& list) {
  return fits(shape, list) && std::none_of(list.items.begin(), list.items.end(),
                                           [&](const Node& item) { return fits(shape, item); });
}

class SweepParser {
 public:
  // `found` has what is wrong with `root` as YAML.
  SweepParser(const Node& root, const std::string& source, const std::filesystem::path& file,
              std::vector<Diagnostic> found)
      : root_(root),
        file_(file),
        folder_(std::filesystem::absolute(file).parent_path()),
        found_(std::move(found)),
        parameters_(parameters_for(root)),
        reader_(folder_, *parameters_, found_),
        sweep_(result_.sweep) {
    sweep_.file = file;
    sweep_.source = source;
  }

  SweepFile parse() {
    if (root_.kind != Kind::mapping) {
      fail(root_, fmt::format("a sweep is a mapping of {}; found {}",
                              fmt::join(top_level_names(), ", "), show(root_)));
      throw SweepError(file_, found_);
    }
    // First, since other blocks mean other things with an external trainer.
    if (const Entry* trainer = root_.find("trainer")) {
      result_.trainer = read_external_trainer(trainer->value, folder_, found_);
      grid_.start.own = nlohmann::json::object();
    }
    for (const Entry& entry : root_.entries) read_entry(entry);
    require();
    // With an unread `exclude`, trials would be blamed that the file leaves out.
    if (exclude_is_read_) add_trials();
    if (!found_.empty()) throw SweepError(file_, found_);
    note_warnings();
    return std::move(result_);
  }

 private:
  static std::unique_ptr<ParameterTable> parameters_for(const Node& root) {
    if (root.find("trainer") != nullptr) return std::make_unique<OwnParameters>();
    return std::make_unique<BuiltInParameters>();
  }

  void fail(const Node& node, std::string message) {
    found_.push_back({node.line, node.column, std::move(message)});
  }

  void read_entry(const Entry& entry) {
    const std::string& key = entry.key.text;
    if (key == "name") {
      read_name(entry.value);
    } else if (key == "trainer") {
      return;  // has been read
    } else if (key == "weights" && result_.trainer) {
      refuse_for_external_trainer(entry.key);
    } else if (key == "data") {
      read_data(entry.value);
    } else if (key == "weights") {
      read_weights(entry.value);
    } else if (key == "grid") {
      read_grid(entry.value);
    } else if (key == "include") {
      read_selections(entry.value, key, grid_.included);
    } else if (key == "exclude") {
      const std::size_t mistakes = found_.size();
      read_selections(entry.value, key, grid_.excluded);
      exclude_is_read_ = found_.size() == mistakes;
    } else if (key == "training") {
      read_training(entry.value);
    } else if (key == "execution") {
      read_execution(entry.value);
    } else {
      const std::string block = block_of(key);
      fail(entry.key, block.empty() ? fmt::format("unknown key `{}`{}", key,
                                                  suggestion(key, top_level_names()))
                                    : fmt::format("`{}` belongs in `{}:`", key, block));
    }
  }

  void read_name(const Node& value) {
    if (check(name_shape(), value, "name", found_)) sweep_.name = value.text;
  }

  void read_data(const Node& value) {
    if (!is_mapping(value, "data", "data: {path: faces, image_size: [150, 150]}")) return;
    for (const Entry& entry : value.entries) {
      const std::string name = "data." + entry.key.text;
      if (const Member<DataSpec>* member = find_data_member(entry.key.text)) {
        if (check(member->shape, entry.value, name, found_)) {
          member->set(sweep_.data, node_to_json(entry.value));
        }
      } else if (find_data_parameter(entry.key.text) != nullptr && result_.trainer) {
        refuse_for_external_trainer(entry.key);
      } else if (const TrialParameter* parameter = find_data_parameter(entry.key.text)) {
        keep_default(reader_.read(*parameter, entry.value, name));
      } else {
        fail(entry.key, misplaced_in_data(entry.key.text));
      }
    }
    if (value.find("path") == nullptr) fail(value, "data needs a `path`: where the images are");
    sweep_.data.path = (folder_ / sweep_.data.path).lexically_normal();
    const Entry* split_seed = value.find("split_seed");
    if (split_seed != nullptr && value.find("validation_fraction") == nullptr) {
      warnings_.push_back({split_seed->key.line, split_seed->key.column,
                           "data.split_seed decides nothing without validation_fraction"});
    }
  }

  void refuse_for_external_trainer(const Node& key) {
    fail(key, fmt::format("`{}` here is for the built-in trainer; an external one is given its "
                          "parameters in `training:`, `grid:` and `include:`",
                          key.text));
  }

  void read_training(const Node& value) {
    if (value.is_text()) {
      fail(value, fmt::format("`training:` at the top level holds the defaults of all trials, such "
                              "as {{epochs: 30}}; for the mode of training write `grid: "
                              "{{training: [{0}]}}` or `training: {{training: {0}}}`",
                              value.text));
      return;
    }
    if (!is_mapping(value, "training", "training: {epochs: 30, batch_size: 10}")) return;
    for (const Entry& entry : value.entries) {
      const TrialParameter* parameter = parameters_->find(entry.key.text);
      if (parameter == nullptr) {
        reader_.refuse_key(entry.key, "training");
      } else if (parameter->name == "weights" && !result_.trainer) {
        read_weights(entry.value);
      } else if (parameter->block == Block::data) {
        fail(entry.key, fmt::format("`{}` belongs in `data:` as `{}`", parameter->name,
                                    parameter->block_name));
      } else {
        read_default(*parameter, entry.value);
      }
    }
  }

  void read_weights(const Node& value) {
    const TrialParameter& parameter = *find_trial_parameter("weights");
    if (weights_are_read_) {
      fail(value, "weights are given twice, at the top level and in `training:`");
      return;
    }
    weights_are_read_ = true;
    read_default(parameter, value);
  }

  // One value, or one for each architecture.
  void read_default(const TrialParameter& parameter, const Node& value) {
    if (value.kind != Kind::mapping || result_.trainer || !may_differ_by_architecture(parameter)) {
      keep_default(reader_.read(parameter, value, parameter.name));
      return;
    }
    for (const Entry& entry : value.entries) {
      const auto& names = architecture_names();
      if (std::find(names.begin(), names.end(), entry.key.text) == names.end()) {
        fail(entry.key, fmt::format("{}: there is no architecture `{}`{}", parameter.name,
                                    entry.key.text, suggestion(entry.key.text, names)));
      } else if (auto setting =
                     reader_.read(parameter, entry.value, parameter.name + "." + entry.key.text)) {
        grid_.by_architecture[entry.key.text].push_back(std::move(*setting));
      }
    }
  }

  void read_grid(const Node& value) {
    grid_is_read_ = is_mapping(value, "grid", "grid: {learning_rate: [1e-3, 1e-4]}");
    if (!grid_is_read_) return;
    grid_line_ = value.line;
    grid_column_ = value.column;
    for (const Entry& entry : value.entries) {
      const TrialParameter* parameter = parameters_->find(entry.key.text);
      if (parameter == nullptr) {
        reader_.refuse_key(entry.key, "grid");
      } else {
        Axis axis = read_axis(*parameter, entry.value);
        if (!axis.values.empty()) grid_.axes.push_back(std::move(axis));
      }
    }
  }

  Axis read_axis(const TrialParameter& parameter, const Node& value) {
    Axis axis{&parameter, {}};
    if (value.kind != Kind::list) {
      if (auto setting = reader_.read(parameter, value, parameter.name)) {
        axis.values.push_back(std::move(*setting));
      }
      return axis;
    }
    if (value.items.empty()) {
      fail(value, fmt::format("grid.{}: an empty list makes no trial; leave the parameter out for "
                              "its default",
                              parameter.name));
    }
    if (is_one_value(parameter.shape, value)) {
      fail(value, fmt::format("grid.{}: in the grid a list is a list of values; a value that is a "
                              "list itself wants a second pair of brackets",
                              parameter.name));
      return axis;
    }
    Identifier identifier("");  // of trials that differ in this value alone
    std::unordered_set<std::string> known;
    for (const Node& item : value.items) {
      auto setting = reader_.read(parameter, item, parameter.name);
      if (!setting) continue;
      if (known.insert(identifier.identify(setting->holder).hex()).second) {
        axis.values.push_back(std::move(*setting));
      } else {
        warnings_.push_back(
            {setting->line, setting->column,
             fmt::format("grid.{}: the value is there already; it is taken once", parameter.name)});
      }
    }
    return axis;
  }

  void read_selections(const Node& value, const std::string& where,
                       std::vector<Selection>& selections) {
    if (value.kind != Kind::list) {
      fail(value, fmt::format("{} must be a list of mappings, such as [{{architecture: "
                              "simple_cnn, training: frozen}}]; found {}",
                              where, show(value)));
      return;
    }
    for (const Node& item : value.items) {
      if (item.kind != Kind::mapping || item.entries.empty()) {
        fail(item, fmt::format("{}: an entry is a mapping from parameters to values; found {}",
                               where, item.kind == Kind::mapping ? "an empty one" : show(item)));
      } else {
        selections.push_back({reader_.read_all(item, where), item.line, item.column});
      }
    }
  }

  void read_execution(const Node& value) {
    if (!is_mapping(value, "execution", "execution: {threads: 4}")) return;
    const Shape shape{mapping_of(execution_members())};
    if (check(shape, value, "execution", found_)) {
      sweep_.execution = decode_members(execution_members(), node_to_json(value));
    }
  }

  bool is_mapping(const Node& value, const char* key, const char* example) {
    if (value.kind == Kind::mapping) return true;
    fail(value,
         fmt::format("{} must be a mapping, such as `{}`; found {}", key, example, show(value)));
    return false;
  }

  void keep_default(std::optional<Setting> setting) {
    if (setting) grid_.defaults.push_back(std::move(*setting));
  }

  void require() {
    if (root_.find("name") == nullptr) {
      fail(root_, "a sweep needs a `name`, by which its results are known");
    }
    if (root_.find("data") == nullptr && !result_.trainer) {
      fail(root_, "a sweep needs `data`, such as `data: {path: faces}`");
    }
  }

  void add_trials() {
    const std::int64_t points = count_points(grid_);
    if (points > kMostTrials) {
      found_.push_back(
          {grid_line_, grid_column_,
           fmt::format("the grid has more than {} points; split the sweep", kMostTrials)});
      return;
    }
    std::vector<GridTrial> trials = expand(grid_, warnings_);
    if (trials.empty()) found_.push_back({0, 0, "no trial is left: `exclude` takes all"});
    if (!result_.trainer) {
      require_architectures(trials);
      require_weights_of_one_architecture(trials);
      find_contradictions(grid_, trials, reader_.unread(), found_, warnings_);
    }
    for (GridTrial& trial : trials) result_.trials.push_back(std::move(trial.spec));
    note_swept();
  }

  void require_architectures(const std::vector<GridTrial>& trials) {
    const auto missing = std::count_if(trials.begin(), trials.end(), [](const GridTrial& trial) {
      return trial.spec.architecture.empty();
    });
    const bool may_be_misread = !grid_is_read_ || reader_.has_refused_keys() ||
                                reader_.unread().contains(find_trial_parameter("architecture"));
    if (missing == 0 || may_be_misread) return;
    found_.push_back(
        {0, 0,
         fmt::format("{} without an `architecture`; name one in `grid:`, "
                     "`training:` or `include:`: {}",
                     missing == 1 ? "a trial is" : fmt::format("{} trials are", missing),
                     fmt::join(architecture_names(), ", "))});
  }

  void require_weights_of_one_architecture(const std::vector<GridTrial>& trials) {
    const Setting* weights = find_setting(grid_.defaults, *find_trial_parameter("weights"));
    if (weights == nullptr || !weights->holder.weights) return;
    const auto scripted = std::find_if(trials.begin(), trials.end(), [](const GridTrial& trial) {
      return is_torchscript(trial.spec.architecture);
    });
    if (scripted != trials.end()) {
      found_.push_back({weights->line, weights->column,
                        fmt::format("weights: {} brings its own; name the architecture that they "
                                    "are for: `weights: {{ARCHITECTURE: FILE}}`",
                                    scripted->spec.architecture)});
      return;
    }
    const auto other = std::find_if(trials.begin(), trials.end(), [&](const GridTrial& trial) {
      return trial.spec.architecture != trials.front().spec.architecture;
    });
    if (other == trials.end()) return;
    found_.push_back({weights->line, weights->column,
                      fmt::format("weights: one file cannot serve {0} and {1}; write `weights: "
                                  "{{{0}: FILE, {1}: FILE}}`",
                                  trials.front().spec.architecture, other->spec.architecture)});
  }

  void note_swept() {
    const std::vector<Trial>& trials = result_.trials;
    for (const TrialParameter* parameter : parameters_->all()) {
      const bool varies = std::any_of(trials.begin(), trials.end(), [&](const Trial& trial) {
        return !parameter->equal(trial, trials.front());
      });
      if (varies) sweep_.swept.push_back(parameter->name);
    }
  }

  void note_warnings() {
    sort_by_place(warnings_);
    for (const Diagnostic& warning : warnings_) {
      sweep_.warnings.push_back(to_string(warning, file_));
    }
  }

  const Node& root_;
  std::filesystem::path file_;
  std::filesystem::path folder_;
  std::vector<Diagnostic> found_;
  std::vector<Diagnostic> warnings_;
  const std::unique_ptr<ParameterTable> parameters_;
  SettingReader reader_;
  SweepFile result_;
  SweepSpec& sweep_;  // of the result
  Grid grid_;
  int grid_line_ = 0;
  int grid_column_ = 0;
  bool grid_is_read_ = true;
  bool weights_are_read_ = false;
  bool exclude_is_read_ = true;
};

}  // namespace

SweepFile parse_sweep_file(const std::string& source, const std::filesystem::path& file) {
  std::vector<Diagnostic> found;
  const Node root = read_document(source, file, found);
  return SweepParser(root, source, file, std::move(found)).parse();
}

}  // namespace ranksweep::sweeps
