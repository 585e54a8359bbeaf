// A stand-in for a trainer, for the orchestrator's tests only: it speaks the protocol and trains
// nothing. Its losses are a function of the trial and the epoch, so that a test knows the ranking.
//
//   scripted_trainer BEHAVIOUR
//
// "well": trains. Any other behaviour does so too, but goes wrong in its own way: in every attempt
// ("..._always"), or only in a trial's first one.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <signal.h>
#include <string>
#include <unistd.h>

#include <sys/socket.h>

#include "cluster/line_buffer.h"
#include "cluster/trainer_protocol.h"

namespace {

using namespace ranksweep::cluster;
using ranksweep::sweeps::EpochMetrics;

void write_all(const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::write(kTrainerSocket, bytes.data() + written, bytes.size() - written);
    if (count < 0) {
      std::exit(0);  // the agent is gone
    }
    written += static_cast<std::size_t>(count);
  }
}

void say(const Report& report) { write_all(encode(report) + "\n"); }

Command listen() {
  static LineBuffer lines(1 << 20);
  while (true) {
    if (const auto line = lines.next()) {
      return decode_command(*line);
    }
    char bytes[4096];
    const ssize_t count = ::read(kTrainerSocket, bytes, sizeof(bytes));
    if (count <= 0) {
      std::exit(0);
    }
    lines.append({bytes, static_cast<std::size_t>(count)});
  }
}

// Goes down to a minimum at epoch 3 whose depth depends on the learning rate, then up again.
double loss_of(const Assign& assign, int epoch) {
  return assign.spec.at("learning_rate").get<double>() + 0.1 * std::abs(epoch - 3);
}

void go_wrong(const std::string& behaviour, const Assign& assign, int epoch) {
  if (behaviour.starts_with("crash") && epoch == 2) {
    std::cerr << "about to crash\n";
    ::raise(SIGSEGV);
  } else if (behaviour.starts_with("exit0") && epoch == 2) {
    std::_Exit(0);
  } else if (behaviour.starts_with("fail") && epoch == 2) {
    say(Failed{.attempt = assign.attempt, .cause = "data", .message = "no such image"});
  } else if (behaviour.starts_with("garbage") && epoch == 2) {
    write_all("this is no JSON\n");
  } else if (behaviour.starts_with("endless_line") && epoch == 2) {
    while (true) {
      write_all(std::string(1 << 16, 'x'));
    }
  } else if (behaviour.starts_with("huge_line") && epoch == 2) {
    for (int i = 0; i < 100; ++i) {
      write_all(std::string(1 << 20, 'x'));
    }
    write_all("\n");
  } else if (behaviour.starts_with("half_line") && epoch == 2) {
    write_all(encode(Report(Finished{assign.attempt})).substr(0, 20));
    std::_Exit(0);
  } else if (behaviour.starts_with("binary") && epoch == 2) {
    write_all(std::string("\0\xff\xfe{\n", 5));
  } else if (behaviour.starts_with("chatter") && epoch == 2) {
    for (int step = 1; step <= 20000; ++step) {
      say(Progress{.attempt = assign.attempt, .epoch = epoch, .step = step, .steps = 20000});
    }
  } else if (behaviour.starts_with("abort") && epoch == 2) {
    std::abort();
  } else if (behaviour.starts_with("spin") && epoch == 2) {
    while (true) {
      ::getppid();
    }
  } else if (behaviour.starts_with("flood") && epoch == 2) {
    for (int i = 0; i < 2000; ++i) {
      std::cout << std::string(4096, 'y') << "\n";
    }
  } else if (behaviour.starts_with("hang") && epoch == 2) {
    ::pause();
  } else if (behaviour.starts_with("skip_epoch") && epoch == 2) {
    say(EpochDone{.attempt = assign.attempt, .metrics = {.epoch = 7}});
  } else if (behaviour.starts_with("early_end") && epoch == 2) {
    say(Finished{assign.attempt});
  } else if (behaviour.starts_with("diverge") && epoch == 2) {
    say(Diverged{.attempt = assign.attempt, .epoch = 2});
  }
}

// Whether the agent wants no more of this attempt after what go_wrong() said.
bool ends_the_attempt(const std::string& behaviour) {
  return behaviour.starts_with("fail") || behaviour.starts_with("diverge");
}

// Returns a command that came instead of a verdict and starts something else.
std::optional<Assign> train(const std::string& behaviour, const Assign& assign) {
  const std::filesystem::path tried = std::filesystem::path(assign.directory) / "tried";
  const bool first = !std::filesystem::exists(tried);
  std::ofstream(tried).put('x');
  const bool bad = behaviour != "well" && (first || behaviour.ends_with("_always"));

  say(Started{.attempt = assign.attempt, .resumed_from = assign.known_epochs, .parameters = 42});
  for (int epoch = assign.known_epochs + 1;; ++epoch) {
    if (bad && epoch == 2) {
      go_wrong(behaviour, assign, epoch);
      if (ends_the_attempt(behaviour)) {
        return std::nullopt;
      }
    }
    say(Progress{.attempt = assign.attempt, .epoch = epoch, .step = 1, .steps = 1});
    const double loss = loss_of(assign, epoch);
    say(EpochDone{.attempt = assign.attempt,
                  .metrics = {.epoch = epoch,
                              .train_loss = loss,
                              .train_accuracy = 0.5,
                              .val_loss = loss,
                              .val_accuracy = 0.5,
                              .train_images = 8,
                              .val_images = 4,
                              .val_classes_predicted = 2}});
    while (true) {
      const Command command = listen();
      if (const auto* verdict = std::get_if<Verdict>(&command)) {
        if (verdict->attempt == assign.attempt && verdict->decision == Decision::stop) {
          say(Finished{assign.attempt});
          return std::nullopt;
        }
        break;
      }
      if (std::holds_alternative<Stop>(command)) {
        say(Stopped{assign.attempt});
        return std::nullopt;
      }
      return std::get<Assign>(command);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string behaviour = argc > 1 ? argv[1] : "well";
  say(Ready{.version = behaviour == "wrong_version" ? 99 : kProtocolVersion,
            .program = "scripted_trainer"});
  std::optional<Assign> next;
  while (true) {
    if (!next) {
      const Command command = listen();
      if (const auto* assign = std::get_if<Assign>(&command)) {
        next = *assign;
      }
      continue;
    }
    next = train(behaviour, *next);
  }
}
