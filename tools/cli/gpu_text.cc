#include "tools/cli/gpu_text.h"

#include <cstddef>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ranksweep::cli {

std::string names_text(const std::vector<cluster::Gpu>& gpus) {
  constexpr std::size_t kEnough = std::string_view("GPU-8932f937").size();
  std::vector<std::string> names;
  for (const cluster::Gpu& gpu : gpus) {
    names.push_back(fmt::format("cuda:{} ({})", names.size(), gpu.name.substr(0, kEnough)));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string links_text(const std::vector<cluster::Gpu>& gpus) {
  std::map<cluster::Nearness, std::vector<std::string>> pairs;
  for (std::size_t one = 0; one < gpus.size(); ++one) {
    for (std::size_t other = one + 1; other < gpus.size(); ++other) {
      const auto found = gpus[one].near.find(gpus[other].name);
      if (found == gpus[one].near.end()) return "not known";
      pairs[found->second].push_back(fmt::format("{}-{}", one, other));
    }
  }
  if (pairs.empty()) return "";
  const auto farthest = std::prev(pairs.end());
  std::string text;
  for (auto each = pairs.begin(); each != farthest; ++each) {
    text += fmt::format("{} {}; ", name_of(each->first), fmt::join(each->second, ", "));
  }
  return text +
         fmt::format("{} between all{}", name_of(farthest->first), text.empty() ? "" : " others");
}

}  // namespace ranksweep::cli
