#pragma once

namespace ranksweep::worker {

// How fast the trainers of one trial would sum their gradients on this node. Becomes a group of
// `members` processes, on the CPU or with a GPU each, and prints the bytes of gradients that they
// sum in a second. Only the first of them returns. Throws GroupBroken, std::invalid_argument,
// std::system_error.
void measure_sums(int members, bool on_gpus);

}  // namespace ranksweep::worker
