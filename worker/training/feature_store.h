#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include <torch/torch.h>

#include "worker/data/cache_folder.h"

namespace ranksweep::worker {

// Passes of frozen bases over image sets: [N, F] of float32 on the CPU, by a key that names
// everything which decides their bits. The trainers of a node share them through the cache folder,
// KEYHASH.features, where one computes a pass while the others wait; a damaged file is computed
// again. What the folder cannot take is kept in this trainer's memory alone.
class FeatureStore {
 public:
  struct Limits {  // bytes; the least recently used go first
    std::uint64_t folder = std::uint64_t{16} << 30;
    std::uint64_t memory = std::uint64_t{4} << 30;  // passes in use are always kept
  };
  struct Counts {      // of passes since the store was made
    int used = 0;      // asked for
    int computed = 0;  // here
  };
  using Compute = std::function<torch::Tensor()>;
  using Waiting = std::function<void()>;  // called every 10 ms

  explicit FeatureStore(std::filesystem::path folder = default_cache_folder())
      : FeatureStore(std::move(folder), Limits()) {}
  FeatureStore(std::filesystem::path folder, Limits limits);

  // The pass of `key`, computed by this call only when nobody has it. What `compute` and `waiting`
  // throw, it throws. Never written to.
  torch::Tensor get(const std::string& key, const Compute& compute, const Waiting& waiting);
  // Computes a pass that will be wanted, unless it is there or in work. Whether it did.
  bool prepare(const std::string& key, const Compute& compute);

  const Counts& counts() const { return counts_; }

 private:
  struct Pass {
    std::string key;
    torch::Tensor features;
  };

  std::filesystem::path file_of(const std::string& key) const;
  std::optional<torch::Tensor> recall(const std::string& key);
  std::optional<torch::Tensor> read(const std::string& key);
  bool write(const std::string& key, const torch::Tensor& features);
  void make_room(std::uint64_t bytes) const;
  torch::Tensor compute_and_keep(const std::string& key, const Compute& compute);
  torch::Tensor remember(const std::string& key, torch::Tensor features);

  std::filesystem::path folder_;
  Limits limits_;
  Counts counts_;
  std::list<Pass> passes_;  // the most recently used first
};

}  // namespace ranksweep::worker
