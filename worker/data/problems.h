#pragma once

#include <string>
#include <vector>

namespace ranksweep::worker {

// Collects what is wrong with a data set, so that people see all of it at once.
class Problems {
 public:
  void add(std::string problem) { problems_.push_back(std::move(problem)); }
  bool empty() const { return problems_.empty(); }
  // Throws DataError with `headline` (may be empty), the first 20 problems, one a line, and the
  // number of all when there are more. Does nothing when there are none.
  void throw_if_any(const std::string& headline = "") const;

 private:
  std::vector<std::string> problems_;
};

}  // namespace ranksweep::worker
