#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "sweeps/sweep_spec.h"

namespace ranksweep::worker {

// One image file and what is known of it without opening it.
struct Sample {
  std::filesystem::path path;  // absolute
  int label = 0;               // index into DataSet::classes
  std::string group;           // person, place, camera: never in two splits; may be empty
};

// The images of a sweep, by split, each split in a fixed order (sorted by relative path), so that
// the index of a sample is the same on every node and in every attempt.
struct DataSet {
  std::vector<std::string> classes;  // sorted
  std::vector<Sample> train;
  std::vector<Sample> validation;
  std::vector<Sample> test;  // may be empty
};

// The data cannot be used. what() has one problem a line: place, reason, remedy.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Lists the images of `data`: names only, nothing is decoded. Throws DataError: a folder that is
// not there or cannot be read, fewer than two classes, an empty split or class, a class in one
// split only.
DataSet list_data_set(const sweeps::DataSpec& data);

// Identifies the content: 32 hexadecimal digits over splits, classes, names and the files' bytes.
// Independent of where the folder lies. Throws DataError.
std::string fingerprint(const DataSet& data);

}  // namespace ranksweep::worker
