#pragma once

#include <deque>
#include <optional>
#include <string>

namespace ranksweep::cluster {

// The number of a process in the sweep, from 0; rank 0 coordinates.
using Rank = int;
inline constexpr Rank kCoordinatorRank = 0;

struct Envelope {
  Rank from = 0;
  std::string body;
};

// Small control messages between ranks. Messages from one rank to another arrive once and in the
// order they were sent. Nothing here blocks. One thread only.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual Rank rank() const = 0;
  virtual int size() const = 0;
  // To any rank, this one included.
  virtual void send(Rank to, std::string body) = 0;
  // The next message for this rank, if one has arrived.
  virtual std::optional<Envelope> receive() = 0;
};

// The transport of a sweep that runs without mpirun: one rank that talks to itself.
class LocalTransport : public Transport {
 public:
  Rank rank() const override { return 0; }
  int size() const override { return 1; }
  void send(Rank to, std::string body) override;
  std::optional<Envelope> receive() override;

 private:
  std::deque<Envelope> inbox_;
};

}  // namespace ranksweep::cluster
