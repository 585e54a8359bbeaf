#include "worker/training/checkpoints.h"

#include <iostream>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace ranksweep::worker {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFormat = "ranksweep resume state 1";
constexpr const char* kResumeName = "resume.safetensors";

std::string metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto& metadata = file.header().metadata;
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

}  // namespace

Checkpoints::Checkpoints(fs::path directory, sweeps::TrialId trial)
    : directory_(std::move(directory)), trial_(std::move(trial)) {}

fs::path Checkpoints::best_path(int epoch) const {
  return directory_ / ("best-" + std::to_string(epoch) + ".safetensors");
}

bool Checkpoints::has_best(int epoch) const {
  try {
    const SafetensorsFile file(best_path(epoch));
    return metadata_of(file, "trial") == trial_.hex() &&
           metadata_of(file, "epoch") == std::to_string(epoch);
  } catch (const SafetensorsError&) {
    return false;
  }
}

void Checkpoints::write_best(int epoch, const NamedTensors& tensors, Metadata metadata) {
  metadata["trial"] = trial_.hex();
  metadata["epoch"] = std::to_string(epoch);
  write_tensors(best_path(epoch), tensors, std::move(metadata));
}

void Checkpoints::write_resume(const RunState& state, const NamedTensors& tensors, int best) {
  write_tensors(directory_ / kResumeName, tensors,
                {{"format", kFormat}, {"trial", trial_.hex()}, {"state", to_json(state).dump()}});
  remove_all_best_but(best);
}

RunState Checkpoints::read_trusted(const NamedTensors& tensors) const {
  const SafetensorsFile file(directory_ / kResumeName);
  if (metadata_of(file, "format") != kFormat) throw SafetensorsError("it has another format");
  if (metadata_of(file, "trial") != trial_.hex()) throw SafetensorsError("it is another trial's");
  verify_checksum(file);
  RunState state = run_state_from_json(nlohmann::json::parse(metadata_of(file, "state")));
  const int best = best_epoch(state.history);
  if (best > 0 && !has_best(best)) throw SafetensorsError("the best weights beside it are missing");

  std::map<std::string, const ArrayInfo*> arrays;
  for (const ArrayInfo& array : file.header().arrays) arrays[array.name] = &array;
  if (arrays.size() != tensors.size()) throw SafetensorsError("it has other tensors");
  for (const auto& [name, tensor] : tensors) {
    const auto found = arrays.find(name);
    if (found == arrays.end() || found->second->shape != tensor.sizes().vec()) {
      throw SafetensorsError("it has no fitting tensor " + name);
    }
  }
  for (const auto& [name, tensor] : tensors) read_into(tensor, file, *arrays.at(name));
  return state;
}

std::optional<RunState> Checkpoints::read_resume(const NamedTensors& tensors) const {
  const fs::path path = directory_ / kResumeName;
  if (!fs::exists(path)) return std::nullopt;
  try {
    return read_trusted(tensors);
  } catch (const std::exception& error) {
    std::cerr << path.string() << " is not used, training starts anew: " << error.what() << '\n';
    return std::nullopt;
  }
}

void Checkpoints::finish(int best) {
  remove_all_best_but(best);
  fs::remove(directory_ / kResumeName);
}

void Checkpoints::remove_all_best_but(int epoch) {
  const fs::path kept = best_path(epoch).filename();
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    const fs::path name = entry.path().filename();
    if (name.string().starts_with("best-") && name != kept) others.push_back(entry.path());
  }
  for (const auto& path : others) fs::remove(path);
}

}  // namespace ranksweep::worker
