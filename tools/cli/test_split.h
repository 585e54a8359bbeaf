#pragma once

#include <filesystem>
#include <future>
#include <string>

#include <nlohmann/json.hpp>

#include "results/sweep_store.h"

namespace ranksweep::cli {

// What is left to do when all trials of a run have ended, while rank 0 looks after the others.
class FinalWork {
 public:
  virtual ~FinalWork() = default;
  // Nothing is left to do.
  virtual bool done() const = 0;
  // To be called from time to time once all trials have ended. Throws CommandError when the weights
  // are not there or the trainer cannot do it, StoreError.
  virtual void advance() = 0;
};

struct TestSplitOptions {
  std::filesystem::path database;
  std::filesystem::path trainer;  // empty: an external one, which keeps checkpoints of its own
  nlohmann::json data;            // as for Assign
  std::string device;
  int threads = 1;
};

// Evaluates the test split on the weights of the trial of rank 1, unless that has been done or
// there is no test split or no trainer that could, and keeps the result in the store, which is the
// database's. The trainer works in another thread's care, so that the ranks are looked after
// meanwhile. A signal that stops the program stops the trainer too, and then this is never done.
class TestSplit : public FinalWork {
 public:
  // `store` must outlive it. Throws StoreError.
  TestSplit(TestSplitOptions options, results::SweepStore& store);

  bool done() const override { return done_; }
  void advance() override;

 private:
  void begin();

  TestSplitOptions options_;
  results::SweepStore& store_;
  bool done_ = false;
  std::future<results::TestEvaluated> evaluation_;
};

}  // namespace ranksweep::cli
