#include "sweeps/sweep_file.h"

#include <fstream>
#include <iterator>
#include <system_error>

namespace ranksweep::sweeps {
namespace {

std::string read_text(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw SweepError(file, {{0, 0, "there is no such file"}});
  }
  std::ifstream stream(file, std::ios::binary);
  std::string source{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw SweepError(file, {{0, 0, "the file cannot be read"}});
  return source;
}

}  // namespace

SweepFile load_sweep_file(const std::filesystem::path& file) {
  return parse_sweep_file(read_text(file), file);
}

SweepSpec parse_sweep(const std::string& source, const std::filesystem::path& file) {
  SweepFile parsed = parse_sweep_file(source, file);
  if (parsed.trainer) {
    throw SweepError(file,
                     {{0, 0,
                       "its trials are an external trainer's (`trainer:`), of which only that "
                       "trainer knows what they train"}});
  }
  parsed.sweep.trials.assign(parsed.trials.begin(), parsed.trials.end());
  return std::move(parsed.sweep);
}

SweepSpec load_sweep(const std::filesystem::path& file) {
  return parse_sweep(read_text(file), file);
}

}  // namespace ranksweep::sweeps
