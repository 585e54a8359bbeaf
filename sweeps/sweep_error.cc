#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {
namespace {

std::vector<Diagnostic> in_order(std::vector<Diagnostic> diagnostics) {
  sort_by_place(diagnostics);
  return diagnostics;
}

std::string join(const std::filesystem::path& file, const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += (text.empty() ? "" : "\n") + to_string(diagnostic, file);
  }
  return text;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic, const std::filesystem::path& file) {
  if (diagnostic.line == 0) return fmt::format("{}: {}", file.string(), diagnostic.message);
  return fmt::format("{}:{}:{}: {}", file.string(), diagnostic.line, diagnostic.column,
                     diagnostic.message);
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
}

SweepError::SweepError(const std::filesystem::path& file, std::vector<Diagnostic> diagnostics)
    : std::runtime_error(join(file, in_order(diagnostics))),
      diagnostics_(in_order(std::move(diagnostics))) {}

}  // namespace ranksweep::sweeps
