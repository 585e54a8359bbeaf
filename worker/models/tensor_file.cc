#include "worker/models/tensor_file.h"

#include <string_view>
#include <utility>

#include "sweeps/trial_id.h"
#include "worker/models/durable_file.h"

namespace ranksweep::worker {
namespace {

constexpr const char* kChecksum = "checksum";

std::string dtype_of(const torch::Tensor& tensor) {
  if (tensor.scalar_type() == torch::kFloat32) return "F32";
  if (tensor.scalar_type() == torch::kInt64) return "I64";
  throw std::invalid_argument(std::string("tensors of type ") + toString(tensor.scalar_type()) +
                              " are not written");
}

torch::Tensor plain_copy(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kCPU).contiguous();
}

std::string_view bytes_of(const torch::Tensor& plain) {
  return {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()};
}

// Hash of the metadata (without the checksum) and, one after the other, of every array's hash.
class Checksum {
 public:
  explicit Checksum(const Metadata& metadata) {
    for (const auto& [key, value] : metadata) {
      if (key != kChecksum) text_ += key + '\0' + value + '\0';
    }
  }
  void add(const std::string& name, std::string_view bytes) {
    text_ += name + '\0' + sweeps::hash_hex(bytes);
  }
  std::string value() const { return sweeps::hash_hex(text_); }

 private:
  std::string text_;
};

}  // namespace

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors,
                   Metadata metadata) {
  std::vector<ArrayInfo> arrays;
  Checksum checksum(metadata);
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = std::exchange(end, end + tensor.nbytes());
    arrays.push_back({name, dtype_of(tensor), tensor.sizes().vec(), begin, end});
    checksum.add(name, bytes_of(plain_copy(tensor)));
  }
  metadata[kChecksum] = checksum.value();

  DurableFile file(path);
  file.write(make_safetensors_header(metadata, arrays));
  for (const auto& [name, tensor] : tensors) file.write(bytes_of(plain_copy(tensor)));
  file.commit();
}

void verify_checksum(const SafetensorsFile& file) {
  const SafetensorsHeader& header = file.header();
  Checksum checksum(header.metadata);
  for (const ArrayInfo& array : header.arrays) {
    const auto bytes = file.bytes(array);
    checksum.add(array.name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  if (checksum_of(file) != checksum.value()) {
    throw SafetensorsError("the checksum does not fit the content");
  }
}

std::string checksum_of(const SafetensorsFile& file) {
  const auto noted = file.header().metadata.find(kChecksum);
  return noted == file.header().metadata.end() ? "" : noted->second;
}

void read_into(torch::Tensor tensor, const SafetensorsFile& file, const ArrayInfo& array) {
  if (array.shape != tensor.sizes().vec()) {
    throw SafetensorsError(array.name + ": shape " + shape_text(array.shape) + ", not " +
                           shape_text(tensor.sizes()));
  }
  if (array.dtype != dtype_of(tensor)) {
    throw SafetensorsError(array.name + ": type " + array.dtype + ", not " + dtype_of(tensor));
  }
  const torch::NoGradGuard no_gradients;
  // The mapped bytes may be unaligned, so they are copied as bytes first.
  const auto bytes = file.bytes(array);
  const torch::Tensor plain = torch::empty(array.shape, tensor.scalar_type());
  std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(plain.data_ptr()));
  tensor.copy_(plain);
}

std::string shape_text(torch::IntArrayRef shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

}  // namespace ranksweep::worker
