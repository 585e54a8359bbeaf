#include "worker/trainer/serve.h"

#include <cerrno>
#include <chrono>
#include <malloc.h>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "sweeps/trial_spec.h"
#include "sweeps/trial_values.h"
#include "worker/data/data_set.h"
#include "worker/models/safetensors.h"
#include "worker/parallel/replicas.h"
#include "worker/parallel/trainer_group.h"
#include "worker/trainer/load_data.h"
#include "worker/training/training_loop.h"

namespace ranksweep::worker {
namespace {

constexpr std::chrono::milliseconds kProgressInterval(300);

// Thrown while the data are decoded, or a group is waited for.
struct StoppedBeforeStart {};

// Carries a training run's reports to the agent, and the coordinator's verdicts back.
class ProtocolSupervisor : public Supervisor {
 public:
  ProtocolSupervisor(AgentLink& agent, sweeps::AttemptId attempt)
      : agent_(agent), attempt_(attempt) {}

  void skipped(const std::vector<BadFile>& files) {
    for (const BadFile& file : files) {
      agent_.send(cluster::Skipped{.attempt = attempt_, .file = file.name, .reason = file.reason});
    }
  }

  void started(const TrainingStart& start) override {
    agent_.send(cluster::Started{.attempt = attempt_,
                                 .resumed_from = start.resumed_from,
                                 .parameters = start.parameters,
                                 .precision = sweeps::encode(start.precision),
                                 .memory_format = sweeps::encode(start.memory_format)});
  }

  void base_ran(int used, int run) {
    if (used > 0) agent_.send(cluster::BasePasses{attempt_, used, run});
  }

  // For the members of a group that its leader makes.
  void send_group_token(const std::string& token) {
    agent_.send(cluster::GroupToken{.attempt = attempt_, .token = token});
  }
  std::string wait_for_group_token() {
    while (group_token_.empty()) {
      if (stop_) throw StoppedBeforeStart();
      note(agent_.wait());
    }
    return group_token_;
  }

  void progressed(int epoch, int step, int steps, double images_per_second) override {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_progress_ < kProgressInterval) return;
    last_progress_ = now;
    agent_.send(cluster::Progress{attempt_, epoch, step, steps, images_per_second});
  }

  bool stop_requested() override {
    while (const auto command = agent_.poll()) note(*command);
    return stop_;
  }

  Decision epoch_done(const sweeps::EpochMetrics& metrics) override {
    agent_.send(cluster::EpochDone{attempt_, metrics});
    while (!stop_) {
      const cluster::Command command = agent_.wait();
      const auto* verdict = std::get_if<cluster::Verdict>(&command);
      if (verdict && verdict->attempt == attempt_ && verdict->epoch == metrics.epoch) {
        return verdict->decision == cluster::Decision::stop ? Decision::complete : Decision::go_on;
      }
      note(command);
    }
    return Decision::stop;
  }

  void predicted(int epoch, const sweeps::Predictions& predictions) override {
    agent_.send(
        cluster::Predicted{.attempt = attempt_, .epoch = epoch, .predictions = predictions});
  }

 private:
  void note(const cluster::Command& command) {
    if (std::holds_alternative<cluster::Assign>(command)) {
      throw cluster::ProtocolError("a trial was assigned while another one was in training");
    }
    const auto* group = std::get_if<cluster::GroupReady>(&command);
    if (group && group->attempt == attempt_) group_token_ = group->token;
    const auto* stop = std::get_if<cluster::Stop>(&command);
    if (stop && stop->attempt == attempt_) stop_ = true;
  }

  AgentLink& agent_;
  sweeps::AttemptId attempt_;
  bool stop_ = false;
  std::string group_token_;
  std::chrono::steady_clock::time_point last_progress_{};
};

// What the trainer keeps from trial to trial.
struct Kept {
  std::string data_key;
  std::shared_ptr<const TrainingData> data;
  FeatureStore features;
  std::unique_ptr<GradientGroup> group;  // of the last trial on several devices, while it is whole
  sweeps::AttemptId group_made_for = 0;
};

// The group that the last such trial had, or a new one, of which the leader's token goes out before
// it reads its data: the others need not wait for that.
class GroupOfTrial {
 public:
  GroupOfTrial(const cluster::Assign& assign, torch::Device device, ProtocolSupervisor& supervisor,
               Kept& kept)
      : assign_(assign), device_(device), supervisor_(supervisor), kept_(kept) {
    group_ = std::move(kept.group);
    if (assign.group == assign.attempt) {
      group_.reset();
      if (assign.member == 0) lead();
    } else if (!group_ || kept.group_made_for != assign.group) {
      throw GroupBroken("the trainer has been started anew and is no more in its group");
    }
  }
  GradientGroup* join() {
    if (!group_) {
      group_ =
          join_group(assign_.member, assign_.members, device_, supervisor_.wait_for_group_token());
    }
    return group_.get();
  }
  // For the next trial, since all members came to its good end.
  void keep() {
    kept_.group = std::move(group_);
    kept_.group_made_for = assign_.group;
  }

 private:
  void lead() {
    LedGroup led = lead_group(assign_.members, device_);
    supervisor_.send_group_token(led.token);
    group_ = std::move(led.group);
  }

  const cluster::Assign& assign_;
  torch::Device device_;
  ProtocolSupervisor& supervisor_;
  Kept& kept_;
  std::unique_ptr<GradientGroup> group_;
};

std::shared_ptr<const TrainingData> find_data(const cluster::Assign& assign,
                                              std::array<int, 2> image_size,
                                              ProtocolSupervisor& supervisor, Kept& kept) {
  const std::string key = assign.data.dump() + nlohmann::json(image_size).dump();
  if (kept.data && kept.data_key == key) return kept.data;
  kept.data = load_data(assign.data, image_size, [&](std::size_t done, std::size_t total) {
    if (supervisor.stop_requested()) throw StoppedBeforeStart();
    supervisor.progressed(0, static_cast<int>(done), static_cast<int>(total), 0);
  });
  kept.data_key = key;
  supervisor.skipped(kept.data->skipped);
  return kept.data;
}

cluster::Report train_assigned(const cluster::Assign& assign, ProtocolSupervisor& supervisor,
                               Kept& kept) {
  at::set_num_threads(assign.threads);
  TrainingJob job{.trial = assign.trial,
                  .spec = sweeps::trial_spec_from_json(assign.spec),
                  .directory = assign.directory,
                  .device = torch::Device(assign.device),
                  .checkpoint_interval = assign.checkpoint_interval,
                  .known_epochs = assign.known_epochs,
                  .batch_parts = assign.batch_parts,
                  .cuda_graphs = assign.cuda_graphs};
  std::optional<GroupOfTrial> group;
  if (assign.members > 1) group.emplace(assign, job.device, supervisor, kept);
  const auto data = find_data(assign, job.spec.image_size, supervisor, kept);
  if (group) job.group = group->join();
  const FeatureStore::Counts before = kept.features.counts();
  const TrainingEnd end = train(job, *data, kept.features, supervisor);
  supervisor.base_ran(kept.features.counts().used - before.used,
                      kept.features.counts().computed - before.computed);
  if (group && end.kind != TrainingEnd::Kind::stopped) group->keep();
  switch (end.kind) {
    case TrainingEnd::Kind::diverged:
      return cluster::Diverged{assign.attempt, end.epoch};
    case TrainingEnd::Kind::stopped:
      return cluster::Stopped{assign.attempt};
    case TrainingEnd::Kind::finished:
      break;
  }
  return cluster::Finished{assign.attempt};
}

// Torch has no type of its own for a failed allocation on the CPU.
bool is_out_of_memory(const c10::Error& error) {
  const std::string_view what = error.what_without_backtrace();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) ||
         what.find("not enough memory") != std::string_view::npos ||
         what.find("can't allocate memory") != std::string_view::npos;
}

// Not the trial's fault but its disk's. Other system errors are a lack of threads or descriptors.
bool is_storage(const std::system_error& error) {
  switch (error.code().value()) {
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EIO:
    case EFBIG:
    case EACCES:
    case EPERM:
    case ENOENT:
    case ESTALE:
      return true;
    default:
      return false;
  }
}

cluster::Report answer(const cluster::Assign& assign, AgentLink& agent, Kept& kept) {
  constexpr const char* kRemedy =
      "; a smaller batch_size needs less, and so does `on_out_of_memory: accumulate` under "
      "`execution` in the sweep file";
  const auto failed = [&](const char* cause, const std::string& message) {
    return cluster::Failed{assign.attempt, cause, message};
  };
  try {
    ProtocolSupervisor supervisor(agent, assign.attempt);
    return train_assigned(assign, supervisor, kept);
  } catch (const StoppedBeforeStart&) {
    return cluster::Stopped{assign.attempt};
  } catch (const cluster::ProtocolError&) {
    throw;
  } catch (const CacheError& error) {
    return failed("storage", error.what());
  } catch (const GroupBroken& error) {
    return failed("group", error.what());
  } catch (const ReplicasDiverged& error) {
    return failed("diverged_replicas", error.what());
  } catch (const DataError& error) {
    return failed("data", error.what());
  } catch (const SafetensorsError& error) {
    return failed("weights", error.what());
  } catch (const std::invalid_argument& error) {
    return failed("specification", error.what());
  } catch (const std::system_error& error) {
    return failed(is_storage(error) ? "storage" : "internal", error.what());
  } catch (const std::bad_alloc&) {
    return failed(sweeps::kOutOfMemory, std::string("the machine has no memory left") + kRemedy);
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    return is_out_of_memory(error) ? failed(sweeps::kOutOfMemory, what + kRemedy)
                                   : failed("internal", what);
  } catch (const std::exception& error) {
    return failed("internal", error.what());
  }
}

}  // namespace

void serve(AgentLink& agent, const std::string& program) {
  Kept kept;
  try {
    agent.send(cluster::Ready{.program = program});
    while (true) {
      const cluster::Command command = agent.wait();
      // Anything else is a late word about a trial that is over.
      if (const auto* assign = std::get_if<cluster::Assign>(&command)) {
        agent.send(answer(*assign, agent, kept));
        malloc_trim(0);  // glibc was told to keep what a step frees, not what a trial does
      }
    }
  } catch (const AgentGone&) {
    return;
  }
}

}  // namespace ranksweep::worker
