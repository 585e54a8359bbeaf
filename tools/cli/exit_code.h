#pragma once

#include <stdexcept>
#include <string>

namespace ranksweep::cli {

// What the programs' exit status tells. Part of the interface: scripts and batch jobs rely on it.
enum class ExitCode {
  success = 0,        // all trials finished
  trials_failed = 1,  // the sweep is done, but some trials failed
  leakage = 1,        // `data check` found images or groups in more than one split
  different = 1,      // `compare` found trials whose results differ
  images_failed = 1,  // `predict` could not read some images
  bad_input = 2,      // a sweep file, a data set, a database or an option is wrong
  unfit = 3,          // the environment is not fit: a full disk, a missing program
  interrupted = 75,   // stopped before the end; the same command goes on (EX_TEMPFAIL, sysexits.h)
};

inline constexpr const char* kExitCodeHelp =
    "Exit status: 0 all trials finished, 1 some failed, 2 bad input, 3 the environment is not "
    "fit,\n"
    "75 interrupted: the same command goes on.";

// Ends a command with a message for the user: place, reason, remedy.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// In a catch block: tells the user of the exception. Whose fault it is decides the exit code.
ExitCode tell_error();

}  // namespace ranksweep::cli
