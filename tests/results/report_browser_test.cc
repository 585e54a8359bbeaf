// The report in a real browser, with the page's own policy in force.

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "results/report.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer;
  while (const std::size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), count);
  }
  pclose(pipe);
  return output;
}

std::string browser() {
  std::string path = output_of("command -v chromium chromium-browser google-chrome | head -n 1");
  if (!path.empty()) path.pop_back();
  return path;
}

// What the page does once it is loaded: written down for the test to read.
constexpr const char* kVisit = R"(
  const found = {};
  const column = (name) => {
    const heads = Array.from(document.querySelectorAll('#ranking-table thead th'));
    return heads.findIndex((th) => th.textContent === name);
  };
  const cells = (name) => Array.from(document.querySelectorAll('#ranking-table tbody tr'),
                                     (tr) => tr.cells[column(name)].textContent);
  const press = (name) =>
    document.querySelectorAll('#ranking-table thead th')[column(name)].querySelector('button').click();
  const colours = (canvas) => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size;
  };
  found.colours = Array.from(document.querySelectorAll('canvas'), colours);
  press('val loss');
  found.ascending = cells('val loss');
  press('val loss');
  found.descending = cells('val loss');
  press('time');
  found.times = Array.from(document.querySelectorAll('#ranking-table tbody tr'),
                           (tr) => tr.cells[column('time')].dataset.v || '');
  const rows = () => document.querySelectorAll('#curve-table tbody tr').length;
  found.rows_before = rows();
  document.querySelectorAll('#curve-picks input')[5].click();
  found.rows_after = rows();
  document.getElementById('log-loss').click();
  document.getElementById('show-training').click();
  found.colours_after = Array.from(document.querySelectorAll('canvas'), colours);
  found.names = document.querySelectorAll('canvas[aria-label]').length;
  found.pictures = Array.from(document.querySelectorAll('.gallery img'), (img) => img.naturalWidth);
  found.overflow = document.documentElement.scrollWidth > window.innerWidth;
  const box = document.createElement('pre');
  box.id = 'found';
  box.textContent = JSON.stringify(found);
  document.body.append(box);
)";

class ReportBrowserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    browser_ = browser();
    if (browser_.empty()) GTEST_SKIP() << "no Chromium here: apt-get install chromium";
  }

  std::string report(const testing::SyntheticSweep& sweep, const Thumbnail& thumbnail = {}) {
    testing::write_synthetic_sweep(folder_ / "results.db", sweep);
    ResultsReader reader(folder_ / "results.db");
    return report_html(reader, {.thumbnail = thumbnail});
  }

  struct Visit {
    std::string document;  // after its scripts have run
    std::string log;       // of the browser, with the page's console
  };

  Visit visit(const std::string& html, const std::string& size = "1280,900") {
    const std::string page = (folder_ / "report.html").string();
    std::ofstream(page, std::ios::binary) << html;
    Visit visit;
    visit.document = output_of(fmt::format(
        "{} --headless --no-sandbox --disable-gpu --user-data-dir={} --window-size={} "
        "--enable-logging=stderr --virtual-time-budget=5000 --dump-dom file://{} 2> {}",
        browser_, (folder_ / "profile").string(), size, page, (folder_ / "log").string()));
    std::ostringstream log;
    log << std::ifstream(folder_ / "log").rdbuf();
    visit.log = log.str();
    return visit;
  }

  std::string browser_;
  TemporaryFolder folder_;
};

TEST_F(ReportBrowserTest, DrawsEveryChartUnderItsOwnPolicyWithoutAWordInTheConsole) {
  const Visit visited = visit(report({}));
  EXPECT_THAT(visited.document, HasSubstr("data-drawn=\"8\""));  // 2 curves, 4 effects, pairs, time
  EXPECT_THAT(visited.log, Not(HasSubstr("CONSOLE")));
}

TEST_F(ReportBrowserTest, HostileTextRunsNothing) {
  const std::string hostile =
      "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
      "</script>\xe2\x80\xae\xf0\x9f\x99\x82'\"";
  const Visit visited = visit(report({.user_text = hostile}));
  EXPECT_THAT(visited.document, HasSubstr("data-drawn="));
  EXPECT_THAT(visited.document, Not(HasSubstr("<title>owned")));
  EXPECT_THAT(visited.document, Not(HasSubstr("<img")));
  EXPECT_THAT(visited.log, Not(HasSubstr("CONSOLE")));
}

// The policy would refuse the test's own script, so it is lifted here.
std::string with_visitor(std::string html) {
  const std::size_t policy = html.find("<meta http-equiv=\"Content-Security-Policy\"");
  html.erase(policy, html.find('>', policy) + 1 - policy);
  html.insert(html.rfind("</body>"), std::string("<script>") + kVisit + "</script>");
  return html;
}

nlohmann::json found_in(const std::string& document) {
  const std::string begin = "<pre id=\"found\">";
  const std::size_t at = document.rfind(begin);
  if (at == std::string::npos) throw std::runtime_error("the visitor did not come to its end");
  const std::size_t from = at + begin.size();
  return nlohmann::json::parse(document.substr(from, document.find("</pre>", from) - from));
}

TEST_F(ReportBrowserTest, SortsTablesAndShowsTheChosenCurves) {
  const Visit visited = visit(with_visitor(report({})));
  const nlohmann::json found = found_in(visited.document);

  for (const char* when : {"colours", "colours_after"}) {
    ASSERT_EQ(found[when].size(), 8u);
    for (const auto& colours : found[when]) EXPECT_GT(colours, 5) << when;
  }
  const auto numbers = [](const nlohmann::json& texts) {
    std::vector<double> result;
    for (const std::string text : texts) {
      if (!text.empty()) result.push_back(std::stod(text));
    }
    return result;
  };
  const std::vector<double> ascending = numbers(found["ascending"]);
  EXPECT_EQ(ascending.size(), 36u);
  EXPECT_TRUE(std::is_sorted(ascending.begin(), ascending.end()));
  EXPECT_EQ(found["ascending"].back(), "");  // without a loss: last either way
  const std::vector<double> descending = numbers(found["descending"]);
  EXPECT_TRUE(std::is_sorted(descending.rbegin(), descending.rend()));
  EXPECT_EQ(found["descending"].back(), "");
  const std::vector<double> times = numbers(found["times"]);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_GT(found["rows_after"], found["rows_before"]);
  EXPECT_EQ(found["names"], 8);
}

// A picture of one pixel: a browser goes by the bytes, whatever kind they are called.
const std::string kPixel =
    "GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02"
    "D\x01\0;"s;

TEST_F(ReportBrowserTest, DrawsTheImagesThatTheBestTrialGetsWrong) {
  const std::string page =
      report({}, [](const auto&, const auto&) { return std::optional(kPixel); });
  const Visit visited = visit(page);
  EXPECT_THAT(visited.document, HasSubstr("<img src=\"data:image/jpeg;base64,"));
  EXPECT_THAT(visited.log, Not(HasSubstr("CONSOLE")));
  EXPECT_EQ(found_in(visit(with_visitor(page)).document)["pictures"], (std::vector{1, 1}));
}

TEST_F(ReportBrowserTest, FitsOnAPhone) {
  const Visit visited = visit(with_visitor(report({})), "500,900");
  EXPECT_EQ(found_in(visited.document)["overflow"], false);
}

}  // namespace
}  // namespace ranksweep::results
