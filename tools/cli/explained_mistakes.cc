#include "tools/cli/explained_mistakes.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "results/judgement.h"
#include "results/report_sections.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/classify_images.h"
#include "tools/cli/sweep_images.h"
#include "tools/cli/thumbnail.h"

namespace ranksweep::cli {
namespace {

// The files of the images that the report shows `trial` to get wrong.
std::vector<std::string> mistaken_files(results::ResultsReader& reader,
                                        const results::RankedTrial& trial) {
  const std::vector<results::JudgedImage> images = reader.images("validation");
  std::vector<std::string> files;
  reader.predictions("validation", {trial.row}, [&](std::int64_t, const auto& predictions) {
    for (const auto& mistake : results::judge(predictions, images).mistakes) {
      if (files.size() < results::kMostMistakes) files.push_back(mistake.file);
    }
  });
  return files;
}

}  // namespace

results::Thumbnail explain_mistakes(results::ResultsReader& reader,
                                    const std::filesystem::path& database) {
  const results::RankedTrial best = chosen_trial(reader, database, std::nullopt);
  const std::filesystem::path checkpoint = best_checkpoint(best, database);
  const std::vector<std::string> files = mistaken_files(reader, best);
  if (files.empty()) return {};
  const results::SweepInfo sweep = reader.sweep();
  std::vector<std::string> paths;
  for (const std::string& file : files) paths.push_back(path_of_image(sweep, file).string());
  const ImageAnswers answers = classify_images(checkpoint, paths, {.explain = true});
  std::map<std::string, std::string> pictures;  // by file
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto image = read_thumbnail(sweep, files[i]);
    if (!image || !answers.images[i].error.empty()) continue;
    pictures[files[i]] = encode_thumbnail(draw_occlusion(*image, answers.images[i].occlusion));
  }
  return [pictures = std::move(pictures)](const results::SweepInfo&, const std::string& file) {
    const auto found = pictures.find(file);
    return found == pictures.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace ranksweep::cli
