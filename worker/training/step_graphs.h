#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <torch/torch.h>

namespace ranksweep::worker {

// Work of a device that was recorded.
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;
  // Queues all of it at once, on the memory that it was recorded with.
  virtual void replay() = 0;
};

// Records what a device would do. Both run on a stream of its own, after what the caller has queued
// and before what it queues next.
class Recorder {
 public:
  using Work = std::function<void()>;

  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;
  virtual void run(const Work& work) = 0;
  // Does not run it. Work that waits for the device cannot be recorded: c10::Error.
  virtual std::unique_ptr<Recording> record(const Work& work) = 0;
};

// A trial's forward and backward passes as CUDA graphs, so that a step of many small kernels costs
// one launch (NVIDIA, CUDA Programming Guide, CUDA Graphs). Each shape of the inputs is run a few
// times as it is, since libraries set themselves up in their first runs, then recorded, then
// replayed.
class StepGraphs {
 public:
  using Tensors = std::vector<torch::Tensor>;
  // From inputs to outputs; leaves the gradients of the parameters.
  using Step = std::function<Tensors(const Tensors& inputs)>;

  // `parameters`: whose gradients a step leaves. They must not be replaced, only changed.
  StepGraphs(std::unique_ptr<Recorder> recorder, Tensors parameters);

  // The parameters must have no gradients. `constant`: what `step` multiplies with; another one is
  // another computation. Outputs hold until the next step.
  Tensors run(const Tensors& inputs, double constant, const Step& step);

 private:
  struct Graph {
    int runs = 0;
    Tensors inputs;
    Tensors outputs;
    Tensors gradients;
    std::unique_ptr<Recording> recording;
  };
  using Shapes = std::vector<std::vector<std::int64_t>>;

  void record(Graph& graph, const Tensors& inputs, const Step& step);
  void replay(Graph& graph, const Tensors& inputs);

  std::unique_ptr<Recorder> recorder_;
  Tensors parameters_;
  std::map<std::pair<Shapes, double>, Graph> graphs_;
};

}  // namespace ranksweep::worker
