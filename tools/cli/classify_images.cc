#include "tools/cli/classify_images.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cluster/child_process.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/temporary_file.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

// What the trainer reads: the paths, a zero byte after each.
std::string list_of(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list.append(path.c_str(), path.size() + 1);
  return list;
}

ImageAnswer answer_from(const nlohmann::json& line) {
  ImageAnswer answer{.probabilities = {}, .occlusion = {}, .error = line.value("error", "")};
  if (answer.error.empty()) line.at("probabilities").get_to(answer.probabilities);
  if (line.contains("occlusion")) line["occlusion"].get_to(answer.occlusion);
  return answer;
}

}  // namespace

ImageAnswers classify_images(const std::filesystem::path& checkpoint,
                             const std::vector<std::string>& paths,
                             const ClassifyOptions& options) {
  const TemporaryFile list(list_of(paths));
  std::vector<std::string> command = {find_trainer().string(),
                                      "predict",
                                      checkpoint.string(),
                                      list.path().string(),
                                      "--device",
                                      options.device,
                                      "--batch",
                                      std::to_string(options.batch)};
  if (options.explain) command.emplace_back("--explain");
  set_trainer_environment();
  const std::string output = cluster::output_of(command);
  ImageAnswers answers;
  for (std::size_t begin = 0, end = 0; begin < output.size(); begin = end + 1) {
    end = std::min(output.find('\n', begin), output.size());
    const auto line = nlohmann::json::parse(output.substr(begin, end - begin), nullptr, false);
    if (!line.is_object()) continue;  // a warning of a library
    if (line.contains("classes")) {
      line["classes"].get_to(answers.classes);
      line["image_size"].get_to(answers.image_size);
    } else {
      answers.images.push_back(answer_from(line));
    }
  }
  if (answers.images.size() != paths.size()) {
    throw CommandError(ExitCode::unfit, "the trainer's answer is not whole:\n" + output);
  }
  return answers;
}

}  // namespace ranksweep::cli
