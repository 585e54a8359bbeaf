#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "worker/data/data_check.h"

namespace ranksweep::worker {
namespace {

constexpr std::size_t kShown = 20;
constexpr double kWorthSaying = 1.5;  // times more images of one class than of another

std::string counts_table(const DataReport& report) {
  std::size_t width = 6;
  for (const std::string& name : report.classes) width = std::max(width, name.size());
  std::string text = fmt::format("{:6}", "split");
  for (const std::string& name : report.classes) text += fmt::format("  {:>{}}", name, width);
  text += fmt::format("  {:>6}  {:>6}\n", "images", "groups");
  for (const DataReport::Split& split : report.splits) {
    text += fmt::format("{:6}", split.name);
    for (const std::size_t count : split.by_class) text += fmt::format("  {:>{}}", count, width);
    text += fmt::format("  {:>6}  {:>6}\n", split.images(), split.groups);
  }
  return text;
}

// A heading with the number of entries, then the first of them. Nothing for none.
template <typename Entry, typename Describe>
std::string section(const std::string& heading, const std::vector<Entry>& entries,
                    Describe describe) {
  if (entries.empty()) return "";
  std::string text = fmt::format("\n{}: {}\n", heading, entries.size());
  for (std::size_t i = 0; i < std::min(kShown, entries.size()); ++i) {
    text += fmt::format("  {}\n", describe(entries[i]));
  }
  if (entries.size() > kShown) text += fmt::format("  ... and {} more\n", entries.size() - kShown);
  return text;
}

std::string describe_duplicates(const DataReport::Duplicates& duplicates) {
  return fmt::format("{}{}{}", fmt::join(duplicates.names, ", "),
                     duplicates.across_splits ? " (LEAKAGE: in different splits)" : "",
                     duplicates.across_classes ? " (in different classes)" : "");
}

nlohmann::json duplicates_json(const std::vector<DataReport::Duplicates>& sets) {
  nlohmann::json array = nlohmann::json::array();
  for (const auto& set : sets) {
    array.push_back({{"files", set.names},
                     {"across_splits", set.across_splits},
                     {"across_classes", set.across_classes}});
  }
  return array;
}

}  // namespace

std::string to_text(const DataReport& report) {
  std::string text = counts_table(report);
  if (report.imbalance >= kWorthSaying) {
    text += fmt::format(
        "\nThe largest class has {:.1f} times the images of the smallest to train on; think of "
        "class_weights: balanced.\n",
        report.imbalance);
  }
  text += section("Files that do not decode", report.bad_files,
                  [](const BadFile& file) { return fmt::format("{} {}", file.name, file.reason); });
  text += section("Groups in more than one split (LEAKAGE)", report.shared_groups,
                  [](const DataReport::SharedGroup& group) {
                    return fmt::format("{}: {}", group.name, fmt::join(group.splits, ", "));
                  });
  text += section("Sets of files with the same bytes", report.same_bytes, describe_duplicates);
  text +=
      section("Pairs of images that look the same", report.near_duplicates, describe_duplicates);
  text += report.has_leakage() ? "\nLeakage: validation would be told what training has seen.\n"
                               : "\nNo leakage found.\n";
  return text;
}

nlohmann::json to_json(const DataReport& report) {
  nlohmann::json json = {{"classes", report.classes},
                         {"imbalance", report.imbalance},
                         {"splits", nlohmann::json::array()},
                         {"bad_files", nlohmann::json::array()},
                         {"same_bytes", duplicates_json(report.same_bytes)},
                         {"near_duplicates", duplicates_json(report.near_duplicates)},
                         {"shared_groups", nlohmann::json::array()},
                         {"leakage", report.has_leakage()}};
  for (const DataReport::Split& split : report.splits) {
    nlohmann::json by_class;
    for (std::size_t c = 0; c < report.classes.size(); ++c) {
      by_class[report.classes[c]] = split.by_class[c];
    }
    json["splits"].push_back({{"name", split.name},
                              {"images", split.images()},
                              {"by_class", by_class},
                              {"groups", split.groups}});
  }
  for (const BadFile& file : report.bad_files) {
    json["bad_files"].push_back({{"file", file.name}, {"reason", file.reason}});
  }
  for (const DataReport::SharedGroup& group : report.shared_groups) {
    json["shared_groups"].push_back({{"group", group.name}, {"splits", group.splits}});
  }
  return json;
}

}  // namespace ranksweep::worker
