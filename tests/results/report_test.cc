#include "results/report.h"

#include <filesystem>
#include <regex>

#include <gmock/gmock.h>

#include "results/embedded_files.h"
#include "results/sqlite_store.h"
#include "results/tables.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  std::string html(const testing::SyntheticSweep& sweep) {
    std::filesystem::remove(path_);
    testing::write_synthetic_sweep(path_, sweep);
    ResultsReader reader(path_);
    return report_html(reader);
  }

  std::string markdown(const testing::SyntheticSweep& sweep) {
    std::filesystem::remove(path_);
    testing::write_synthetic_sweep(path_, sweep);
    ResultsReader reader(path_);
    return report_markdown(reader);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
};

std::string draw(ResultsReader& reader, const Thumbnail& thumbnail) {
  return report_html(reader, {.thumbnail = thumbnail});
}

// Without the page in the message when it does not.
bool holds(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

const std::string kHostile =
    " <script>alert(1)</script> </style><!-- \"quoted\" 'single' & \xf0\x9f\x99\x82 "
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\xae gnp \xff | ` {{css}} " +
    std::string(10'000, 'x');

TEST_F(ReportTest, NamesTheWinnerAndCountsHowTheTrialsEnded) {
  const std::string page = html({});
  EXPECT_TRUE(holds(page, "inception_resnet_v2"));
  EXPECT_TRUE(holds(page,
                    "leads with a validation loss of 0.0390 at epoch 20, and an accuracy "
                    "of 98.00 %."));
  EXPECT_TRUE(holds(page,
                    "On 100 validation images the 95&nbsp;% interval of that accuracy is 93.0 "
                    "to 99.4&nbsp;%"));
  EXPECT_TRUE(holds(page, "<li class=\"key collapsed\">2 collapsed</li>"));
  EXPECT_TRUE(holds(page, "The same validation images chose the best epoch"));
}

TEST_F(ReportTest, HasASectionForEverythingThatTheSweepHas) {
  const std::string page = html({});
  for (const char* id : {"ranking", "mistakes", "curves", "parallel", "effects", "training",
                         "study", "time", "failures", "provenance"}) {
    EXPECT_TRUE(holds(page, std::string("<section id=\"") + id + "\""));
  }
}

TEST_F(ReportTest, SaysWhoCannotBeToldFromTheWinner) {
  const std::regex sentence("sign flips, at 5 %\\), ([0-9]+) of 29 other trials cannot be told");
  std::smatch match;
  const std::string text = markdown({});
  ASSERT_TRUE(std::regex_search(text, match, sentence));
  const Table table = [&] {
    ResultsReader reader(path_);
    return rank_table(reader);
  }();
  const auto alike = std::ranges::count_if(
      table.rows, [](const auto& row) { return std::ranges::find(row, Cell("yes")) != row.end(); });
  EXPECT_EQ(match[1], std::to_string(alike));
  EXPECT_TRUE(holds(html({.predictions = false}), "overlap with it"));
}

TEST_F(ReportTest, DrawsWhatTheBestTrialGetsWrong) {
  testing::write_synthetic_sweep(path_);
  ResultsReader reader(path_);
  std::vector<std::string> asked;
  const std::string page = draw(reader, [&](const SweepInfo& sweep, const std::string& file) {
    EXPECT_EQ(sweep.data_path, "/data/faces");
    asked.push_back(file);
    return asked.size() == 1 ? std::optional<std::string>("JPEG") : std::nullopt;
  });
  EXPECT_EQ(asked.size(), 2U);  // of 100 images, at an accuracy of 98 %
  EXPECT_EQ(count(page, "<img src=\"data:image/jpeg;base64,SlBFRw==\""), 1U);
  EXPECT_EQ(count(page, "class=\"no-image\""), 1U);
  EXPECT_TRUE(holds(page, "1 of them could not be drawn from /data/faces."));
  EXPECT_EQ(count(page, "<table id=\"confusion-"), 3U);
  EXPECT_FALSE(holds(html({.predictions = false}), "<section id=\"mistakes\""));
}

TEST_F(ReportTest, ExplainsWhatTheBestTrialGetsWrong) {
  testing::write_synthetic_sweep(path_);
  ResultsReader reader(path_);
  const auto jpeg = [](const auto&, const auto&) { return std::string("JPEG"); };
  const auto map = [](const auto&, const std::string&) { return std::string("MAP"); };
  const std::string page = report_html(reader, {.thumbnail = jpeg, .explanation = map});
  EXPECT_EQ(count(page, "base64,SlBFRw==\""), 2U);
  EXPECT_EQ(count(page, "base64,TUFQ\""), 2U);
  EXPECT_TRUE(holds(page, "red is what speaks for the mistake"));
  EXPECT_FALSE(holds(draw(reader, jpeg), "red is what speaks for the mistake"));
}

TEST_F(ReportTest, ManyLargeThumbnailsDoNotMakeThePageLarge) {
  testing::write_synthetic_sweep(path_, {.trials = 1, .epochs = 1, .complete = true});
  ResultsReader reader(path_);
  const std::string without = report_html(reader);
  const std::string with =
      draw(reader, [](const auto&, const auto&) { return std::string(100'000, 'x'); });
  EXPECT_GT(with.size(), without.size() + 500'000);
  EXPECT_LT(with.size(), without.size() + 800'000);
  EXPECT_TRUE(holds(with, "could not be drawn"));
}

TEST_F(ReportTest, ShowsTheTestSplitBesideValidation) {
  {
    const testing::SyntheticSweep sweep{.trials = 2, .complete = true};
    Provenance provenance = testing::synthetic_provenance(sweep);
    provenance.test = {{"test/a.jpg", 0}, {"test/b.jpg", 1}};
    const sweeps::Plan plan = testing::synthetic_plan(sweep);
    const auto store = SqliteStore::open_for_sweep(path_, plan, provenance);
    std::vector<Change> changes = testing::synthetic_history(plan, sweep).changes;
    store->commit(changes);
  }
  ResultsReader reader(path_);
  EXPECT_TRUE(holds(report_markdown(reader), "the test split is evaluated on the best trial only"));
  const RankedTrial best = reader.ranking().front();
  {
    const testing::SyntheticSweep sweep{.trials = 2, .complete = true};
    const auto store = SqliteStore::open_for_sweep(path_, testing::synthetic_plan(sweep),
                                                   testing::synthetic_provenance(sweep));
    const std::vector<Change> changes = {TestEvaluated{
        .trial = best.trial,
        .epoch = *best.best_epoch,
        .loss = 0.25,
        .accuracy = 0.5,
        .classes_predicted = 1,
        .predictions = {
            .images = 2, .classes = 2, .log_probabilities = {-0.1F, -2.35F, -0.1F, -2.35F}}}};
    store->commit(changes);
  }
  const std::string page = report_html(reader);
  EXPECT_TRUE(holds(page,
                    "On the 2 images of the test split, which chose nothing, its loss is 0.2500 "
                    "and its accuracy 50.00&nbsp;% (95&nbsp;%: 9.5 to 90.5&nbsp;%)."));
  EXPECT_TRUE(holds(page, "<table id=\"test-confusion-0\""));
  EXPECT_FALSE(holds(page, "The same validation images chose"));
}

TEST_F(ReportTest, IsTheSameAgainByteForByte) {
  const std::string first = html({});
  std::filesystem::copy_file(path_, folder_ / "copy.db");
  ResultsReader copy(folder_ / "copy.db");
  EXPECT_EQ(report_html(copy), first);
  ResultsReader again(path_);
  EXPECT_EQ(report_markdown(again), report_markdown(copy));
}

TEST_F(ReportTest, DrawsALineForEachRankedTrialTheBestOnTop) {
  const std::string page = html({});
  EXPECT_EQ(count(page, "<path class=\"line"), 30u);
  EXPECT_EQ(count(page, "<path class=\"line good\""), 5u);
  const std::size_t best = page.find("<path class=\"line best\"");
  ASSERT_NE(best, std::string::npos);
  EXPECT_EQ(page.find("<path", best + 1), std::string::npos);
  EXPECT_TRUE(holds(page, "<title>1: 0.0390</title>"));
  for (const char* name : {"architecture", "learning_rate", "augmentation", "training"}) {
    EXPECT_TRUE(holds(page, std::string("y=\"20\">") + name + "</text>")) << name;
  }
  const std::size_t drawing = page.find("<svg class=\"parallel\"");
  EXPECT_FALSE(holds(page.substr(drawing, page.find("</svg>", drawing) - drawing), "nan"));
}

TEST_F(ReportTest, ShowsPublishedBesideReproduced) {
  testing::write_synthetic_sweep(path_);
  ResultsReader reader(path_);
  const auto published = read_published_table(folder_.write(
      "table.csv",
      std::string("model,min_val_loss_epoch,min_val_loss,val_accuracy\n"
                  "ResNet-50,20,0.0907,96%\nInception v3,21,0.0905,96%\n<b>,3,1.5,\n")));
  const std::string page = report_html(reader, {.published = published});
  EXPECT_TRUE(holds(page,
                    "to their last printed digit: 1 of 3; without a trial of that name here: "
                    "1."));
  EXPECT_TRUE(holds(page, "<td>&lt;b&gt;</td>"));
  const std::string text = report_markdown(reader, {.published = published});
  EXPECT_THAT(text, HasSubstr("| ResNet-50 | 20 | 0.0907 | 96% |  |  | 20 | 0.0907 |"));
  EXPECT_FALSE(holds(report_html(reader), "id=\"published\""));
}

TEST_F(ReportTest, AFigureStandsForItself) {
  testing::write_synthetic_sweep(path_, {.user_text = kHostile});
  ResultsReader reader(path_);
  const std::string figure = report_svg(reader);
  EXPECT_EQ(count(figure, "<path class=\"curve\""), 5u);
  EXPECT_EQ(count(figure, "<path class=\"line"), 30u);
  EXPECT_EQ(count(figure, "<script"), 0u);
  EXPECT_FALSE(holds(figure, "nan"));
  EXPECT_FALSE(holds(figure, "inf "));
}

TEST_F(ReportTest, ALivePageMayAskItsOwnServerAndNobodyElse) {
  testing::write_synthetic_sweep(path_);
  ResultsReader reader(path_);
  const std::string page = report_html(reader, {.live = true});
  EXPECT_TRUE(holds(page, "form-action 'none'; connect-src 'self'\">"));
  EXPECT_EQ(count(page, "<script"), 4u);
}

TEST_F(ReportTest, TellsOfASweepThatHasOnlyBegun) {
  const testing::SyntheticSweep sweep{.trials = 3};
  const std::string page = html(sweep);  // all three are still pending
  EXPECT_TRUE(holds(page, "No trial has finished with an honest result yet."));
  EXPECT_FALSE(holds(page, "<section id=\"curves\""));
  EXPECT_FALSE(holds(page, "<section id=\"time\""));
}

TEST_F(ReportTest, ForbidsTheNetworkAndNeedsNone) {
  const std::string page = html({});
  EXPECT_TRUE(holds(page, "content=\"default-src 'none'; script-src 'sha256-"));
  const std::regex outside("(src|href)=\"?https?:", std::regex::icase);
  EXPECT_FALSE(std::regex_search(page.substr(0, page.find("<script>")), outside));
  EXPECT_EQ(count(page, " style=\""), 0u);  // which the policy would drop
}

// The policy names the scripts and the style by these; a browser computes them anew.
TEST(EmbeddedFilesTest, HashesAreThoseOfSha256sum) {
  EXPECT_EQ(kChartJsSha256.size(), 44u);
  EXPECT_EQ(kReportJsSha256.back(), '=');
  EXPECT_NE(kReportJsSha256, kReportCssSha256);
}

TEST_F(ReportTest, HostileTextStaysText) {
  const std::string page = html({.user_text = kHostile});
  EXPECT_EQ(count(page, "<script"), 3u);
  EXPECT_EQ(count(page, "</script"), 3u);
  EXPECT_EQ(count(page, "<style"), 1u);
  EXPECT_EQ(count(page, "</style"), 1u);
  EXPECT_TRUE(holds(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_TRUE(holds(page, "\\u003cscript>alert(1)\\u003c/script>"));
  EXPECT_FALSE(holds(page, "\xff"));
  EXPECT_LT(page.size(), 3'000'000u);
}

TEST_F(ReportTest, HostileTextStaysInItsCellInMarkdown) {
  const std::string text = markdown({.user_text = kHostile});
  const std::string tables = text.substr(0, text.find("\n```"));
  EXPECT_THAT(tables, Not(HasSubstr("<script>")));
  EXPECT_THAT(tables, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(tables, HasSubstr("\\| \\`"));
}

TEST_F(ReportTest, AFenceInTheSweepFileCannotEndItsBlock) {
  EXPECT_THAT(markdown({.user_text = "\n```\n# not a heading\n"}), HasSubstr("\n````yaml\n"));
}

TEST_F(ReportTest, MarkdownHasTheHeadlineAndTheTables) {
  const std::string text = markdown({});
  EXPECT_THAT(text, HasSubstr("# synthetic\n\ninception_resnet_v2"));
  EXPECT_THAT(text, HasSubstr("Of 40 trials: 30 finished, 2 collapsed, 2 diverged, 1 failed, 2 "
                              "running, 3 pending."));
  EXPECT_THAT(text, HasSubstr("| model | min val loss epoch | min val loss | val accuracy | "
                              "training loss | training accuracy |"));
  EXPECT_THAT(text, HasSubstr("\n## What went wrong\n"));
  EXPECT_THAT(text, HasSubstr("signal 9 (SIGKILL)"));
}

TEST_F(ReportTest, WarnsOfRandomFeatures) {
  const std::string warning =
      "Frozen without weights, so that the head learned from random features: inception_resnet_v2 "
      "(4 trials), inception_v3 (4 trials), resnet50 (4 trials), simple_cnn (4 trials), vgg16 (4 "
      "trials).";
  EXPECT_TRUE(holds(html({}), "<li>" + warning + "</li>"));
  ResultsReader reader(path_);
  const std::string text = report_markdown(reader);
  EXPECT_TRUE(holds(text, "\nFrozen without weights, so that the head learned from random"));
}

TEST_F(ReportTest, DoesNotWarnOfRandomFeaturesWhereThereAreWeights) {
  EXPECT_FALSE(holds(html({.user_text = "weights"}), "random features"));
}

TEST_F(ReportTest, DoesNotWarnOfRandomFeaturesWhereAllIsTrained) {
  EXPECT_FALSE(holds(html({.trials = 10}), "random features"));
}

TEST_F(ReportTest, StaysSmallAndSaysWhatItLeftOut) {
  const std::string page = html({.trials = 2100, .epochs = 4, .predictions = false});
  EXPECT_LT(page.size(), 2'500'000u);
  EXPECT_TRUE(holds(page, "The first 2000 of 2100 rows"));
  EXPECT_TRUE(holds(page, "The best 100 trials can be chosen."));
}

TEST_F(ReportTest, ThinsLongCurvesButKeepsTheirBestEpochs) {
  const std::string page = html({.trials = 10, .epochs = 500});
  EXPECT_TRUE(holds(page, "Curves are thinned to about 100 epochs."));
  ResultsReader reader(path_);
  const RankedTrial best = reader.ranking()[0];
  EXPECT_TRUE(holds(page, "\"best\":" + std::to_string(best.best_epoch.value())));
  EXPECT_LT(page.size(), 600'000u);
}

}  // namespace
}  // namespace ranksweep::results
