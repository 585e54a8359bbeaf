#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/report_sections.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

using nlohmann::ordered_json;

// Six digits are more than a chart can show, and halve the file.
ordered_json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

ordered_json rounded(const std::optional<double>& value) {
  return value ? rounded(*value) : ordered_json(nullptr);
}

std::string label(const std::string& text) { return cut_to_width(one_line(valid_utf8(text)), 160); }

ordered_json curve_json(const Curve& curve) {
  ordered_json json = {{"label", label(curve.trial->description)},
                       {"best", curve.trial->best_epoch.value_or(0)}};
  for (const char* name : {"epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy"}) {
    json[name] = ordered_json::array();
  }
  for (std::size_t i : shown_epochs(curve)) {
    const sweeps::EpochMetrics& epoch = curve.epochs[i];
    json["epoch"].push_back(epoch.epoch);
    json["train_loss"].push_back(rounded(epoch.train_loss));
    json["val_loss"].push_back(rounded(epoch.val_loss));
    json["train_accuracy"].push_back(rounded(epoch.train_accuracy));
    json["val_accuracy"].push_back(rounded(epoch.val_accuracy));
  }
  return json;
}

// One entry for each swept parameter, in the order of report_sections.
ordered_json effects_json(const std::vector<Effect>& effects) {
  ordered_json json = ordered_json::array();
  std::string parameter;
  for (const Effect& effect : effects) {
    if (json.empty() || effect.parameter != parameter) {
      parameter = effect.parameter;
      json.push_back({{"parameter", label(parameter)}, {"values", ordered_json::array()}});
    }
    const double low = effect.min_val_loss.value_or(NAN);
    json.back()["values"].push_back({{"value", label(effect.value)},
                                     {"mean", rounded(effect.mean_val_loss)},
                                     {"min", rounded(low)},
                                     {"max", rounded(low + effect.spread.value_or(NAN))}});
  }
  return json;
}

ordered_json training_pairs_json(const std::vector<TrainingPair>& pairs) {
  ordered_json json = ordered_json::array();
  for (std::size_t i = 0; i < std::min(pairs.size(), kMostTrainingPairs); ++i) {
    json.push_back({{"label", label(pairs[i].description)},
                    {"frozen", rounded(pairs[i].frozen_val_loss)},
                    {"full", rounded(pairs[i].full_val_loss)}});
  }
  return json;
}

ordered_json gantt_json(const std::vector<Bar>& bars) {
  std::map<std::pair<int, std::string>, std::size_t> rows;
  const auto key = [](const Attempt& attempt) {
    return std::pair(attempt.rank, label(fmt::format("rank {}: {} {}", attempt.rank, attempt.host,
                                                     attempt.device)));
  };
  for (const Bar& bar : bars) rows[key(*bar.attempt)];
  ordered_json json = {{"rows", ordered_json::array()}, {"bars", ordered_json::array()}};
  for (auto& [row, index] : rows) {
    index = json["rows"].size();
    json["rows"].push_back(row.second);
  }
  const std::size_t step = bars.size() / kMostBars + 1;
  for (std::size_t i = 0; i < bars.size(); i += step) {
    const Bar& bar = bars[i];
    json["bars"].push_back({{"row", rows.at(key(*bar.attempt))},
                            {"begin", rounded(bar.begin)},
                            {"end", rounded(bar.end)},
                            {"outcome", bar.attempt->outcome},
                            {"label", label(bar.attempt->description)}});
  }
  return json;
}

}  // namespace

std::vector<std::size_t> shown_epochs(const Curve& curve) {
  std::vector<std::size_t> indices;
  const std::size_t count = curve.epochs.size();
  const std::size_t step = (count + kMostCurvePoints - 1) / kMostCurvePoints;
  for (std::size_t i = 0; i < count; ++i) {
    const bool best = curve.epochs[i].epoch == curve.trial->best_epoch;
    if (i % step == 0 || best || i + 1 == count) indices.push_back(i);
  }
  return indices;
}

std::string report_chart_data(const ReportData& data) {
  ordered_json json;
  json["curves"] = ordered_json::array();
  for (const Curve& curve : data.curves) json["curves"].push_back(curve_json(curve));
  json["effects"] = effects_json(data.effects);
  json["training_pairs"] = training_pairs_json(data.training_pairs);
  json["gantt"] = gantt_json(data.bars);
  return json.dump();
}

}  // namespace ranksweep::results
