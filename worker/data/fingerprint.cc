#include "worker/data/fingerprint.h"

#include <string_view>
#include <xxhash.h>

#include <fmt/format.h>

#include "sweeps/trial_id.h"
#include "worker/data/file_bytes.h"
#include "worker/data/image.h"
#include "worker/data/parallel.h"
#include "worker/data/problems.h"

namespace ranksweep::worker {

using sweeps::DataSpec;

std::uint64_t content_hash(std::span<const std::uint8_t> bytes) {
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  return hash == kUnreadable ? 1 : hash;
}

std::vector<NamedSplit> splits_of(const DataSet& data) {
  return {{"train", &data.train}, {"val", &data.validation}, {"test", &data.test}};
}

std::string combine_fingerprint(const DataSet& data, const FileHashes& hashes) {
  // Every text ends with a zero byte, which no name holds: different listings give different texts.
  std::string listing = "ranksweep data 1";
  const auto append = [&listing](std::string_view text) {
    listing += text;
    listing += '\0';
  };
  for (const std::string& name : data.classes) append(name);
  const std::vector<NamedSplit> splits = splits_of(data);
  for (std::size_t s = 0; s < splits.size(); ++s) {
    append("");
    append(splits[s].name);
    for (std::size_t i = 0; i < splits[s].samples->size(); ++i) {
      const Sample& sample = (*splits[s].samples)[i];
      append(sample.name);
      append(fmt::format("{} {:016x}", sample.label, hashes[s][i]));
    }
  }
  return sweeps::hash_hex(listing);
}

FileHashes hash_files(const DataSet& data, DataSpec::OnBadFile on_bad_file) {
  FileHashes hashes;
  Problems problems;
  for (const NamedSplit& split : splits_of(data)) {
    const std::vector<Sample>& samples = *split.samples;
    std::vector<std::uint64_t> split_hashes(samples.size(), kUnreadable);
    std::vector<std::string> reasons(samples.size());
    parallel_for(samples.size(), [&](std::size_t i) {
      try {
        split_hashes[i] = content_hash(read_file(samples[i].path));
      } catch (const ImageError& error) {
        reasons[i] = error.what();
      }
    });
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (!reasons[i].empty()) problems.add(fmt::format("{} {}", samples[i].name, reasons[i]));
    }
    hashes.push_back(std::move(split_hashes));
  }
  if (on_bad_file == DataSpec::OnBadFile::fail) {
    problems.throw_if_any(
        "some images cannot be read; mend or remove them, or set on_bad_file: skip");
  }
  return hashes;
}

std::string fingerprint(const DataSet& data, DataSpec::OnBadFile on_bad_file) {
  return combine_fingerprint(data, hash_files(data, on_bad_file));
}

}  // namespace ranksweep::worker
