#include "tools/cli/health_checks.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include "cluster/child_process.h"
#include "cluster/gpus.h"
#include "cluster/slurm.h"
#include "results/file_system.h"
#include "tools/cli/device_choice.h"
#include "tools/cli/gpu_text.h"
#include "tools/cli/text.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

using Level = Finding::Level;

constexpr bool kWithCuda = RANKSWEEP_WITH_CUDA;
constexpr double kLittleSpace = 1e9;         // bytes
constexpr double kLittleSharedMemory = 1e8;  // bytes; Open MPI's ranks of a node meet there
constexpr rlim_t kFewOpenFiles = 1024;
constexpr double kSlowSync = 0.1;  // seconds; every epoch waits for one

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Over the whole file, as the database's locks: by process, and known to other nodes.
bool lock(int descriptor) {
  struct flock wish = {};
  wish.l_type = F_WRLCK;
  wish.l_whence = SEEK_SET;
  return ::fcntl(descriptor, F_SETLK, &wish) == 0;
}

Finding check_space(const std::filesystem::path& folder) {
  struct statfs facts = {};
  if (::statfs(folder.c_str(), &facts) != 0) {
    fail(folder.string());
  }
  const double space = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_bsize);
  const std::string what = fmt::format("{}: {}, {} free", folder.string(),
                                       results::file_system(facts.f_type).name, bytes_text(space));
  if (space < kLittleSpace) {
    return {Level::warning, what,
            "free some: `ranksweep check` tells what a sweep's checkpoints take"};
  }
  return {Level::ok, what, ""};
}

// As a checkpoint is written: beside the old one, synced, then renamed over it.
Finding check_durable_write(const std::filesystem::path& folder) {
  const auto file = folder / fmt::format(".ranksweep-doctor-{}.write", ::getpid());
  const auto renamed = folder / fmt::format(".ranksweep-doctor-{}.renamed", ::getpid());
  const int descriptor = ::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    fail(file.string());
  }
  const auto start = std::chrono::steady_clock::now();
  const bool written = ::write(descriptor, "x", 1) == 1 && ::fsync(descriptor) == 0;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  ::close(descriptor);
  std::error_code error;
  std::filesystem::rename(file, renamed, error);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  std::filesystem::remove(renamed, ignored);
  if (!written || error) {
    return {Level::error,
            fmt::format("{}: {} does not work", folder.string(), error ? "rename" : "sync"),
            "choose another file system for the results"};
  }
  const std::string what = fmt::format("rename and sync: work, {:.1f} ms", elapsed.count() * 1e3);
  if (elapsed.count() > kSlowSync) {
    return {Level::warning, what, "commits are slow here: every epoch waits for one"};
  }
  return {Level::ok, what, ""};
}

Finding check_open_files() {
  struct rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::string what = fmt::format("open files: {}", limit.rlim_cur);
  if (limit.rlim_cur < kFewOpenFiles) {
    return {Level::warning, what, fmt::format("raise it: ulimit -n {}", kFewOpenFiles)};
  }
  return {Level::ok, what, ""};
}

Finding check_locked_memory() {
  struct rlimit limit = {};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) {
    return {Level::ok, "locked memory: unlimited", ""};
  }
  const std::string what =
      fmt::format("locked memory: {}", bytes_text(static_cast<double>(limit.rlim_cur)));
  if (::access("/dev/infiniband", F_OK) == 0) {
    return {Level::warning, what, "InfiniBand wants `ulimit -l unlimited`; ask the administrator"};
  }
  return {Level::ok, what, ""};
}

Finding check_shared_memory() {
  struct statfs facts = {};
  if (::statfs("/dev/shm", &facts) != 0) {
    return {Level::warning, "/dev/shm: not there", "mount a tmpfs there: MPI and NCCL use it"};
  }
  const double space = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_bsize);
  const std::string what = fmt::format("/dev/shm: {} free", bytes_text(space));
  if (space < kLittleSharedMemory) {
    return {Level::warning, what, "give it more: docker run --shm-size=1g, or remount the tmpfs"};
  }
  return {Level::ok, what, ""};
}

Finding check_gpu_details(const std::vector<cluster::Gpu>& gpus,
                          const std::string& why_no_details) {
  std::string what = fmt::format("GPUs: {}", names_text(gpus));
  if (!why_no_details.empty()) {
    return {Level::warning, fmt::format("{}; UUIDs and links not known: {}", what, why_no_details),
            "let NVML tell them: the driver's libnvidia-ml.so.1, for which a container needs "
            "NVIDIA_DRIVER_CAPABILITIES=compute,utility; CUDA_DEVICE_ORDER unset or PCI_BUS_ID"};
  }
  if (const std::string links = links_text(gpus); !links.empty()) {
    what += fmt::format("; links: {}", links);
  }
  return {Level::ok, what, ""};
}

Finding check_driver() {
  if (!kWithCuda) {
    return {Level::warning, "this ranksweep was built without CUDA: trials run on the CPU",
            "RANKSWEEP_CUDA=ON tools/setup.sh, and build again"};
  }
  try {
    return {
        Level::ok,
        fmt::format("driver and model: {}",
                    one_line(cluster::output_of({"nvidia-smi", "--query-gpu=driver_version,name",
                                                 "--format=csv,noheader"}))),
        ""};
  } catch (const std::runtime_error& error) {
    return {Level::error, one_line(error.what()),
            "install the NVIDIA driver, or choose --device cpu"};
  }
}

}  // namespace

LockedFile::LockedFile(const std::filesystem::path& folder)
    : path_(folder / fmt::format(".ranksweep-doctor-{}.lock", ::getpid())),
      descriptor_(::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) {
    fail(path_.string());
  }
  if (!lock(descriptor_)) {
    const int error = errno;
    ::close(descriptor_);
    ::unlink(path_.c_str());
    throw std::system_error(error, std::generic_category(), path_.string() + " cannot be locked");
  }
}

LockedFile::~LockedFile() {
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

Finding check_lock_of_another(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    return {Level::error,
            fmt::format("{} cannot be seen here: {}", file.parent_path().string(),
                        std::generic_category().message(errno)),
            "put the results into a folder that all nodes share"};
  }
  const bool refused = !lock(descriptor) && (errno == EACCES || errno == EAGAIN);
  ::close(descriptor);
  if (refused) {
    return {Level::ok, "locks: work", ""};
  }
  return {Level::error, "locks: another process got a lock that was taken",
          "choose another file system, or have this one mounted with locks (NFS: without nolock; "
          "Lustre: with flock)"};
}

std::vector<Finding> check_folder(const std::filesystem::path& folder) {
  try {
    return {check_space(folder), check_durable_write(folder)};
  } catch (const std::system_error& error) {
    return {{Level::error, error.what(), "name a folder that can be written"}};
  }
}

std::vector<Finding> check_limits() {
  return {check_open_files(), check_locked_memory(), check_shared_memory()};
}

std::vector<Finding> check_gpus() {
  const auto [gpus, why_no_details] = cluster::visible_gpus();
  if (gpus.empty()) {
    return {{Level::ok, "GPUs: none; trials run on the CPU", ""}};
  }
  return {check_gpu_details(gpus, why_no_details), check_driver()};
}

Finding check_trainer() {
  try {
    const auto trainer = find_trainer();
    cluster::output_of({trainer.string(), "models", "--format", "json"});
    return {Level::ok,
            fmt::format("trainer: {}, LibTorch {}", trainer.string(), RANKSWEEP_LIBTORCH_VERSION),
            ""};
  } catch (const std::runtime_error& error) {
    return {Level::error, one_line(error.what()),
            "build or install ranksweep-trainer beside ranksweep"};
  }
}

Finding check_sums() {
  const std::size_t gpus = usable_gpus().size();
  const bool by_nccl = gpus >= 2;
  const std::string what =
      by_nccl
          ? fmt::format("sums of gradients by NCCL between {} GPUs", gpus)
          : fmt::format("sums of gradients between 2 trainers on the CPU ({}: NCCL not measured)",
                        gpus == 0 ? "no GPU" : "one GPU");
  std::vector<std::string> command = {"timeout", "60", "", "sums", "--members", "2"};
  if (by_nccl) {
    command.back() = std::to_string(gpus);
    command.emplace_back("--gpus");
  }
  try {
    command[2] = find_trainer().string();
    const double speed = std::stod(cluster::output_of(command));
    return {Level::ok, fmt::format("{}: {} of them a second", what, bytes_text(speed)), ""};
  } catch (const std::exception& error) {
    return {Level::warning, fmt::format("{}: {}", what, one_line(error.what())),
            by_nccl
                ? "NCCL_DEBUG=INFO ranksweep-trainer sums --gpus tells more; trials on one device "
                  "(`devices: 1`) need no sums"
                : "trials on one device (`devices: 1`) need no sums"};
  }
}

std::vector<Finding> check_slurm() {
  if (!cluster::slurm_is_here()) {
    return {};
  }
  try {
    return {{Level::ok, fmt::format("Slurm: {}", cluster::slurm_settings().version), ""}};
  } catch (const std::runtime_error& error) {
    return {{Level::warning, fmt::format("Slurm: {}", one_line(error.what())),
             "submit from a login node"}};
  }
}

}  // namespace ranksweep::cli
