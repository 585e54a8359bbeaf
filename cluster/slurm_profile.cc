#include "cluster/slurm_profile.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "sweeps/document.h"
#include "sweeps/nearest_name.h"
#include "sweeps/shape.h"

namespace ranksweep::cluster {
namespace {

using sweeps::Choice;
using sweeps::Entry;
using sweeps::List;
using sweeps::Node;
using sweeps::Shape;
using sweeps::Text;

Shape list_of(const char* what) { return {List{.item = {{Text{what}}}, .longest = 100}}; }

std::vector<std::string> texts(const Node& list) {
  std::vector<std::string> result;
  for (const Node& item : list.items) {
    result.push_back(item.text);
  }
  return result;
}

struct Key {
  std::string name;
  Shape shape;
  void (*set)(SlurmProfile&, const Node&);
};

const std::vector<Key>& keys() {
  static const std::vector<Key> all = {
      {"launcher",
       {Choice{{"mpirun", "srun-pmix", "srun-pmi2"}}},
       [](SlurmProfile& profile, const Node& node) {
         profile.launcher = node.text == "mpirun"      ? Launcher::mpirun
                            : node.text == "srun-pmix" ? Launcher::srun_pmix
                                                       : Launcher::srun_pmi2;
       }},
      {"launcher_options", list_of("an option of the launcher"),
       [](SlurmProfile& profile, const Node& node) { profile.launcher_options = texts(node); }},
      {"modules", list_of("the name of a module"),
       [](SlurmProfile& profile, const Node& node) { profile.modules = texts(node); }},
      {"partition",
       {Text{"the name of a partition"}},
       [](SlurmProfile& profile, const Node& node) { profile.partition = node.text; }},
      {"account",
       {Text{"the name of an account"}},
       [](SlurmProfile& profile, const Node& node) { profile.account = node.text; }},
      {"scratch",
       {Text{"a folder on each node's own disk, such as $TMPDIR"}},
       [](SlurmProfile& profile, const Node& node) { profile.scratch = node.text; }},
      {"sbatch", list_of("an option of sbatch, such as --constraint=a100"),
       [](SlurmProfile& profile, const Node& node) { profile.sbatch = texts(node); }},
  };
  return all;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names = {"environment"};
  for (const Key& key : keys()) {
    names.push_back(key.name);
  }
  return names;
}

bool is_variable_name(const std::string& name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

class ProfileParser {
 public:
  explicit ProfileParser(std::filesystem::path file) : file_(std::move(file)) {}

  SlurmProfile parse(const std::string& source) {
    const Node root = sweeps::read_document(source, file_, found_);
    if (root.kind == Node::Kind::mapping) {
      for (const Entry& entry : root.entries) {
        read(entry);
      }
    } else {
      fail(root, fmt::format("a profile is a mapping of {}; found {}", fmt::join(key_names(), ", "),
                             sweeps::show(root)));
    }
    if (!found_.empty()) {
      throw sweeps::SweepError(file_, found_);
    }
    return std::move(profile_);
  }

 private:
  void fail(const Node& node, std::string message) {
    found_.push_back({node.line, node.column, std::move(message)});
  }

  void read(const Entry& entry) {
    const std::string& name = entry.key.text;
    if (name == "environment") {
      read_environment(entry.value);
      return;
    }
    const auto key =
        std::find_if(keys().begin(), keys().end(), [&](const Key& k) { return k.name == name; });
    if (key == keys().end()) {
      fail(entry.key,
           fmt::format("a profile has no `{}`{}", name, sweeps::suggestion(name, key_names())));
    } else if (sweeps::check(key->shape, entry.value, name, found_)) {
      key->set(profile_, entry.value);
    }
  }

  void read_environment(const Node& value) {
    if (value.kind != Node::Kind::mapping) {
      fail(value, fmt::format("environment must be a mapping, such as `environment: {{UCX_TLS: "
                              "all}}`; found {}",
                              sweeps::show(value)));
      return;
    }
    for (const Entry& entry : value.entries) {
      if (!is_variable_name(entry.key.text)) {
        fail(entry.key, fmt::format("environment: `{}` is no name of a variable: letters, digits "
                                    "and _, no digit first",
                                    entry.key.text));
      } else if (entry.value.kind != Node::Kind::scalar || entry.value.scalar.is_null()) {
        fail(entry.value, fmt::format("environment.{} must be a text or a number; found {}",
                                      entry.key.text, sweeps::show(entry.value)));
      } else {
        profile_.environment.emplace_back(entry.key.text, entry.value.text);
      }
    }
  }

  std::filesystem::path file_;
  std::vector<sweeps::Diagnostic> found_;
  SlurmProfile profile_;
};

}  // namespace

SlurmProfile parse_slurm_profile(const std::string& source, const std::filesystem::path& file) {
  return ProfileParser(file).parse(source);
}

SlurmProfile load_slurm_profile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string source{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) {
    throw sweeps::SweepError(file, {{0, 0, "the file is not there or cannot be read"}});
  }
  return parse_slurm_profile(source, file);
}

std::filesystem::path default_slurm_profile() {
  const char* configuration = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (configuration != nullptr && *configuration != '\0') {
    folder = configuration;
  } else if (home != nullptr) {
    folder = std::filesystem::path(home) / ".config";
  }
  return folder / "ranksweep" / "cluster.yaml";
}

}  // namespace ranksweep::cluster
