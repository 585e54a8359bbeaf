#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace ranksweep::cli {

struct ServerAddress {
  std::string host = "127.0.0.1";
  int port = 8765;  // 0: any that is free
};

// Serves the live report of `database` until the process is ended; `begun` is told the page's
// address. Only reads. On a loopback address it answers only requests that name such an address, so
// that no foreign web page can read it by a name that it points here. Throws CommandError when the
// address cannot be taken, and what LiveReport throws for the database.
void serve_report(const std::filesystem::path& database, const ServerAddress& address,
                  const std::function<void(const std::string& url)>& begun);

}  // namespace ranksweep::cli
