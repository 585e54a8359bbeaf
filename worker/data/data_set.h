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
  std::string name;            // relative to the data set's folder, unique; what people are shown
};

// The images of a sweep, by split, each split in a fixed order (sorted by name), so that the index
// of a sample is the same on every node and in every attempt.
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

// A DataError that is the fault of the place where the cache of decoded images is kept.
class CacheError : public DataError {
 public:
  using DataError::DataError;
};

// Lists the images of `data`: names only, nothing is decoded. Three layouts:
// - a folder with train/CLASS/, val/CLASS/ and, if wanted, test/CLASS/;
// - a folder of CLASS/ folders and `validation_fraction`: split by stratified_split();
// - a CSV manifest with the columns path, label and, if wanted, group (or person) and split.
// In a folder CLASS/GROUP/FILE puts an image into a group; files right below CLASS/ have none.
// Every file is a sample, whatever its name ends in, except hidden ones and Thumbs.db, desktop.ini.
// Throws DataError: a folder that is not there or cannot be read, fewer than two classes, an empty
// split or class, a class that train and validation do not share.
DataSet list_data_set(const sweeps::DataSpec& data);

// Identifies the content: 32 hexadecimal digits over splits, classes, names and the files' bytes.
// Independent of where the folder lies, and of groups. Throws DataError that lists the files which
// cannot be read; with OnBadFile::skip such a file counts as unreadable instead.
std::string fingerprint(const DataSet& data, sweeps::DataSpec::OnBadFile on_bad_file =
                                                 sweeps::DataSpec::OnBadFile::fail);

}  // namespace ranksweep::worker
