#include "tools/cli/explanation_sheet.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/table.h"
#include "results/text.h"
#include "tools/cli/exit_code.h"
#include "worker/augmentation/contact_sheet.h"

namespace ranksweep::cli {
namespace {

constexpr std::size_t kLabelWidth = 40;  // letters

std::string label_of(const std::string& path, const ImageAnswers& answers,
                     const ImageAnswer& answer) {
  const auto likeliest = std::ranges::max_element(answer.probabilities);
  const auto index = static_cast<std::size_t>(likeliest - answer.probabilities.begin());
  const std::string name =
      results::one_line(results::valid_utf8(std::filesystem::path(path).filename().string()));
  return fmt::format("{}: {} {}", results::cut_to_width(name, kLabelWidth),
                     answers.classes.at(index),
                     results::show_cell(*likeliest, results::Show::percent));
}

}  // namespace

void write_explanation_sheet(const std::vector<std::string>& paths, const ImageAnswers& answers,
                             const std::filesystem::path& picture) {
  std::vector<worker::ContactRow> rows;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const ImageAnswer& answer = answers.images[i];
    if (!answer.error.empty()) continue;
    const auto [height, width] = answers.image_size;
    const worker::Image image = worker::decode_image_file(paths[i], height, width);
    rows.push_back(
        {label_of(paths[i], answers, answer), {image, draw_occlusion(image, answer.occlusion)}});
  }
  if (rows.empty()) {
    throw CommandError(ExitCode::bad_input, "there is nothing to explain: no image could be read");
  }
  try {
    worker::write_contact_sheet({"image", "red for, blue against"}, rows, picture);
  } catch (const std::runtime_error& error) {
    throw CommandError(ExitCode::unfit, error.what());
  }
}

}  // namespace ranksweep::cli
