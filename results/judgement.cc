#include "results/judgement.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <tuple>

namespace ranksweep::results {
namespace {

constexpr std::size_t kMostClasses = 12;
constexpr std::size_t kMostConfusions = 20;

const std::string& name_of_class(const std::vector<std::string>& classes, int index) {
  return classes.at(static_cast<std::size_t>(index));
}

Table whole_matrix(const Judgement& judgement, const std::vector<std::string>& classes) {
  Table table{{{"class", "is \\ taken for"}}, {}};
  for (const std::string& name : classes) table.columns.push_back({name, name, Show::count});
  table.columns.push_back({"right", "right", Show::percent});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::vector<int>& counts = judgement.confusion[i];
    const int images = std::accumulate(counts.begin(), counts.end(), 0);
    auto& row = table.rows.emplace_back();
    row.emplace_back(classes[i]);
    for (int count : counts) row.emplace_back(std::int64_t{count});
    row.push_back(images > 0 ? Cell(static_cast<double>(counts[i]) / images) : Cell());
  }
  return table;
}

Table most_frequent(const Judgement& judgement, const std::vector<std::string>& classes) {
  std::vector<std::tuple<int, std::size_t, std::size_t>> confusions;  // how often, class, predicted
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (std::size_t j = 0; j < classes.size(); ++j) {
      const int count = judgement.confusion[i][j];
      if (i != j && count > 0) confusions.emplace_back(-count, i, j);
    }
  }
  std::ranges::sort(confusions);
  Table table{{{"class", "is"}, {"taken_for", "taken for"}, {"images", "images"}}, {}};
  for (std::size_t k = 0; k < std::min(kMostConfusions, confusions.size()); ++k) {
    const auto& [count, i, j] = confusions[k];
    table.rows.push_back({classes[i], classes[j], std::int64_t{-count}});
  }
  return table;
}

}  // namespace

Judgement judge(const sweeps::Predictions& predictions, const std::vector<JudgedImage>& images) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  const bool fits = predictions.log_probabilities.size() == images.size() * classes &&
                    std::ranges::all_of(
                        images, [&](const auto& each) { return each.label < predictions.classes; });
  if (!fits) return {};
  Judgement judgement;
  judgement.confusion.assign(classes, std::vector<int>(classes));
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto row = std::span(predictions.log_probabilities).subspan(i * classes, classes);
    const auto likeliest = std::ranges::max_element(row) - row.begin();
    const auto label = static_cast<std::size_t>(images[i].label);
    ++judgement.confusion[label][static_cast<std::size_t>(likeliest)];
    if (likeliest == images[i].label) continue;
    judgement.mistakes.push_back({images[i].file, images[i].label, static_cast<int>(likeliest),
                                  std::exp(row[static_cast<std::size_t>(likeliest)])});
  }
  std::ranges::stable_sort(judgement.mistakes, std::greater(), &Mistake::probability);
  return judgement;
}

Table confusion_table(const Judgement& judgement, const std::vector<std::string>& classes) {
  return classes.size() <= kMostClasses ? whole_matrix(judgement, classes)
                                        : most_frequent(judgement, classes);
}

Table mistake_table(const Judgement& judgement, const std::vector<std::string>& classes,
                    std::size_t limit) {
  Table table{{{"image", "image"},
               {"class", "is"},
               {"taken_for", "taken for"},
               {"probability", "with", Show::percent}},
              {}};
  for (std::size_t i = 0; i < std::min(limit, judgement.mistakes.size()); ++i) {
    const Mistake& mistake = judgement.mistakes[i];
    table.rows.push_back({mistake.file, name_of_class(classes, mistake.label),
                          name_of_class(classes, mistake.taken_for), mistake.probability});
  }
  return table;
}

}  // namespace ranksweep::results
