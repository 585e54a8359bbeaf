#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "tools/cli/commands.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

// The trainer knows the networks; it takes this process over.
[[noreturn]] void become_trainer(const std::string& command,
                                 const std::vector<std::string>& arguments) {
  const std::string program = find_trainer().string();
  std::vector<std::string> words = {program, command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  throw CommandError(ExitCode::unfit, fmt::format("{}: {}", program, std::strerror(errno)));
}

void add_passed_on(CLI::App& app, const std::string& name, const std::string& description) {
  CLI::App* command = app.add_subcommand(name, description);
  command->prefix_command();  // everything that follows, --help too, is the trainer's
  command->set_help_flag();
  command->callback([command, name] { become_trainer(name, command->remaining()); });
}

}  // namespace

void add_trainer_commands(CLI::App& app) {
  add_passed_on(app, "models", "List the architectures with their size and cost");
  add_passed_on(app, "preview", "Draw what augmentation makes of a sweep's images, as a PNG file");
}

}  // namespace ranksweep::cli
