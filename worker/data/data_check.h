#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "worker/data/data_set.h"
#include "worker/data/decoded_split.h"

namespace ranksweep::worker {

// What a look at all images of a data set says about it.
struct DataReport {
  struct Split {
    std::string name;                   // "train", "val", "test"
    std::vector<std::size_t> by_class;  // images
    std::size_t groups = 0;             // different ones
    std::size_t images() const;
  };
  // Files that are, or look, the same. Names as Sample::name.
  struct Duplicates {
    std::vector<std::string> names;
    bool across_splits = false;
    bool across_classes = false;
  };
  struct SharedGroup {
    std::string name;
    std::vector<std::string> splits;
  };

  std::vector<std::string> classes;
  std::vector<Split> splits;  // empty ones left out
  double imbalance = 1;       // images to train on of the largest class over those of the smallest
  std::vector<BadFile> bad_files;
  std::vector<Duplicates> same_bytes;       // sets of two files or more
  std::vector<Duplicates> near_duplicates;  // pairs; see near_duplicates.h
  std::vector<SharedGroup> shared_groups;

  // Something of one split is in another: a duplicate or a group.
  bool has_leakage() const;
};

// Reads and decodes every image.
DataReport check_data(const DataSet& data);

// For people: a table of counts, then what was found, the first 20 of each kind.
std::string to_text(const DataReport& report);
// All of it.
nlohmann::json to_json(const DataReport& report);

}  // namespace ranksweep::worker
