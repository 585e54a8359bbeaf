// Prints each sweep file as JSON, one a line: its path, and its content as the parser's reader sees
// it, or null where it is no YAML. For tests by programs without a YAML reader of the same rules.
#include <fstream>
#include <iostream>
#include <iterator>

#include "sweeps/document.h"

int main(int count, char** arguments) {
  using namespace ranksweep::sweeps;
  for (int i = 1; i < count; ++i) {
    std::ifstream stream(arguments[i], std::ios::binary);
    const std::string source{std::istreambuf_iterator<char>(stream), {}};
    std::vector<Diagnostic> found;
    nlohmann::json line = {{"path", arguments[i]}, {"content", nullptr}};
    try {
      const Node root = read_document(source, arguments[i], found);
      if (found.empty()) line["content"] = node_to_json(root);
    } catch (const SweepError&) {
    }
    std::cout << line.dump() << "\n";
  }
}
