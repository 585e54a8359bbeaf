// Random changes to sweep files: whatever comes, the parser gives a sweep or a SweepError. The seed
// is printed; RANKSWEEP_FUZZ_SEED and RANKSWEEP_FUZZ_RUNS choose others.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sweeps/plan.h"
#include "sweeps/starter_sweep.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : std::stoull(value);
}

// The sweeps in a folder, but the one that is close to a million trials.
std::vector<std::string> texts_in(const char* folder) {
  std::vector<std::string> texts;
  const auto path = std::filesystem::path(RANKSWEEP_SOURCE_DIR) / folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() != ".yaml" || entry.path().stem() == "too_many_trials") continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  std::sort(texts.begin(), texts.end());  // so that a seed means the same on every machine
  return texts;
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) { good_.push_back(starter_sweep()); }

  std::string mutated() {
    const auto& texts = below(2) == 0 ? good_ : bad_;
    std::string text = texts[below(texts.size())];
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }

  std::string piece_of(const std::string& text) {
    const std::size_t first = below(text.size());
    return text.substr(first, below(40));
  }

  void change(std::string& text) {
    static const std::vector<std::string> kTokens = {":",       ": ",
                                                     "- ",      "[",
                                                     "]",       "{",
                                                     "}",       ",",
                                                     "&a ",     "*a",
                                                     "<<: ",    "? ",
                                                     "!!str",   "|\n",
                                                     ">\n",     "\"",
                                                     "'",       "#",
                                                     "%",       "---\n",
                                                     "\t",      "\n",
                                                     "\r\n",    "  ",
                                                     "~",       "true",
                                                     ".nan",    "-1",
                                                     "0",       "1e400",
                                                     "none",    "yes",
                                                     "seed",    "epochs",
                                                     "frozen",  "include:\n",
                                                     "\xC3",    "\xE2\x82\xAC",
                                                     "\\u0000", "\x7F",
                                                     "\\x",     "9999999999999999999999",
                                                     "[[[[[[",  "{{{{{{"};
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 1:
        text.erase(at, below(20));
        break;
      case 2:
        text.insert(at, piece_of(bad_[below(bad_.size())]));
        break;
      case 3:
        text.insert(at, piece_of(text));
        break;
      case 4:
        if (!text.empty()) text[below(text.size())] = static_cast<char>(below(256));
        break;
      default:
        text.resize(at);
    }
  }

  std::mt19937_64 random_;
  std::vector<std::string> good_ = texts_in("sweeps/examples");
  std::vector<std::string> bad_ = texts_in("tests/sweeps/bad");
};

TEST(ParserFuzz, GivesASweepOrASweepError) {
  const std::uint64_t seed = from_environment("RANKSWEEP_FUZZ_SEED", 1);
  const std::uint64_t runs = from_environment("RANKSWEEP_FUZZ_RUNS", 4000);
  std::cout << "RANKSWEEP_FUZZ_SEED=" << seed << " RANKSWEEP_FUZZ_RUNS=" << runs << std::endl;
  Mutator mutator(seed);
  std::uint64_t accepted = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::string text = mutator.mutated();
    try {
      const SweepFile file = parse_sweep_file(text, "fuzz.yaml");
      make_plan(file, "data");
      to_json(file.sweep.data).dump();
      ASSERT_FALSE(file.trials.empty());
      ++accepted;
    } catch (const SweepError& error) {
      ASSERT_FALSE(error.diagnostics().empty());
      ASSERT_NO_THROW(nlohmann::json(error.what()).dump()) << "the text is no UTF-8";
    } catch (const std::exception& error) {
      FAIL() << "run " << run << ": " << error.what() << "\n" << text;
    }
  }
  std::cout << accepted << " accepted" << std::endl;
  EXPECT_GT(accepted, runs / 100);  // or the ways after parsing are hardly walked
  EXPECT_LT(accepted, runs);
}

}  // namespace
}  // namespace ranksweep::sweeps
