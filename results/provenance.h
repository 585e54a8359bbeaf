#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ranksweep::results {

// An image that networks are judged by.
struct JudgedImage {
  std::string file;  // relative to the data set's folder
  int label = 0;     // index into the classes
};

// Where a sweep's numbers come from: what a reader needs, months later, to judge or repeat them.
struct Provenance {
  std::string source;  // the sweep file's YAML text
  std::filesystem::path data_path;
  std::vector<std::string> classes;
  int train_images = 0;
  std::vector<JudgedImage> validation;  // both in the order in which trainers take them
  std::vector<JudgedImage> test;
  std::string command_line;
  std::string host;
  // By name, as the report lists it: "ranksweep": "0.1.0", "LibTorch", "MPI", "CUDA", "NCCL",
  // "CPU", "GPU", "git commit", "git changes".
  std::map<std::string, std::string> environment;
};

}  // namespace ranksweep::results
