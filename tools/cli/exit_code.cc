#include "tools/cli/exit_code.h"

#include <exception>

#include <fmt/format.h>

#include "results/sweep_store.h"
#include "sweeps/sweep_spec.h"
#include "worker/data/data_set.h"

namespace ranksweep::cli {
namespace {

ExitCode complain(const std::exception& error, ExitCode code) {
  fmt::print(stderr, "ranksweep: {}\n", error.what());
  return code;
}

}  // namespace

ExitCode tell_error() {
  try {
    throw;
  } catch (const CommandError& error) {
    return complain(error, error.code());
  } catch (const sweeps::SweepError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return ExitCode::bad_input;
  } catch (const worker::DataError& error) {
    return complain(error, ExitCode::bad_input);
  } catch (const results::StoreUnavailable& error) {
    return complain(error, ExitCode::unfit);
  } catch (const results::StoreError& error) {
    return complain(error, ExitCode::bad_input);
  } catch (const std::exception& error) {
    return complain(error, ExitCode::unfit);
  }
}

}  // namespace ranksweep::cli
