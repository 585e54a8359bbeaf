#include "sweeps/starter_sweep.h"

#include <map>

#include <fmt/format.h>

#include "sweeps/blocks.h"
#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {
namespace {

constexpr std::size_t kWidth = 96;

// `text` in comment lines.
std::string comment(std::string text, const std::string& indent) {
  std::string lines;
  while (text.size() + indent.size() + 2 > kWidth) {
    const std::size_t end = text.rfind(' ', kWidth - indent.size() - 2);
    if (end == std::string::npos) break;
    lines += indent + "# " + text.substr(0, end) + "\n";
    text = text.substr(end + 1);
  }
  return lines + indent + "# " + text + "\n";
}

// A parameter's meaning and value; in a comment when it is the default.
std::string entry(const std::string& name, const std::string& doc, const Shape& shape,
                  const nlohmann::json& fallback, const std::map<std::string, std::string>& given) {
  const auto value = given.find(name);
  const std::string line = value == given.end()
                               ? fmt::format("# {}: {}", name, to_yaml(shape, fallback))
                               : fmt::format("{}: {}", name, value->second);
  return fmt::format("{}  {}\n", comment(fmt::format("{} ({}).", doc, describe(shape)), "  "),
                     line);
}

std::string entries(const Mapping& mapping, const std::map<std::string, std::string>& given) {
  std::string lines;
  for (const Field& field : mapping.fields) {
    lines += entry(field.name, field.doc, field.shape, field.fallback, given);
  }
  return lines;
}

std::string entries(Block block, const std::map<std::string, std::string>& given) {
  std::string lines;
  for (const TrialParameter& parameter : trial_parameters()) {
    const nlohmann::json fallback = parameter.get(TrialSpec{});
    if (parameter.block == block && !must_be_given(fallback)) {
      lines += entry(parameter.block_name, parameter.doc, parameter.shape, fallback, given);
    }
  }
  return lines;
}

}  // namespace

std::string starter_sweep() {
  return "# A sweep for ranksweep. Look at its plan and its cost before it runs, then run it:\n"
         "#   ranksweep check FILE\n"
         "#   mpirun -n 2 ranksweep run FILE --db results.db\n"
         "# Lines such as `# seed: 0` show a parameter's default; docs/sweep_file.md explains "
         "all.\n"
         "name: my_sweep\n"
         "\n"
         "# The images, and how they are read.\n"
         "data:\n" +
         entries(mapping_of(data_members()), {{"path", "faces"}}) + entries(Block::data, {}) +
         "\n"
         "# What is tried: every combination of these values is a trial. Any parameter of "
         "`training:`\n"
         "# below may stand here with a list of values.\n"
         "grid:\n"
         "  architecture: [simple_cnn]\n"
         "  learning_rate: [1e-3, 1e-4]\n"
         "  augmentation: [none, flip]\n"
         "\n"
         "# Combinations to leave out, and trials to add.\n"
         "# exclude:\n"
         "#   - {learning_rate: 1e-4, augmentation: flip}\n"
         "# include:\n"
         "#   - {architecture: simple_cnn, learning_rate: 1e-2}\n"
         "\n"
         "# What all trials share.\n"
         "training:\n" +
         entries(Block::training, {{"epochs", "20"}}) +
         "\n"
         "# How trials are run; nothing here changes what they compute.\n"
         "execution:\n" +
         entries(mapping_of(execution_members()), {{"max_attempts", "3"}});
}

}  // namespace ranksweep::sweeps
