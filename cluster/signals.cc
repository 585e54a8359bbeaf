#include "cluster/signals.h"

#include <initializer_list>
#include <signal.h>

namespace ranksweep::cluster {
namespace {

volatile sig_atomic_t received_signal = 0;
volatile sig_atomic_t received_signals = 0;

void remember(int signal) {
  received_signal = signal;
  received_signals = received_signals + 1;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = remember;  // without SA_RESTART, so that poll() wakes up
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    ::sigaction(signal, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

int stop_signal() { return received_signal; }

int stop_signals() { return received_signals; }

}  // namespace ranksweep::cluster
