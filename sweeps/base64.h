#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ranksweep::sweeps {

// Base64 with the standard alphabet and padding (RFC 4648, section 4), on one line.
std::string encode_base64(std::string_view bytes);
// Nothing for text that encode_base64 does not write.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace ranksweep::sweeps
