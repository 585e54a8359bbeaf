#include "worker/data/cache_file.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>

namespace ranksweep::worker {
namespace {

constexpr std::array<char, 8> kMagic = {'r', 's', 'w', 'c', 'a', 'c', 'h', '1'};
constexpr std::size_t kHeaderBytes = 4096;

std::size_t align8(std::size_t size) { return (size + 7) / 8 * 8; }

std::uint64_t hash_header(const CacheHeader& header) {
  return XXH3_64bits(&header, offsetof(CacheHeader, header_hash));
}

template <typename T>
std::span<const std::uint8_t> as_bytes(const T* values, std::size_t count) {
  return {reinterpret_cast<const std::uint8_t*>(values), count * sizeof(T)};
}

}  // namespace

std::unique_ptr<CacheFile> CacheFile::open(const std::filesystem::path& path, int height,
                                           int width) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0 ||
      status.st_size < static_cast<off_t>(kHeaderBytes)) {
    return nullptr;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (bytes == MAP_FAILED) return nullptr;
  std::unique_ptr<CacheFile> cache(new CacheFile(static_cast<const std::uint8_t*>(bytes), size));
  return cache->read(height, width) ? std::move(cache) : nullptr;
}

CacheFile::~CacheFile() { munmap(const_cast<std::uint8_t*>(bytes_), size_); }

bool CacheFile::read(int height, int width) {
  std::memcpy(&header_, bytes_, sizeof(header_));
  if (header_.magic != kMagic || header_.header_hash != hash_header(header_) ||
      header_.height != height || header_.width != width) {
    return false;
  }
  const std::size_t image_bytes = static_cast<std::size_t>(height) * width * 3;
  const auto images = static_cast<std::size_t>(
      std::accumulate(header_.images.begin(), header_.images.end(), std::int64_t{0}));
  const std::size_t labels = align8(kHeaderBytes + images * image_bytes);
  const std::size_t details = labels + images * sizeof(std::int64_t);
  if (size_ != details + static_cast<std::size_t>(header_.details_bytes)) return false;
  if (XXH3_64bits(bytes_ + kHeaderBytes, size_ - kHeaderBytes) != header_.body_hash) return false;

  const std::uint8_t* pixels = bytes_ + kHeaderBytes;
  const auto* label = reinterpret_cast<const std::int64_t*>(bytes_ + labels);
  for (std::size_t s = 0; s < splits_.size(); ++s) {
    const auto count = static_cast<std::size_t>(header_.images[s]);
    splits_[s] = {{pixels, count * image_bytes}, {label, count}};
    pixels += count * image_bytes;
    label += count;
  }
  for (const auto& file : nlohmann::json::parse(bytes_ + details, bytes_ + size_)) {
    bad_files_.push_back({file.at(0), file.at(1)});
  }
  return true;
}

CacheWriter::CacheWriter(std::filesystem::path path, int height, int width, std::size_t images)
    : path_(std::move(path)),
      partial_(path_.string() + ".partial"),
      reserved_(kHeaderBytes +
                images * (static_cast<std::size_t>(height) * width * 3 + sizeof(std::int64_t))),
      size_(kHeaderBytes),
      file_(::open(partial_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)),
      hash_(XXH3_createState(), XXH3_freeState) {
  if (file_.get() < 0) fail(errno);
  if (const int error = posix_fallocate(file_.get(), 0, static_cast<off_t>(reserved_))) {
    unlink(partial_.c_str());
    fail(error);
  }
  header_.magic = kMagic;
  header_.height = height;
  header_.width = width;
  XXH3_64bits_reset(hash_.get());
}

CacheWriter::~CacheWriter() { unlink(partial_.c_str()); }

void CacheWriter::add(std::size_t split, std::span<const std::uint8_t> pixels, std::int64_t label) {
  append(pixels);
  labels_.push_back(label);
  ++header_.images[split];
}

void CacheWriter::finish(const std::vector<BadFile>& bad_files) {
  append(std::vector<std::uint8_t>(align8(size_) - size_));
  append(as_bytes(labels_.data(), labels_.size()));
  nlohmann::json bad = nlohmann::json::array();
  for (const BadFile& file : bad_files) bad.push_back({file.name, file.reason});
  // A file's name may be no UTF-8.
  const std::string details = bad.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  append(as_bytes(details.data(), details.size()));
  header_.details_bytes = static_cast<std::int64_t>(details.size());
  header_.body_hash = XXH3_64bits_digest(hash_.get());
  header_.header_hash = hash_header(header_);
  write_at(as_bytes(&header_, 1), 0);
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 || fsync(file_.get()) != 0 ||
      rename(partial_.c_str(), path_.c_str()) != 0) {
    fail(errno);
  }
}

void CacheWriter::append(std::span<const std::uint8_t> bytes) {
  XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
  write_at(bytes, size_);
  size_ += bytes.size();
}

void CacheWriter::write_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
}

void CacheWriter::fail(int error) const {
  const std::filesystem::path folder = path_.parent_path();
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw CacheError(
        fmt::format("{}: no room for the decoded images: {} bytes are needed; free some "
                    "space, or set RANKSWEEP_CACHE to another folder",
                    folder.string(), reserved_));
  }
  throw CacheError(
      fmt::format("{}: the decoded images cannot be written: {}; make it writable, or "
                  "set RANKSWEEP_CACHE to another folder",
                  folder.string(), std::strerror(error)));
}

}  // namespace ranksweep::worker
