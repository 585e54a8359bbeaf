#include "results/model_card.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/report_tables.h"
#include "results/sweep_store.h"
#include "results/tables.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

constexpr const char* kUse = R"(
## Use

`model.pt` is a TorchScript module. It takes images of any size as `uint8` numbers of shape
[N, height, width, 3], RGB and upright, resizes and normalises them as in training, and gives
probabilities of shape [N, classes], whose rows sum to 1.

```python
import numpy, torch
from PIL import Image

model = torch.jit.load("model.pt")
with Image.open("image.jpg") as image:
    image.draft("RGB", tuple(reversed(model.image_size)))  # as in training: big files decoded small
    pixels = torch.from_numpy(numpy.array(image.convert("RGB"))).unsqueeze(0)
print(dict(zip(model.classes, model(pixels)[0].tolist())))
```

In C++ it is `torch::jit::load("model.pt").forward({pixels})`. `weights.safetensors` has the
parameters under their names, `classes.txt` the classes in the order of the probabilities.
)";

std::string plain(const std::string& text) { return escape_markdown(one_line(valid_utf8(text))); }

RankedTrial find(const std::vector<RankedTrial>& ranking, const sweeps::TrialId& trial) {
  const auto found = std::ranges::find(ranking, trial, &RankedTrial::trial);
  if (found == ranking.end() || !found->best_epoch) {
    throw StoreError(fmt::format("trial {} has no complete epoch", trial.short_hex()));
  }
  return *found;
}

Table score_table(const RankedTrial& trial) {
  Table table{{{"score", "score"}, {"value", "value"}}, {}};
  table.rows = {{"validation loss", show_cell(*trial.val_loss, Show::loss)},
                {"validation accuracy", show_cell(trial.val_accuracy.value_or(0), Show::percent)},
                {"epoch", std::int64_t{*trial.best_epoch}}};
  if (const auto interval = accuracy_interval(trial)) {
    table.rows.insert(table.rows.begin() + 2,
                      {"its 95 % interval", fmt::format("{:.1f} to {:.1f} %", interval->low * 100,
                                                        interval->high * 100)});
  }
  return table;
}

std::string caution(const SweepInfo& sweep, const std::vector<RankedTrial>& ranking,
                    const RankedTrial& trial) {
  const auto ranked =
      std::ranges::count_if(ranking, [](const auto& each) { return each.rank.has_value(); });
  std::string text = fmt::format(
      "Loss and accuracy are those of {} validation images, at the epoch with the smallest loss on "
      "them.",
      trial.val_images);
  if (ranked > 1) {
    text += fmt::format(
        " {} trials were ranked by these same images, so the scores of the best ones flatter "
        "them.",
        ranked);
  }
  if (sweep.test_images == 0) text += " No images were kept apart for a test.";
  return text;
}

}  // namespace

std::string model_card(ResultsReader& reader, const sweeps::TrialId& trial) {
  SweepInfo sweep;
  std::vector<RankedTrial> ranking;
  std::vector<Invocation> invocations;
  Table parameters{{{"name", "parameter"}, {"value", "value"}}, {}};
  reader.at_one_moment([&] {
    sweep = reader.sweep();
    ranking = reader.ranking();
    invocations = reader.invocations();
    for (const Parameter& each : reader.parameters(trial)) {
      parameters.rows.push_back({each.name, each.value});
    }
  });
  const RankedTrial standing = find(ranking, trial);
  const auto section = [](const std::string& title, const Table& table) {
    return fmt::format("\n## {}\n\n{}", title, render(table, TableFormat::markdown));
  };
  std::string text =
      fmt::format("# {}\n\nAn image classifier: {}. Trial {} of the sweep {}{}.\n",
                  plain(standing.description.empty() ? sweep.name : standing.description),
                  plain(fmt::format("{}", fmt::join(sweep.classes, " or "))), trial.hex(),
                  plain(sweep.name), standing.rank ? fmt::format(", rank {}", *standing.rank) : "");
  text += kUse;
  text +=
      section("Scores", score_table(standing)) + "\n" + caution(sweep, ranking, standing) + "\n";
  text += section("Parameters", parameters);
  text += section("Where it came from", provenance_table(sweep, invocations));
  return text;
}

}  // namespace ranksweep::results
