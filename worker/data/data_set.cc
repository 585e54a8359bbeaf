#include "worker/data/data_set.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "worker/data/manifest.h"
#include "worker/data/problems.h"
#include "worker/data/stratified_split.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;
using sweeps::DataSpec;

// What is in `folder`, sorted by name, without hidden files and those that Windows leaves behind.
std::vector<fs::directory_entry> list_folder(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini") continue;
    entries.push_back(*it);
  }
  if (error) {
    throw DataError(fmt::format("{}: cannot be listed: {}; check the path and its permissions",
                                folder.string(), error.message()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  return entries;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is no folder to go into
  return fs::is_directory(path, ignored);
}

// A file and its class by name: labels are numbered when all classes are known.
struct NamedSample {
  Sample sample;
  std::string class_name;
};

// The images of one class; `prefix` stands in front of their names.
void list_class(const fs::path& folder, const std::string& class_name, const std::string& prefix,
                std::vector<NamedSample>& samples) {
  const auto add = [&](const fs::path& file, const std::string& group) {
    const std::string name = prefix + file.lexically_relative(folder).generic_string();
    samples.push_back({{file, 0, group, name}, class_name});
  };
  for (const auto& entry : list_folder(folder)) {
    if (!is_folder(entry.path())) {
      add(entry.path(), "");
      continue;
    }
    const std::string group = entry.path().filename().string();
    for (const auto& member : list_folder(entry.path())) {
      if (is_folder(member.path())) {
        throw DataError(
            fmt::format("{}: folders lie too deep; an image is at CLASS/FILE or "
                        "CLASS/GROUP/FILE",
                        member.path().string()));
      }
      add(member.path(), group);
    }
  }
}

// The samples of a folder whose folders are classes.
std::vector<NamedSample> list_classes(const fs::path& folder, const std::string& prefix = "") {
  std::vector<NamedSample> samples;
  for (const auto& entry : list_folder(folder)) {
    if (!is_folder(entry.path())) continue;
    const std::size_t before = samples.size();
    const std::string class_name = entry.path().filename().string();
    list_class(entry.path(), class_name, prefix + class_name + "/", samples);
    if (samples.size() == before) {
      throw DataError(fmt::format("{}: is empty; fill this folder of a class, or remove it",
                                  entry.path().string()));
    }
  }
  return samples;
}

// Numbers the classes; the classes are those of all samples, sorted.
std::vector<std::string> number_classes(std::initializer_list<std::vector<NamedSample>*> splits) {
  std::set<std::string> names;
  for (const auto* samples : splits) {
    for (const NamedSample& named : *samples) names.insert(named.class_name);
  }
  std::vector<std::string> classes(names.begin(), names.end());
  for (auto* samples : splits) {
    for (NamedSample& named : *samples) {
      const auto place = std::lower_bound(classes.begin(), classes.end(), named.class_name);
      named.sample.label = static_cast<int>(place - classes.begin());
    }
  }
  return classes;
}

std::vector<Sample> sorted_by_name(const std::vector<NamedSample>& named) {
  std::vector<Sample> samples;
  for (const NamedSample& each : named) samples.push_back(each.sample);
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.name < b.name; });
  return samples;
}

struct NamedSplits {
  std::vector<NamedSample> train;
  std::vector<NamedSample> validation;
  std::vector<NamedSample> test;
};

DataSet assemble(NamedSplits splits) {
  DataSet data;
  data.classes = number_classes({&splits.train, &splits.validation, &splits.test});
  data.train = sorted_by_name(splits.train);
  data.validation = sorted_by_name(splits.validation);
  data.test = sorted_by_name(splits.test);
  return data;
}

DataSet split(std::vector<NamedSample> named, const DataSpec& spec) {
  DataSet data;
  data.classes = number_classes({&named});
  stratified_split(sorted_by_name(named), *spec.validation_fraction, spec.split_seed, data);
  return data;
}

[[noreturn]] void refuse_fraction(const fs::path& path, const char* where) {
  throw DataError(
      fmt::format("{}: {} already; remove validation_fraction, or point path at a "
                  "folder of classes",
                  path.string(), where));
}

DataSet list_folder_data(const DataSpec& spec) {
  const fs::path& root = spec.path;
  const bool has_train = is_folder(root / "train"), has_val = is_folder(root / "val");
  if (has_train && has_val) {
    if (spec.validation_fraction) refuse_fraction(root, "has train/ and val/");
    NamedSplits splits{
        list_classes(root / "train", "train/"), list_classes(root / "val", "val/"), {}};
    if (is_folder(root / "test")) splits.test = list_classes(root / "test", "test/");
    return assemble(std::move(splits));
  }
  if (has_train || has_val) {
    throw DataError(fmt::format("{}: has {}/ but no {}/; add it", root.string(),
                                has_train ? "train" : "val", has_train ? "val" : "train"));
  }
  if (spec.validation_fraction) return split(list_classes(root), spec);
  throw DataError(
      fmt::format("{}: has no train/ and val/ folders; add them, or set "
                  "validation_fraction to split a folder of classes",
                  root.string()));
}

DataSet list_manifest_data(const DataSpec& spec) {
  std::ifstream file(spec.path, std::ios::binary);
  if (!file) {
    throw DataError(fmt::format("{}: cannot be opened; check its permissions", spec.path.string()));
  }
  const std::vector<ManifestRow> rows = read_manifest(file, spec.path.string());
  const fs::path root = spec.path.parent_path();
  std::vector<NamedSample> all;
  NamedSplits splits;
  const bool has_split = !rows.empty() && !rows[0].split.empty();
  for (const ManifestRow& row : rows) {
    const fs::path path = (root / row.path).lexically_normal();
    auto& samples = row.split.empty()     ? all
                    : row.split == "val"  ? splits.validation
                    : row.split == "test" ? splits.test
                                          : splits.train;
    samples.push_back({{path, 0, row.group, row.path}, row.label});
  }
  if (has_split && spec.validation_fraction) refuse_fraction(spec.path, "has a column 'split'");
  if (has_split) return assemble(std::move(splits));
  if (spec.validation_fraction) return split(std::move(all), spec);
  throw DataError(
      fmt::format("{}: has no column 'split'; add it (train, val, test), or set "
                  "validation_fraction",
                  spec.path.string()));
}

void check_splits(const DataSet& data, const fs::path& path) {
  Problems problems;
  if (data.train.empty()) problems.add(fmt::format("{}: no images to train on", path.string()));
  if (data.validation.empty())
    problems.add(fmt::format("{}: no images to validate on", path.string()));
  problems.throw_if_any();
  if (data.classes.size() < 2) {
    throw DataError(fmt::format("{}: there is one class, '{}'; a classifier needs two or more",
                                path.string(), data.classes[0]));
  }
  const auto has_class = [](const std::vector<Sample>& samples, std::size_t c) {
    return std::any_of(samples.begin(), samples.end(),
                       [c](const Sample& s) { return s.label == static_cast<int>(c); });
  };
  for (std::size_t c = 0; c < data.classes.size(); ++c) {
    const bool in_train = has_class(data.train, c), in_val = has_class(data.validation, c);
    if (in_train && in_val) continue;
    problems.add(
        fmt::format("{}: class '{}' has no images in {}; each class must be in train and "
                    "val, under the same name",
                    path.string(), data.classes[c],
                    in_train ? "val"
                    : in_val ? "train"
                             : "train and val"));
  }
  problems.throw_if_any();
}

}  // namespace

DataSet list_data_set(const DataSpec& spec) {
  std::error_code error;
  const fs::file_status status = fs::status(spec.path, error);
  if (!fs::exists(status)) {
    throw DataError(fmt::format("{}: {}; give the folder of the images, or a CSV manifest",
                                spec.path.string(), error ? error.message() : "is not there"));
  }
  if (spec.validation_fraction &&
      !(*spec.validation_fraction > 0 && *spec.validation_fraction < 1)) {
    throw DataError(fmt::format("validation_fraction is {}; it must lie between 0 and 1",
                                *spec.validation_fraction));
  }
  DataSet data = fs::is_directory(status) ? list_folder_data(spec) : list_manifest_data(spec);
  check_splits(data, spec.path);
  return data;
}

}  // namespace ranksweep::worker
