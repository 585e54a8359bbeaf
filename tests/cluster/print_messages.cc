// Prints each message of the trainer protocol once, a line each, for protocol_schema_test.py.
#include <iostream>

#include "cluster/trainer_protocol.h"

using namespace ranksweep::cluster;

int main() {
  const ranksweep::sweeps::TrialId trial("0123456789abcdef0123456789abcdef");
  std::cout << encode(Command(
                   Assign{.attempt = 1,
                          .trial = trial,
                          .spec = {{"epochs", 3}, {"early_stopping", false}, {"devices", 1}},
                          .data = {{"fingerprint", "0"}},
                          .directory = "/checkpoints",
                          .device = "cuda:0",
                          .group = 1}))
            << "\n"
            << encode(Command(GroupReady{1, "token"})) << "\n"
            << encode(Command(Verdict{.attempt = 1, .epoch = 1})) << "\n"
            << encode(Command(Stop{1})) << "\n";
  const Predicted predicted{
      .attempt = 1,
      .epoch = 1,
      .predictions = {.images = 1, .classes = 2, .log_probabilities = {-0.5F, -1.0F}}};
  for (const Report& report :
       {Report(Ready{.program = "p"}), Report(Skipped{1, "a.jpg", "is bad"}),
        Report(GroupToken{1, "token"}), Report(Started{.attempt = 1}),
        Report(Progress{.attempt = 1}), Report(EpochDone{.attempt = 1, .metrics = {.epoch = 1}}),
        Report(BasePasses{.attempt = 1}), Report(predicted), Report(Finished{1}),
        Report(Diverged{1, 1}), Report(Failed{1, "data", "no such image"}), Report(Stopped{1})}) {
    std::cout << encode(report) << "\n";
  }
}
