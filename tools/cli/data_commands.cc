#include "tools/cli/commands.h"

namespace ranksweep::cli {

void add_data_commands(CLI::App&, ExitCode&) {}

}  // namespace ranksweep::cli
