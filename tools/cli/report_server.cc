#include "tools/cli/report_server.h"

#include <algorithm>
#include <array>
#include <exception>
#include <httplib.h>
#include <memory>

#include <fmt/format.h>

#include "results/live_report.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

constexpr std::array<const char*, 3> kLoopback = {"127.0.0.1", "localhost", "[::1]"};

bool is_loopback(const std::string& host) {
  return host == "::1" || std::find(kLoopback.begin(), kLoopback.end(), host) != kLoopback.end();
}

std::string without_port(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

void answer_with_page(results::LiveReport& report, const httplib::Request& request,
                      httplib::Response& response) {
  std::shared_ptr<const results::LiveReport::Page> page;
  try {
    page = report.page();
  } catch (const std::exception& error) {
    response.status = 503;
    response.set_content(std::string(error.what()) + "\n", "text/plain; charset=utf-8");
    return;
  }
  const std::string tag = '"' + page->version + '"';
  response.set_header("ETag", tag);
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Content-Type-Options", "nosniff");
  // A proxy or compression may have made the tag a weak one.
  if (request.get_header_value("If-None-Match").find(tag) != std::string::npos) {
    response.status = 304;
  } else {
    response.set_content(page->html, "text/html; charset=utf-8");
  }
}

}  // namespace

void serve_report(const std::filesystem::path& database, const ServerAddress& address,
                  const std::function<void(const std::string& url)>& begun) {
  results::LiveReport report(database);
  report.page();  // what is wrong with the database is told here, not in a browser
  httplib::Server server;
  // The library would let a second server share the port, and each get some of the requests.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  // Otherwise each open page would keep one of a few threads busy with its connection.
  server.set_keep_alive_max_count(1);
  const bool guarded = is_loopback(address.host);
  server.set_pre_routing_handler(
      [guarded](const httplib::Request& request, httplib::Response& response) {
        if (!guarded || is_loopback(without_port(request.get_header_value("Host")))) {
          return httplib::Server::HandlerResponse::Unhandled;
        }
        response.status = 403;
        return httplib::Server::HandlerResponse::Handled;
      });
  server.Get("/", [&report](const httplib::Request& request, httplib::Response& response) {
    answer_with_page(report, request, response);
  });
  int port = address.port;
  if (port == 0) {
    port = server.bind_to_any_port(address.host);
  } else if (!server.bind_to_port(address.host, port)) {
    port = -1;
  }
  if (port < 0) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("{}:{} cannot be listened on: another program does, or it is no "
                                   "address of this machine; give another --port (0: any that is "
                                   "free) or --address",
                                   address.host, address.port));
  }
  const bool is_v6 = address.host.find(':') != std::string::npos;
  begun(fmt::format("http://{}:{}/", is_v6 ? "[" + address.host + "]" : address.host, port));
  server.listen_after_bind();
}

}  // namespace ranksweep::cli
