# cmake -D INPUT=FILE -D NAME=kName -D OUTPUT=FILE.cc -P embed.cmake
# Turns a file into the constants that embedded_files.h declares: its bytes as kName, and their
# SHA-256 in base64 as kNameSha256.

file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")

# Base64 of 32 bytes: each three bytes, six hexadecimal digits, are four letters; of the last group
# one byte is missing.
file(SHA256 ${INPUT} hash)
set(letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
set(base64 "")
foreach(at RANGE 0 60 6)
  string(SUBSTRING "${hash}00" ${at} 6 group)
  foreach(shift 18 12 6 0)
    math(EXPR index "(0x${group} >> ${shift}) & 63")
    string(SUBSTRING ${letters} ${index} 1 letter)
    string(APPEND base64 ${letter})
  endforeach()
endforeach()
string(REGEX REPLACE ".$" "=" base64 ${base64})

file(WRITE ${OUTPUT}
"#include \"results/embedded_files.h\"

namespace ranksweep::results {
static const unsigned char kBytes[] = {
${bytes}
};
extern const std::string_view ${NAME}(reinterpret_cast<const char*>(kBytes), sizeof(kBytes));
extern const std::string_view ${NAME}Sha256(\"${base64}\");
}  // namespace ranksweep::results
")
