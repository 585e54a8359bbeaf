#include "worker/data/problems.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "worker/data/data_set.h"

namespace ranksweep::worker {

void Problems::throw_if_any(const std::string& headline) const {
  constexpr std::size_t kShown = 20;
  if (problems_.empty()) return;
  const auto end =
      problems_.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, problems_.size()));
  std::string text = fmt::format("{}", fmt::join(problems_.begin(), end, "\n"));
  if (!headline.empty()) text = headline + "\n" + text;
  if (problems_.size() > kShown)
    text += fmt::format("\n... and {} more", problems_.size() - kShown);
  throw DataError(text);
}

}  // namespace ranksweep::worker
