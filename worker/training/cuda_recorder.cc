#include "worker/training/cuda_recorder.h"

#if RANKSWEEP_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include "worker/parallel/side_stream.h"
#endif

namespace ranksweep::worker {

#if RANKSWEEP_WITH_CUDA
namespace {

class CudaRecording : public Recording {
 public:
  // The loader's thread goes on meanwhile, so only this thread is kept from what cannot be
  // recorded.
  explicit CudaRecording(const Recorder::Work& work) {
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();
      } catch (const c10::Error&) {  // what `work` threw says more
      }
      throw;
    }
    graph_.capture_end();
  }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

class CudaRecorder : public Recorder {
 public:
  explicit CudaRecorder(torch::Device device) : stream_(device.index()) {}

  void run(const Work& work) override {
    stream_.follow_caller();
    {
      const c10::cuda::CUDAStreamGuard guard(stream_.own());
      work();
    }
    stream_.lead_caller();
  }

  std::unique_ptr<Recording> record(const Work& work) override {
    c10::cuda::CUDACachingAllocator::emptyCache();  // a graph has memory of its own
    stream_.follow_caller();
    const c10::cuda::CUDAStreamGuard guard(stream_.own());
    return std::make_unique<CudaRecording>(work);
  }

 private:
  SideStream stream_;
};

}  // namespace

std::unique_ptr<Recorder> make_recorder(torch::Device device) {
  return device.is_cuda() ? std::make_unique<CudaRecorder>(device) : nullptr;
}
#else
std::unique_ptr<Recorder> make_recorder(torch::Device) { return nullptr; }
#endif

}  // namespace ranksweep::worker
