#include "worker/export/export_model.h"

#include <string>

#include "worker/export/torchscript.h"
#include "worker/models/durable_file.h"
#include "worker/models/tensor_file.h"
#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {

void export_model(const std::filesystem::path& checkpoint, const std::filesystem::path& folder) {
  TrainedModel model = load_model(checkpoint, torch::kCPU);
  to_torchscript(model).save(folder / "model.pt");
  NamedTensors tensors;
  for (const auto& [name, tensor, block] : model.network().tensors()) {
    tensors.emplace_back(name, tensor);
  }
  write_tensors(folder / "weights.safetensors", tensors, {});
  std::string names;
  for (const std::string& name : model.classes()) names += name + "\n";
  DurableFile file(folder / "classes.txt");
  file.write(names);
  file.commit();
}

}  // namespace ranksweep::worker
