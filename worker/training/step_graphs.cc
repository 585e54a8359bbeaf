#include "worker/training/step_graphs.h"

#include <utility>

namespace ranksweep::worker {
namespace {

// As torch.cuda.make_graphed_callables has it.
constexpr int kRunsBefore = 3;

}  // namespace

StepGraphs::StepGraphs(std::unique_ptr<Recorder> recorder, Tensors parameters)
    : recorder_(std::move(recorder)), parameters_(std::move(parameters)) {}

StepGraphs::Tensors StepGraphs::run(const Tensors& inputs, double constant, const Step& step) {
  Shapes shapes;
  for (const torch::Tensor& input : inputs) shapes.push_back(input.sizes().vec());
  Graph& graph = graphs_[{std::move(shapes), constant}];
  if (!graph.recording && graph.runs++ < kRunsBefore) {
    Tensors outputs;
    recorder_->run([&] { outputs = step(inputs); });
    return outputs;
  }
  if (!graph.recording) record(graph, inputs, step);
  replay(graph, inputs);
  return graph.outputs;
}

void StepGraphs::record(Graph& graph, const Tensors& inputs, const Step& step) {
  for (const torch::Tensor& input : inputs) graph.inputs.push_back(torch::empty_like(input));
  graph.recording = recorder_->record([&] { graph.outputs = step(graph.inputs); });
  for (const torch::Tensor& parameter : parameters_) graph.gradients.push_back(parameter.grad());
}

void StepGraphs::replay(Graph& graph, const Tensors& inputs) {
  recorder_->run([&] {
    for (std::size_t i = 0; i < inputs.size(); ++i) graph.inputs[i].copy_(inputs[i]);
    graph.recording->replay();
  });
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].mutable_grad() = graph.gradients[i];
  }
}

}  // namespace ranksweep::worker
