#include "cluster/process_tree.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace ranksweep::cluster {
namespace {

struct Process {
  pid_t parent = 0;
  std::string name;
};

// From "PID (NAME) STATE PARENT ...", where the name may hold anything.
Process parse_stat(const std::string& text) {
  const std::size_t begin = text.find('(') + 1;
  const std::size_t end = text.rfind(')');
  Process process{.parent = 0, .name = text.substr(begin, end - begin)};
  std::istringstream rest(text.substr(end + 1));
  std::string state;
  rest >> state >> process.parent;
  return process;
}

std::map<pid_t, Process> all_processes() {
  std::map<pid_t, Process> processes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string number = entry.path().filename();
    std::ifstream file(entry.path() / "stat");
    std::string text;
    if (std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c) != 0; }) &&
        std::getline(file, text) && text.find(')') != std::string::npos) {
      processes[static_cast<pid_t>(std::stol(number))] = parse_stat(text);
    }
  }
  return processes;
}

}  // namespace

std::vector<pid_t> children_of_named(pid_t root, const std::string& name) {
  constexpr std::size_t kNameLength = 15;
  const std::map<pid_t, Process> processes = all_processes();
  const auto is_below_root = [&](pid_t pid) {
    for (auto found = processes.find(pid); found != processes.end();
         found = processes.find(found->second.parent)) {
      if (found->second.parent == root) {
        return true;
      }
    }
    return false;
  };
  std::vector<pid_t> found;
  for (const auto& [pid, process] : processes) {
    const auto parent = processes.find(process.parent);
    if (parent != processes.end() && parent->second.name == name.substr(0, kNameLength) &&
        is_below_root(parent->first)) {
      found.push_back(pid);
    }
  }
  return found;
}

}  // namespace ranksweep::cluster
