#include "sweeps/external_trainer.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "sweeps/trial_id.h"

namespace ranksweep::sweeps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostWords = 1000;

Member<ExternalTrainer> words_member(const char* name,
                                     std::vector<std::string> ExternalTrainer::*words,
                                     std::size_t fewest, const char* each, const char* doc) {
  return {name,
          doc,
          {List{{{Text{each}}}, fewest, kMostWords}},
          [words, fewest](const ExternalTrainer& trainer) {
            return fewest > 0 && (trainer.*words).empty() ? json("") : json(trainer.*words);
          },
          [words](ExternalTrainer& trainer, const json& value) {
            trainer.*words = value.get<std::vector<std::string>>();
          }};
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_program(const fs::path& path) { return is_file(path) && ::access(path.c_str(), X_OK) == 0; }

bool is_in_search_path(const std::string& name) {
  const char* search_path = std::getenv("PATH");
  std::istringstream folders(search_path != nullptr ? search_path : "/bin:/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (is_program(fs::path(folder) / name)) return true;
  }
  return false;
}

// What keeps `program` from being started in `folder`; empty when nothing does.
std::string problem_with(const std::string& program, const fs::path& folder) {
  const fs::path file = (folder / program).lexically_normal();
  if (program.find('/') == std::string::npos) {
    if (is_in_search_path(program)) return "";
    return is_file(file)
               ? fmt::format(
                     "`{0}` is not in PATH, but beside the sweep file; write "
                     "`./{0}`, or its interpreter first: [python3, {0}]",
                     program)
               : fmt::format("there is no program `{}` in PATH; name it by its path", program);
  }
  if (is_program(file)) return "";
  return is_file(file) ? fmt::format(
                             "{} is not executable; chmod +x it, or name its interpreter first: "
                             "[python3, {}]",
                             file.string(), program)
                       : fmt::format("there is no program {}", file.string());
}

// A line of the text that is hashed. Lengths keep names apart that contain what separates them.
std::string entry(const std::string& name, const std::string& content) {
  return fmt::format("{} {} {}\n", name.size(), name, content);
}

std::string entries_of(const std::string& input, const fs::path& folder) {
  const fs::path path = folder / input;
  if (!fs::is_directory(path)) return entry(input, hash_hex_of_file(path));
  std::vector<fs::path> files;
  for (const auto& each : fs::recursive_directory_iterator(path)) {
    if (each.is_regular_file()) files.push_back(each.path());
  }
  std::sort(files.begin(), files.end());
  std::string text = entry(input, "folder");
  for (const fs::path& file : files) {
    text += entry(file.lexically_relative(path).string(), hash_hex_of_file(file));
  }
  return text;
}

}  // namespace

const std::vector<Member<ExternalTrainer>>& external_trainer_members() {
  static const std::vector<Member<ExternalTrainer>> members = {
      words_member("command", &ExternalTrainer::command, 1, "a word of a command",
                   "The program and its arguments, started in the sweep file's folder; a program "
                   "without a slash is looked for in PATH"),
      words_member("inputs", &ExternalTrainer::inputs, 0, "the path of a file or folder",
                   "Files and folders whose content decides what trials compute, and so is part of "
                   "their identity; relative to the sweep file"),
  };
  return members;
}

ExternalTrainer read_external_trainer(const Node& block, const fs::path& folder,
                                      std::vector<Diagnostic>& found) {
  ExternalTrainer trainer;
  if (!check({mapping_of(external_trainer_members())}, block, "trainer", found)) return trainer;
  trainer = decode_members(external_trainer_members(), node_to_json(block));
  trainer.folder = folder;
  const Node& program = block.find("command")->value.items.front();
  if (const std::string problem = problem_with(program.text, folder); !problem.empty()) {
    found.push_back({program.line, program.column, "trainer.command: " + problem});
  }
  for (std::size_t i = 0; i < trainer.inputs.size(); ++i) {
    const Node& input = block.find("inputs")->value.items[i];
    const fs::path path = (folder / input.text).lexically_normal();
    std::error_code error;
    if (!fs::is_regular_file(path, error) && !fs::is_directory(path, error)) {
      found.push_back(
          {input.line, input.column,
           fmt::format("trainer.inputs: there is no file or folder {}", path.string())});
    }
  }
  return trainer;
}

std::string fingerprint(const ExternalTrainer& trainer) {
  std::string text;
  for (const std::string& word : trainer.command) text += entry("command", word);
  for (const std::string& input : trainer.inputs) text += entries_of(input, trainer.folder);
  return hash_hex(text);
}

}  // namespace ranksweep::sweeps
