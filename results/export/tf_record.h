#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ranksweep::results {

// CRC-32C (Castagnoli), as RFC 3720 defines it.
std::uint32_t crc32c(std::string_view bytes);

// `data` framed as TensorFlow's record files hold it: length, checksum, data, checksum, in little
// endian (https://www.tensorflow.org/tutorials/load_data/tfrecord).
std::string tf_record(std::string_view data);

}  // namespace ranksweep::results
