#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Files of named arrays in the safetensors format (https://huggingface.co/docs/safetensors): eight
// bytes with the length of a JSON header, the header, the arrays' bytes one after the other. Files
// come from anywhere, so nothing in them is believed before it is checked.
namespace ranksweep::worker {

// The file is not safetensors, or not whole. what() names the file and what is wrong with it.
class SafetensorsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ArrayInfo {
  std::string name;
  std::string dtype;  // "F32", "I64", ...
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes, from the end of the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<ArrayInfo> arrays;  // in the order of their bytes, which they cover without gaps
  std::uint64_t data_begin = 0;   // bytes, from the beginning of the file
};

// Bytes of one value of `dtype`; 0 when there is no such type.
std::uint64_t size_of_dtype(std::string_view dtype);

// Reads the header of a file whose bytes are `file`. Throws SafetensorsError.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file);

// A safetensors file mapped into memory. Throws SafetensorsError.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const SafetensorsHeader& header() const { return header_; }
  std::span<const std::byte> bytes(const ArrayInfo& array) const;

 private:
  std::filesystem::path path_;
  std::span<const std::byte> file_;
  SafetensorsHeader header_;
};

// The eight bytes of length and the header for arrays whose bytes follow in this order, the header
// padded so that the first array is aligned to 8 bytes.
std::string make_safetensors_header(const std::map<std::string, std::string>& metadata,
                                    const std::vector<ArrayInfo>& arrays);

}  // namespace ranksweep::worker
