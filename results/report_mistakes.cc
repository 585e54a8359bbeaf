#include "results/report_mistakes.h"

#include <fmt/format.h>

#include "results/html.h"
#include "results/text.h"
#include "sweeps/base64.h"

namespace ranksweep::results {
namespace {

// Of all thumbnails of a page, so that it stays small whatever draws them.
constexpr std::size_t kMostThumbnailBytes = std::size_t{512} * 1024;

// The images of a gallery, and what became of them.
struct Gallery {
  std::string html;
  std::size_t shown = 0;
  std::size_t drawn = 0;
  std::size_t explained = 0;
};

std::string picture(const std::string& jpeg, const std::string& alternative) {
  return fmt::format("<img src=\"data:image/jpeg;base64,{}\" alt=\"{}\">",
                     sweeps::encode_base64(jpeg), html_text(alternative));
}

Gallery draw(const Judgement& judgement, const SweepInfo& sweep, const ReportOptions& options) {
  const auto name = [&](int index) { return sweep.classes.at(static_cast<std::size_t>(index)); };
  Gallery gallery;
  std::size_t bytes = 0;
  const auto drawn_by = [&](const Thumbnail& thumbnail, const std::string& file) {
    auto jpeg = thumbnail ? thumbnail(sweep, file) : std::nullopt;
    if (jpeg && bytes + jpeg->size() > kMostThumbnailBytes) jpeg.reset();
    if (jpeg) bytes += jpeg->size();
    return jpeg;
  };
  for (const Mistake& mistake : judgement.mistakes) {
    if (gallery.shown == kMostMistakes) break;
    ++gallery.shown;
    const auto jpeg = drawn_by(options.thumbnail, mistake.file);
    const auto explanation = drawn_by(options.explanation, mistake.file);
    if (jpeg) ++gallery.drawn;
    if (explanation) ++gallery.explained;
    const std::string sentence =
        fmt::format("{} taken for {}, {}", name(mistake.label), name(mistake.taken_for),
                    show_cell(mistake.probability, Show::percent));
    gallery.html += fmt::format(
        "<figure>{}{}<figcaption><bdi>{}</bdi><span "
        "class=\"file\"><bdi>{}</bdi></span></figcaption>"
        "</figure>\n",
        jpeg ? picture(*jpeg, mistake.file) : "<div class=\"no-image\">not there</div>",
        explanation ? picture(*explanation, "what " + mistake.file + " is judged by") : "",
        html_text(sentence), html_text(mistake.file));
  }
  return gallery;
}

std::string gallery_section(const JudgedTrial& judged, const SweepInfo& sweep,
                            const ReportOptions& options) {
  const std::size_t mistakes = judged.validation.mistakes.size();
  if (mistakes == 0) {
    return "<p class=\"hint\">The best trial gets no validation image wrong.</p>\n";
  }
  const Gallery gallery = draw(judged.validation, sweep, options);
  std::string hint = fmt::format(
      "The {} that the best trial gets wrong, the surest mistakes first{}.",
      mistakes == 1 ? "one validation image" : fmt::format("{} validation images", mistakes),
      gallery.shown < mistakes ? fmt::format(": the first {}", gallery.shown) : "");
  if (gallery.drawn < gallery.shown) {
    hint += fmt::format(" {} of them could not be drawn from {}.", gallery.shown - gallery.drawn,
                        sweep.data_path);
  }
  if (gallery.explained > 0) {
    hint +=
        " Below an image: red is what speaks for the mistake, blue what speaks against it, by how "
        "far the odds fall when that part is hidden.";
  }
  return fmt::format(
      "<h3>Images it gets wrong</h3>\n<p class=\"hint\">{}</p>\n<div "
      "class=\"gallery\">\n{}</div>\n",
      html_text(hint, 600), gallery.html);
}

std::string matrix(const Judgement& judgement, const SweepInfo& sweep, const std::string& id,
                   const std::string& caption) {
  return html_table(confusion_table(judgement, sweep.classes), {id, caption});
}

}  // namespace

ReportSection mistakes_section(const ReportData& data, const ReportOptions& options) {
  std::string html =
      "<p class=\"hint\">A row is what the images are, a column what the network takes them for, "
      "at its best epoch.</p>\n<div class=\"split\">\n";
  for (std::size_t i = 0; i < data.judgements.size(); ++i) {
    const JudgedTrial& judged = data.judgements[i];
    html += fmt::format("<div><h3>{}. <bdi>{}</bdi></h3>\n", judged.trial->position,
                        html_text(judged.trial->description));
    html += matrix(judged.validation, data.sweep, fmt::format("confusion-{}", i),
                   fmt::format("Validation images, trial {}.", judged.trial->position));
    if (!judged.test.confusion.empty()) {
      html += matrix(judged.test, data.sweep, fmt::format("test-confusion-{}", i),
                     fmt::format("Test images, trial {}.", judged.trial->position));
    }
    html += "</div>\n";
  }
  html += "</div>\n" + gallery_section(data.judgements.front(), data.sweep, options);
  return {"mistakes", "What the best trials get wrong", html};
}

}  // namespace ranksweep::results
