#include "worker/data/decoded_split.h"

#include <optional>

#include <fmt/format.h>

#include "worker/data/cache_file.h"
#include "worker/data/file_bytes.h"
#include "worker/data/fingerprint.h"
#include "worker/data/image.h"
#include "worker/data/parallel.h"
#include "worker/data/problems.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;
using sweeps::DataSpec;

constexpr std::size_t kImagesAtOnce = 256;  // decoded in memory before they are written

// A sample on its way into the cache.
struct Outcome {
  std::optional<Image> image;  // none: bad
  std::string reason;
  std::uint64_t hash = kUnreadable;
};

Outcome decode_sample(const Sample& sample, int height, int width) {
  Outcome outcome;
  try {
    const std::vector<std::uint8_t> bytes = read_file(sample.path);
    outcome.hash = content_hash(bytes);
    outcome.image = decode_image(bytes, height, width);
  } catch (const ImageError& error) {
    outcome.reason = error.what();
  } catch (const std::bad_alloc&) {
    throw DataError(fmt::format("{}: not enough memory to decode it", sample.path.string()));
  }
  return outcome;
}

std::size_t count_samples(const DataSet& data) {
  return data.train.size() + data.validation.size() + data.test.size();
}

// Decodes everything into `writer`.
class CacheBuilder {
 public:
  CacheBuilder(const DataSet& data, int height, int width, CacheWriter& writer,
               const DecodeProgress& progress)
      : data_(data), height_(height), width_(width), writer_(writer), progress_(progress) {}

  void decode_all() {
    const std::vector<NamedSplit> splits = splits_of(data_);
    for (std::size_t s = 0; s < splits.size(); ++s) {
      hashes_.emplace_back();
      for (std::size_t begin = 0; begin < splits[s].samples->size(); begin += kImagesAtOnce) {
        const std::size_t rest = splits[s].samples->size() - begin;
        add(s, std::span(*splits[s].samples).subspan(begin, std::min(rest, kImagesAtOnce)));
        if (progress_) progress_(done_, count_samples(data_));
      }
    }
  }

  const std::vector<BadFile>& bad_files() const { return bad_files_; }
  std::string fingerprint() const { return combine_fingerprint(data_, hashes_); }

 private:
  void add(std::size_t split, std::span<const Sample> samples) {
    std::vector<Outcome> outcomes(samples.size());
    parallel_for(samples.size(),
                 [&](std::size_t i) { outcomes[i] = decode_sample(samples[i], height_, width_); });
    for (std::size_t i = 0; i < samples.size(); ++i) {
      hashes_.back().push_back(outcomes[i].hash);
      if (outcomes[i].image) {
        writer_.add(split, outcomes[i].image->pixels, samples[i].label);
      } else {
        bad_files_.push_back({samples[i].name, outcomes[i].reason});
      }
    }
    done_ += samples.size();
  }

  const DataSet& data_;
  int height_;
  int width_;
  CacheWriter& writer_;
  const DecodeProgress& progress_;
  std::vector<std::vector<std::uint64_t>> hashes_;
  std::vector<BadFile> bad_files_;
  std::size_t done_ = 0;
};

void refuse_bad_files(const std::vector<BadFile>& files) {
  Problems problems;
  for (const BadFile& file : files) problems.add(fmt::format("{} {}", file.name, file.reason));
  problems.throw_if_any(
      fmt::format("{} of the images cannot be used; mend or remove them, or set on_bad_file: skip",
                  files.size()));
}

void build(const DataSet& data, const DataSpec& spec, const std::string& fingerprint,
           const fs::path& path, int height, int width, const DecodeProgress& progress) {
  CacheWriter writer(path, height, width, count_samples(data));
  CacheBuilder builder(data, height, width, writer, progress);
  builder.decode_all();
  if (spec.on_bad_file == DataSpec::OnBadFile::fail) refuse_bad_files(builder.bad_files());
  if (builder.fingerprint() != fingerprint) {
    throw DataError(
        fmt::format("{}: the images are not those that the sweep was planned with (fingerprint {}, "
                    "planned {}): "
                    "a file was changed, added or removed; restore them, or plan the sweep anew",
                    spec.path.string(), builder.fingerprint(), fingerprint));
  }
  writer.finish(builder.bad_files());
}

}  // namespace

DecodedData::DecodedData(std::unique_ptr<CacheFile> file) : file_(std::move(file)) {}
DecodedData::DecodedData(DecodedData&&) noexcept = default;
DecodedData& DecodedData::operator=(DecodedData&&) noexcept = default;
DecodedData::~DecodedData() = default;
int DecodedData::height() const { return file_->header().height; }
int DecodedData::width() const { return file_->header().width; }
const DecodedSplit& DecodedData::train() const { return file_->split(0); }
const DecodedSplit& DecodedData::validation() const { return file_->split(1); }
const DecodedSplit& DecodedData::test() const { return file_->split(2); }
const std::vector<BadFile>& DecodedData::bad_files() const { return file_->bad_files(); }

DecodedData open_decoded(const DataSet& data, const DataSpec& spec, const std::string& fingerprint,
                         int height, int width, const fs::path& cache_folder,
                         const DecodeProgress& progress) {
  const fs::path path = cache_folder / fmt::format("{}-{}x{}-v{}.images", fingerprint, height,
                                                   width, kDecoderVersion);
  std::unique_ptr<CacheFile> file = CacheFile::open(path, height, width);
  if (!file) {
    create_cache_folder(cache_folder);
    const BuildLock lock = BuildLock::acquire(path, [&] {
      if (progress) progress(0, count_samples(data));
    });
    file = CacheFile::open(path, height, width);  // another process may have built it meanwhile
    if (!file) {
      build(data, spec, fingerprint, path, height, width, progress);
      file = CacheFile::open(path, height, width);
    }
  }
  if (!file) {
    throw CacheError(
        fmt::format("{}: reads back damaged right after it was written; check the disk, "
                    "or set RANKSWEEP_CACHE to a folder on another one",
                    path.string()));
  }
  if (spec.on_bad_file == DataSpec::OnBadFile::fail) refuse_bad_files(file->bad_files());
  return DecodedData(std::move(file));
}

}  // namespace ranksweep::worker
