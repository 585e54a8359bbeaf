#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/mpi_launch.h"
#include "cluster/transport.h"

namespace ranksweep::cluster {

// Ranks started by one mpirun or srun. MPI is initialised by the first call of `start` and
// finalised by the destructor. mpi.h stays in the .cc file.
class MpiTransport : public Transport {
 public:
  // Collective over all ranks.
  static std::unique_ptr<MpiTransport> start();
  ~MpiTransport() override;

  Rank rank() const override { return rank_; }
  int size() const override { return size_; }
  // This rank's place among the ranks of its node, and their number.
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }

  // What each rank tells all others, by rank. Collective over all ranks, and waits for them.
  std::vector<std::string> tell_all(const std::string& text) const;

  void send(Rank to, std::string body) override;
  std::optional<Envelope> receive() override;

 private:
  MpiTransport();
  struct Pending;  // messages that MPI has not taken over yet

  Rank rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  LocalTransport to_self_;
  std::unique_ptr<Pending> pending_;
};

// "Open MPI v4.1.4, ...": what the program runs with.
std::string mpi_version();

// The one that the program was built with.
MpiFlavour mpi_flavour();

}  // namespace ranksweep::cluster
