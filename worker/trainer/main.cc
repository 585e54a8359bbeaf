#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <sys/prctl.h>
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
#include "worker/trainer/test_command.h"

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
  // An agent that dies takes its trainer along, whatever the trainer is busy with.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
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

int run(int argc, char** argv) {
  CLI::App app(
      "Trains the trials of a sweep. `ranksweep run` starts it and speaks to it over descriptor 3\n"
      "(docs/trainer_protocol.md); started by hand it only describes what it can train.",
      "ranksweep-trainer");
  app.set_version_flag("--version", kProgram);

  CLI::App* models = app.add_subcommand("models", "Describe the architectures");
  std::string size = "150x150";
  ranksweep::worker::ModelsRequest described;
  std::string format = "table";
  models->add_option("--image-size", size, "HEIGHTxWIDTH in pixels")->capture_default_str();
  models->add_option("--batch", described.batch, "Batch size, for the memory estimate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  models->add_option("--architectures", described.names, "Only these")->delimiter(',');
  models->add_option("--torchscript", described.torchscript,
                     "Files that bring an architecture; they are trusted, since they hold code");
  models->add_option("--format", format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();

  CLI::App* preview =
      app.add_subcommand("preview", "Draw what augmentation makes of a sweep's images");
  std::filesystem::path sweep_file, picture = "preview.png";
  ranksweep::worker::PreviewOptions shown;
  preview->add_option("sweep", sweep_file, "The sweep file")->required();
  preview->add_option("-o,--output", picture, "The PNG file to write")->capture_default_str();
  preview->add_option("--images", shown.images, "Training images to show")->capture_default_str();
  preview->add_option("--variants", shown.variants, "Epochs to show")->capture_default_str();

  CLI::App* predict = app.add_subcommand(
      "predict", "Classify images; `ranksweep predict` finds the checkpoint and prints a table");
  ranksweep::worker::PredictRequest predicted;
  predict->add_option("checkpoint", predicted.checkpoint, "A trial's best-EPOCH.safetensors")
      ->required();
  predict->add_option("list", predicted.list, "A file with paths, a zero byte after each")
      ->required();
  predict->add_option("--device", predicted.device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  predict->add_option("--batch", predicted.classify.batch, "Images that are classified together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  predict->add_flag("--explain", predicted.classify.explain, "Add what the network goes by");

  CLI::App* test = app.add_subcommand(
      "test", "Evaluate the test split; `ranksweep run` asks for it when all trials have ended");
  std::filesystem::path checkpoint, request;
  test->add_option("checkpoint", checkpoint, "A trial's best-EPOCH.safetensors")->required();
  test->add_option("request", request, "A JSON file with data, device and threads")->required();

  CLI::App* exporting = app.add_subcommand(
      "export", "Write a network in a form of its own; `ranksweep export` finds the checkpoint");
  std::filesystem::path folder;
  exporting->add_option("checkpoint", checkpoint, "A trial's best-EPOCH.safetensors")->required();
  exporting->add_option("folder", folder, "Where to write, an existing folder")->required();

  CLI11_PARSE(app, argc, argv);
  if (*exporting) {
    ranksweep::worker::export_model(checkpoint, folder);
    return 0;
  }
  if (*test) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // as below: nobody would hear the answer
    ranksweep::worker::test(checkpoint, request);
    return 0;
  }
  if (*predict) {
    ranksweep::worker::predict(predicted);
    return 0;
  }
  if (*preview) {
    ranksweep::worker::write_preview(ranksweep::sweeps::load_sweep(sweep_file), shown, picture);
    return 0;
  }
  if (!*models) return serve_agent(app);

  auto& image_size = described.image_size;
  char rest = 0;
  if (std::sscanf(size.c_str(), "%dx%d%c", &image_size[0], &image_size[1], &rest) != 2) {
    std::cerr << "--image-size: \"" << size << "\" is not HEIGHTxWIDTH, such as 150x150\n";
    return 2;
  }
  const nlohmann::json descriptions = ranksweep::worker::describe_models(described);
  if (format == "json") {
    std::cout << descriptions.dump(2) << '\n';
  } else {
    print_table(descriptions);
  }
  return 0;
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
