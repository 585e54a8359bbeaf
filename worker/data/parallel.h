#pragma once

#include <cstddef>
#include <functional>

namespace ranksweep::worker {

// Calls body(0), ..., body(count - 1) on as many threads as the process has cores, at most 16, and
// waits for all. The first exception of a body is thrown again here.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace ranksweep::worker
