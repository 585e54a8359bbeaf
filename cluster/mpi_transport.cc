#include "cluster/mpi_transport.h"

#include <array>
#include <list>
#include <mpi.h>
#include <numeric>
#include <utility>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

namespace ranksweep::cluster {
namespace {

constexpr int kTag = 1;

// With user-level failure mitigation (Open MPI 5, mpirun --with-ft ulfm) a dead rank is an error of
// each call that concerns it, and all others go on. Leases notice it, so the errors say nothing
// new.
void survive_dead_ranks() {
#ifdef OMPI_HAVE_MPI_EXT_FTMPI
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
#endif
}

// Until a failure is acknowledged, nothing can be received from any source.
void acknowledge_dead_ranks() {
#ifdef OMPI_HAVE_MPI_EXT_FTMPI
  MPIX_Comm_failure_ack(MPI_COMM_WORLD);
#endif
}

}  // namespace

struct MpiTransport::Pending {
  struct Message {
    std::string body;  // must stay where it is until MPI is done with it
    MPI_Request request = MPI_REQUEST_NULL;
  };
  std::list<Message> messages;

  void release_completed() {
    messages.remove_if([](Message& message) {
      int done = 0;
      MPI_Test(&message.request, &done, MPI_STATUS_IGNORE);
      return done != 0;
    });
  }
};

std::unique_ptr<MpiTransport> MpiTransport::start() {
  MPI_Init(nullptr, nullptr);
  survive_dead_ranks();
  return std::unique_ptr<MpiTransport>(new MpiTransport());
}

MpiTransport::MpiTransport() : pending_(std::make_unique<Pending>()) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &local_rank_);
  MPI_Comm_size(node, &local_size_);
  MPI_Comm_free(&node);
}

MpiTransport::~MpiTransport() {
  for (Pending::Message& message : pending_->messages) {
    MPI_Wait(&message.request, MPI_STATUS_IGNORE);
  }
  MPI_Finalize();
}

std::vector<std::string> MpiTransport::tell_all(const std::string& text) const {
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(static_cast<std::size_t>(size_));
  MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD);
  std::vector<int> starts(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), starts.begin(), 0);
  std::string all(static_cast<std::size_t>(starts.back() + lengths.back()), '\0');
  MPI_Allgatherv(text.data(), length, MPI_BYTE, all.data(), lengths.data(), starts.data(), MPI_BYTE,
                 MPI_COMM_WORLD);
  std::vector<std::string> told;
  for (std::size_t rank = 0; rank < lengths.size(); ++rank) {
    told.push_back(all.substr(static_cast<std::size_t>(starts[rank]),
                              static_cast<std::size_t>(lengths[rank])));
  }
  return told;
}

void MpiTransport::send(Rank to, std::string body) {
  if (to == rank_) {
    to_self_.send(0, std::move(body));
    return;
  }
  pending_->release_completed();
  Pending::Message& message = pending_->messages.emplace_back();
  message.body = std::move(body);
  MPI_Isend(message.body.data(), static_cast<int>(message.body.size()), MPI_BYTE, to, kTag,
            MPI_COMM_WORLD, &message.request);
}

std::optional<Envelope> MpiTransport::receive() {
  pending_->release_completed();
  if (auto envelope = to_self_.receive()) {
    return Envelope{.from = rank_, .body = std::move(envelope->body)};
  }
  int arrived = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  if (MPI_Improbe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &handle, &status) !=
      MPI_SUCCESS) {
    acknowledge_dead_ranks();
    return std::nullopt;
  }
  if (arrived == 0) {
    return std::nullopt;
  }
  int length = 0;
  MPI_Get_count(&status, MPI_BYTE, &length);
  std::string body(static_cast<std::size_t>(length), '\0');
  MPI_Mrecv(body.data(), length, MPI_BYTE, &handle, MPI_STATUS_IGNORE);
  return Envelope{.from = status.MPI_SOURCE, .body = std::move(body)};
}

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text = {};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string version(text.data(), static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

MpiFlavour mpi_flavour() {
#if defined(OMPI_MAJOR_VERSION)
#ifdef OMPI_HAVE_MPI_EXT_FTMPI
  return MpiFlavour::open_mpi_ulfm;
#else
  return MpiFlavour::open_mpi;
#endif
#elif defined(MPICH)
  return MpiFlavour::mpich;
#else
  return MpiFlavour::other;
#endif
}

}  // namespace ranksweep::cluster
