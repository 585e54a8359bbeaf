# cmake -D INPUT=FILE -D NAME=kName -D OUTPUT=FILE.cc -P embed.cmake
# Turns a file into the constant that embedded_files.h declares.
file(READ ${INPUT} _hex HEX)
string(REGEX REPLACE "(................................................)" "\\1\n" _hex "${_hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _bytes "${_hex}")
file(WRITE ${OUTPUT}
"#include \"results/embedded_files.h\"

namespace ranksweep::results {
static const unsigned char kBytes[] = {
${_bytes}
};
const std::string_view ${NAME}(reinterpret_cast<const char*>(kBytes), sizeof(kBytes));
}  // namespace ranksweep::results
")
