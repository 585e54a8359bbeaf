#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "tools/cli/commands.h"
#include "tools/cli/report_server.h"

namespace ranksweep::cli {
namespace {

struct ServeOptions {
  std::filesystem::path database;
  ServerAddress address;
};

}  // namespace

void add_serve_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand(
      "serve", "Serve the report as a page that follows its sweep, to this machine alone");
  command->add_option("database", options->database, "The results database")->required();
  command->add_option("--port", options->address.port, "0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--address", options->address.host,
                   "0.0.0.0 shows the results to everybody who can reach this machine")
      ->capture_default_str();
  command->callback([options, &result] {
    serve_report(options->database, options->address, [](const std::string& url) {
      fmt::print("{} shows the report while its sweep runs; Ctrl-C ends it\n", url);
      std::fflush(stdout);
    });
    result = ExitCode::success;
  });
}

}  // namespace ranksweep::cli
