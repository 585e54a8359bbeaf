#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <sys/socket.h>
#include <torch/version.h>

#include "sweeps/sweep_spec.h"
#include "worker/augmentation/preview.h"
#include "worker/data/data_set.h"
#include "worker/export/export_model.h"
#include "worker/trainer/agent_link.h"
#include "worker/trainer/models_command.h"
#include "worker/trainer/predict_command.h"
#include "worker/trainer/serve.h"
#include "worker/trainer/steps_command.h"
#include "worker/trainer/sums_command.h"
#include "worker/trainer/test_command.h"
#include "worker/training/device_memory.h"

namespace {

using ranksweep::worker::AgentLink;

constexpr const char* kProgram = "ranksweep-trainer " RANKSWEEP_VERSION ", LibTorch " TORCH_VERSION;

bool is_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

int serve_agent(const CLI::App& app) {
  if (!is_socket(ranksweep::cluster::kTrainerSocket)) {
    std::cerr << app.help();
    return 2;
  }
  at::set_num_interop_threads(1);
  AgentLink agent(ranksweep::cluster::kTrainerSocket);
  ranksweep::worker::serve(agent, kProgram);
  return 0;
}

void print_table(const nlohmann::json& models) {
  std::printf("%-20s %15s %15s %18s %12s\n", "architecture", "base parameters", "parameters",
              "multiply-adds (M)", "memory (MiB)");
  for (const auto& each : models) {
    std::printf("%-20s %15lld %15lld %18.0f %12.0f\n", each["name"].get<std::string>().c_str(),
                each["base_parameters"].get<long long>(), each["parameters"].get<long long>(),
                each["multiply_adds"].get<double>() / 1e6,
                each["memory_bytes"].get<double>() / (1 << 20));
  }
}

void add_models(CLI::App& app) {
  struct Options {
    ranksweep::worker::ModelsRequest request;
    std::string image_size = "150x150";
    std::string format = "table";
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("models", "Describe the architectures");
  command->add_option("--image-size", options->image_size, "HEIGHTxWIDTH in pixels")
      ->capture_default_str();
  command->add_option("--batch", options->request.batch, "Batch size, for the memory estimate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--architectures", options->request.names, "Only these")->delimiter(',');
  command->add_option("--torchscript", options->request.torchscript,
                      "Files that bring an architecture; they are trusted, since they hold code");
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([options] {
    auto& size = options->request.image_size;
    char rest = 0;
    if (std::sscanf(options->image_size.c_str(), "%dx%d%c", &size[0], &size[1], &rest) != 2) {
      throw std::invalid_argument("--image-size: \"" + options->image_size +
                                  "\" is not HEIGHTxWIDTH, such as 150x150");
    }
    const nlohmann::json described = ranksweep::worker::describe_models(options->request);
    if (options->format == "json") {
      std::cout << described.dump(2) << '\n';
    } else {
      print_table(described);
    }
  });
}

void add_memory(CLI::App& app) {
  const auto device = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("memory", "Print how much memory a device has");
  command->add_option("device", *device, "cpu or cuda:N")->required();
  command->callback([device] {
    const nlohmann::json answer = {{"bytes", ranksweep::worker::memory_of(torch::Device(*device))}};
    std::cout << answer << '\n';
  });
}

void add_preview(CLI::App& app) {
  struct Options {
    std::filesystem::path sweep;
    std::filesystem::path picture = "preview.png";
    ranksweep::worker::PreviewOptions shown;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("preview", "Draw what augmentation makes of a sweep's images");
  command->add_option("sweep", options->sweep, "The sweep file")->required();
  command->add_option("-o,--output", options->picture, "The PNG file to write")
      ->capture_default_str();
  command->add_option("--images", options->shown.images, "Training images to show")
      ->capture_default_str();
  command->add_option("--variants", options->shown.variants, "Epochs to show")
      ->capture_default_str();
  command->callback([options] {
    ranksweep::worker::write_preview(ranksweep::sweeps::load_sweep(options->sweep), options->shown,
                                     options->picture);
  });
}

// `checkpoint`, and one path more.
struct CheckpointOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path other;
};

std::shared_ptr<CheckpointOptions> add_checkpoint(CLI::App& command, const std::string& other,
                                                  const std::string& description) {
  auto options = std::make_shared<CheckpointOptions>();
  command.add_option("checkpoint", options->checkpoint, "A trial's best-EPOCH.safetensors")
      ->required();
  command.add_option(other, options->other, description)->required();
  return options;
}

void add_predict(CLI::App& app) {
  const auto request = std::make_shared<ranksweep::worker::PredictRequest>();
  CLI::App* command = app.add_subcommand(
      "predict", "Classify images; `ranksweep predict` finds the checkpoint and prints a table");
  command->add_option("checkpoint", request->checkpoint, "A trial's best-EPOCH.safetensors")
      ->required();
  command->add_option("list", request->list, "A file with paths, a zero byte after each")
      ->required();
  command->add_option("--device", request->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_option("--batch", request->classify.batch, "Images that are classified together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--explain", request->classify.explain, "Add what the network goes by");
  command->callback([request] { ranksweep::worker::predict(*request); });
}

void add_test(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "test", "Evaluate the test split; `ranksweep run` asks for it when all trials have ended");
  const auto options =
      add_checkpoint(*command, "request", "A JSON file with data, device and threads");
  command->callback([options] { ranksweep::worker::test(options->checkpoint, options->other); });
}

void add_export(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "export", "Write a network in a form of its own; `ranksweep export` finds the checkpoint");
  const auto options = add_checkpoint(*command, "folder", "Where to write, an existing folder");
  command->callback(
      [options] { ranksweep::worker::export_model(options->checkpoint, options->other); });
}

void add_steps(CLI::App& app) {
  struct Options {
    std::vector<std::string> trials;
    std::string device = "cpu";
    int threads = at::get_num_threads();
    int steps = 3;
    bool cuda_graphs = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "steps", "Time training steps; `ranksweep run` asks for it to settle what is left to `auto`");
  command->add_option("trials", options->trials, "Their parameters, canonical JSON")->required();
  command->add_option("--device", options->device, "cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->threads, "Of this process")->check(CLI::PositiveNumber);
  command->add_option("--steps", options->steps, "To time, after one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--cuda-graphs", options->cuda_graphs, "As `execution: cuda_graphs` has it");
  command->callback([options] {
    const ranksweep::worker::StepOptions step{.device = torch::Device(options->device),
                                              .cuda_graphs = options->cuda_graphs};
    std::cout << ranksweep::worker::describe_steps(options->trials, step, options->threads,
                                                   options->steps)
                     .dump()
              << '\n';
  });
}

void add_sums(CLI::App& app) {
  struct Options {
    int members = 2;
    bool on_gpus = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "sums", "Measure the sums of gradients in a group; `ranksweep doctor` asks for it");
  command->add_option("--members", options->members, "Processes")->check(CLI::Range(2, 64));
  command->add_flag("--gpus", options->on_gpus, "A GPU each, instead of the CPU");
  command->callback(
      [options] { ranksweep::worker::measure_sums(options->members, options->on_gpus); });
}

int run(int argc, char** argv) {
  CLI::App app(
      "Trains the trials of a sweep. `ranksweep run` starts it and speaks to it over descriptor 3\n"
      "(docs/trainer_protocol.md); started by hand it only describes what it can train.",
      "ranksweep-trainer");
  app.set_version_flag("--version", kProgram);
  add_models(app);
  add_preview(app);
  add_predict(app);
  add_test(app);
  add_export(app);
  add_steps(app);
  add_sums(app);
  add_memory(app);
  CLI11_PARSE(app, argc, argv);
  return app.get_subcommands().empty() ? serve_agent(app) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const ranksweep::sweeps::SweepError& error) {
    std::cerr << error.what() << '\n';
    return 2;
  } catch (const ranksweep::worker::DataError& error) {
    std::cerr << "ranksweep-trainer: " << error.what() << '\n';
    return 2;
  } catch (const std::invalid_argument& error) {
    std::cerr << "ranksweep-trainer: " << error.what() << '\n';
    return 2;
  } catch (const c10::Error& error) {
    std::cerr << "ranksweep-trainer: " << error.what_without_backtrace() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "ranksweep-trainer: " << error.what() << '\n';
    return 1;
  }
}
