#include "worker/models/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <set>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>

namespace ranksweep::worker {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaximumHeader = 100'000'000;  // the reference implementation's limit
constexpr const char* kMetadata = "__metadata__";

constexpr std::pair<const char*, std::uint64_t> kDtypes[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"U16", 2}, {"I16", 2}, {"F16", 2}, {"BF16", 2},
    {"U32", 4},  {"I32", 4}, {"F32", 4}, {"U64", 8}, {"I64", 8}, {"F64", 8},
};

[[noreturn]] void fail(const std::string& message) { throw SafetensorsError(message); }

// Parses the header and refuses what JSON parsers usually let pass: a name that comes twice.
Json parse_header(const char* begin, const char* end) {
  std::vector<std::set<std::string>> names;
  const auto on_event = [&](int /*depth*/, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(value).second) {
      fail("the header has the name \"" + value.get<std::string>() + "\" twice");
    }
    return true;
  };
  try {
    Json header = Json::parse(begin, end, on_event);
    if (!header.is_object()) fail("the header is no JSON object");
    return header;
  } catch (const Json::exception& error) {
    fail(std::string("the header is no JSON: ") + error.what());
  }
}

// A member that must be a list of non-negative whole numbers.
std::vector<std::int64_t> read_numbers(const std::string& name, const Json& array,
                                       const char* member) {
  std::vector<std::int64_t> numbers;
  const auto found = array.find(member);
  if (found == array.end() || !found->is_array()) fail(name + ": no list " + member);
  for (const Json& each : *found) {
    if (!each.is_number_unsigned() ||
        each.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      fail(name + ": " + member + " holds something else than whole numbers from 0");
    }
    numbers.push_back(each);
  }
  return numbers;
}

ArrayInfo read_array(const std::string& name, const Json& array, std::uint64_t data_size) {
  if (!array.is_object()) fail(name + ": its entry is no JSON object");
  const auto dtype = array.find("dtype");
  if (dtype == array.end() || !dtype->is_string()) fail(name + ": no dtype");
  const std::uint64_t value_size = size_of_dtype(dtype->get_ref<const std::string&>());
  if (value_size == 0) fail(name + ": unknown dtype \"" + dtype->get<std::string>() + "\"");

  const auto offsets = read_numbers(name, array, "data_offsets");
  if (offsets.size() != 2) fail(name + ": data_offsets are not two");
  ArrayInfo info{name, *dtype, read_numbers(name, array, "shape"),
                 static_cast<std::uint64_t>(offsets[0]), static_cast<std::uint64_t>(offsets[1])};
  if (info.begin > info.end || info.end > data_size) {
    fail(name + ": its bytes " + std::to_string(info.begin) + " to " + std::to_string(info.end) +
         " lie outside of the file's " + std::to_string(data_size) +
         " bytes of data; the file may be truncated");
  }
  std::uint64_t size = value_size;
  for (const std::int64_t extent : info.shape) {
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) {
      fail(name + ": its shape is larger than any memory");
    }
  }
  if (size != info.end - info.begin) {
    fail(name + ": its shape and dtype take " + std::to_string(size) + " bytes, it has " +
         std::to_string(info.end - info.begin));
  }
  return info;
}

void read_metadata(const Json& entries, SafetensorsHeader& header) {
  if (!entries.is_object()) fail("__metadata__ is no JSON object");
  for (const auto& [key, value] : entries.items()) {
    if (!value.is_string()) fail("__metadata__: \"" + key + "\" is no string");
    header.metadata[key] = value;
  }
}

void check_coverage(const SafetensorsHeader& header, std::uint64_t data_size) {
  std::uint64_t covered = 0;
  for (const ArrayInfo& array : header.arrays) {
    if (array.begin < covered) fail(array.name + ": its bytes overlap with another's");
    if (array.begin > covered) fail(array.name + ": there is a gap before its bytes");
    covered = array.end;
  }
  if (covered != data_size) {
    fail(std::to_string(data_size - covered) + " bytes at the end belong to nothing");
  }
}

std::span<const std::byte> map_file(const std::filesystem::path& path) {
  const auto complain = [&](const char* what) {
    fail(path.string() + ": cannot " + what + ": " + std::strerror(errno));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) complain("open");
  struct stat status {};
  const bool known = fstat(descriptor, &status) == 0;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = nullptr;
  if (known && size > 0) memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (!known || memory == MAP_FAILED) complain("read");
  return {static_cast<const std::byte*>(memory), size};
}

}  // namespace

std::uint64_t size_of_dtype(std::string_view dtype) {
  for (const auto& [name, size] : kDtypes) {
    if (dtype == name) return size;
  }
  return 0;
}

SafetensorsHeader parse_safetensors(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) fail("shorter than eight bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);  // little-endian, as the machines we run on
  if (length > kMaximumHeader || length > file.size() - kLengthBytes) {
    fail("the header's length of " + std::to_string(length) +
         " bytes is more than there is or may be; no safetensors, or truncated");
  }
  const char* begin = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  const Json entries = parse_header(begin, begin + length);

  SafetensorsHeader header;
  header.data_begin = kLengthBytes + length;
  const std::uint64_t data_size = file.size() - header.data_begin;
  for (const auto& [name, entry] : entries.items()) {
    if (name == kMetadata) {
      read_metadata(entry, header);
    } else {
      header.arrays.push_back(read_array(name, entry, data_size));
    }
  }
  std::sort(header.arrays.begin(), header.arrays.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_coverage(header, data_size);
  return header;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(map_file(path)) {
  try {
    header_ = parse_safetensors(file_);
  } catch (const SafetensorsError& error) {
    if (!file_.empty()) munmap(const_cast<std::byte*>(file_.data()), file_.size());
    throw SafetensorsError(path.string() + ": " + error.what());
  }
}

SafetensorsFile::~SafetensorsFile() {
  if (!file_.empty()) munmap(const_cast<std::byte*>(file_.data()), file_.size());
}

std::span<const std::byte> SafetensorsFile::bytes(const ArrayInfo& array) const {
  return file_.subspan(header_.data_begin + array.begin, array.end - array.begin);
}

std::string make_safetensors_header(const std::map<std::string, std::string>& metadata,
                                    const std::vector<ArrayInfo>& arrays) {
  Json entries = {{kMetadata, metadata}};
  for (const ArrayInfo& array : arrays) {
    entries[array.name] = {
        {"dtype", array.dtype}, {"shape", array.shape}, {"data_offsets", {array.begin, array.end}}};
  }
  std::string header = entries.dump();
  header.resize((header.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  std::uint64_t length = header.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + header;
}

}  // namespace ranksweep::worker
