#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cluster/slurm.h"
#include "results/comparison.h"
#include "results/metric.h"
#include "results/report.h"
#include "results/results_reader.h"
#include "results/sweep_progress.h"
#include "results/tables.h"
#include "tools/cli/commands.h"
#include "tools/cli/explained_mistakes.h"
#include "tools/cli/sweep_shares.h"
#include "tools/cli/thumbnail.h"

namespace ranksweep::cli {
namespace {

using results::ResultsReader;
using results::TableFormat;

// What all these commands share: a database that is only read, and a format for what is printed.
struct ResultOptions {
  std::filesystem::path database;
  std::string format = "table";
  std::string argument;  // of the command: a trial, a query
  results::RankOptions rank;
  bool done = false;           // asks whether the sweep is, for scripts
  std::optional<Share> share;  // asks so of a share
  bool explain = false;        // what the best trial goes by in the images that it gets wrong
  std::filesystem::path output;
  std::filesystem::path published;
};

TableFormat format_of(const ResultOptions& options) {
  return results::table_format_from(options.format);
}

constexpr std::size_t kMostRowsForPeople = 100;

// Programs get every row, people the best unless they ask for more.
std::string rank(ResultsReader& reader, const ResultOptions& options) {
  results::RankOptions asked = options.rank;
  const bool cut = !asked.limit && format_of(options) == TableFormat::text;
  if (cut) asked.limit = kMostRowsForPeople + 1;
  results::Table table = rank_table(reader, asked);
  const bool more = cut && table.rows.size() > kMostRowsForPeople;
  if (more) table.rows.resize(kMostRowsForPeople);
  return render(table, format_of(options)) +
         (more ? "More follow: --limit gives the number of rows, --format csv all of them.\n" : "");
}

// The jobs in Slurm's queue that work on the database.
results::Table job_table(const std::filesystem::path& database) {
  results::Table table{.columns = {{"job", "Slurm job"},
                                   {"state", "state"},
                                   {"reason", "reason"},
                                   {"nodes", "nodes"},
                                   {"requeues", "requeues"},
                                   {"time_left", "time left"}},
                       .rows = {}};
  if (!cluster::slurm_is_here()) return table;
  try {
    for (const cluster::SlurmJob& job : cluster::slurm_jobs_of(database)) {
      table.rows.push_back({job.id, job.state, job.reason == "None" ? "" : job.reason, job.nodes,
                            std::int64_t{job.restarts}, job.time_left});
    }
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "warning: Slurm does not answer: {}\n", error.what());
  }
  return table;
}

std::string status(ResultsReader& reader, const ResultOptions& options) {
  std::string text;
  reader.at_one_moment([&] {
    const std::vector<results::RankedTrial> ranking = reader.ranking();
    text = render(status_table(ranking), format_of(options)) + "\n" +
           render(running_table(reader), format_of(options)) + "\n" +
           render(device_table(reader), format_of(options));
    for (const results::Table& table :
         {idle_table(reader), test_table(ranking), trouble_table(reader), skipped_table(reader)}) {
      if (!table.rows.empty()) text += "\n" + render(table, format_of(options));
    }
  });
  return text;
}

std::string show(ResultsReader& reader, const ResultOptions& options) {
  return show_trial(reader, options.argument, format_of(options));
}

std::string query(ResultsReader& reader, const ResultOptions& options) {
  return render(reader.query(options.argument), format_of(options));
}

// The name of the output decides what kind of report it is.
std::string report(ResultsReader& reader, const ResultOptions& options) {
  const std::string kind = options.output.extension();
  results::ReportOptions report;
  if (options.explain && kind != ".html") {
    throw CommandError(ExitCode::bad_input, "--explain draws pictures, which only .html has");
  }
  if (!options.published.empty()) {
    report.published = results::read_published_table(options.published);
  }
  if (kind == ".html") {
    report.thumbnail = draw_thumbnail;
    if (options.explain) report.explanation = explain_mistakes(reader, options.database);
    return report_html(reader, report);
  }
  if (kind == ".md") {
    return report_markdown(reader, report);
  }
  if (kind == ".svg") {
    return report_svg(reader);
  }
  throw CommandError(ExitCode::bad_input, fmt::format("{}: the name must end in .html, .md or .svg",
                                                      options.output.string()));
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  if (!out.write(text.data(), static_cast<std::streamsize>(text.size())).flush()) {
    throw CommandError(ExitCode::unfit, fmt::format("{} cannot be written", file.string()));
  }
  fmt::print("{} written\n", file.string());
}

bool is_done(const ResultOptions& options) {
  return options.share ? share_is_done(options.database, *options.share)
                       : results::read_progress(options.database).complete();
}

ExitCode tell_status(const ResultOptions& options) {
  if (options.done) {
    return is_done(options) ? ExitCode::success : ExitCode::interrupted;
  }
  const results::Table shares = share_table(options.database);
  std::vector<std::string> parts;
  if (shares.rows.empty() || std::filesystem::exists(options.database)) {
    ResultsReader reader(options.database);
    parts.push_back(status(reader, options));
  }
  for (const results::Table& table : {shares, job_table(options.database)}) {
    if (!table.rows.empty()) parts.push_back(render(table, format_of(options)));
  }
  fmt::print("{}", fmt::join(parts, "\n"));
  return ExitCode::success;
}

using Produce = std::string (*)(ResultsReader&, const ResultOptions&);

// Adds a command that reads a database and prints text, or writes it to the file of -o.
CLI::App* add_reader(CLI::App& app, ExitCode& result, const std::string& name,
                     const std::string& description, const std::shared_ptr<ResultOptions>& options,
                     Produce produce) {
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("database", options->database, "The results database")->required();
  command->callback([=, &result] {
    ResultsReader reader(options->database);
    const std::string text = produce(reader, *options);
    if (options->output.empty()) {
      fmt::print("{}", text);
    } else {
      write_file(options->output, text);
    }
    result = ExitCode::success;
  });
  return command;
}

template <typename Options>
void add_format(CLI::App* command, const std::shared_ptr<Options>& options) {
  command->add_option("--format", options->format, "table, markdown, latex, csv or json")
      ->check(CLI::IsMember({"table", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
}

struct CompareOptions {
  std::filesystem::path first;
  std::filesystem::path second;
  std::string format = "table";
};

ExitCode compare(const CompareOptions& options) {
  ResultsReader first(options.first);
  ResultsReader second(options.second);
  const results::Comparison comparison(first.ranking(), second.ranking());
  fmt::print("{}", render(comparison.table(), results::table_format_from(options.format)));
  fmt::print(stderr, "{}\n", comparison.summary());
  return comparison.all_equal() ? ExitCode::success : ExitCode::different;
}

}  // namespace

void add_result_commands(CLI::App& app, ExitCode& result) {
  auto ranking = std::make_shared<ResultOptions>();
  CLI::App* command =
      add_reader(app, result, "rank", "Rank the trials by minimum validation loss", ranking, rank);
  add_format(command, ranking);
  command
      ->add_option("--by", ranking->rank.by,
                   "One row for the trials that agree in these parameters: median and range")
      ->delimiter(',');
  command
      ->add_option("--metric", ranking->rank.metric,
                   fmt::format("What to rank by, at the epoch of the lowest validation loss: {}, "
                               "or one of an external trainer's own",
                               fmt::join(results::metric_names(), ", ")))
      ->capture_default_str();
  command->add_flag("--highest", ranking->rank.highest,
                    "An own metric of the trainer is better when it is higher");
  command->add_option("--limit", ranking->rank.limit,
                      "At most so many rows; without it a table for people ends after 100");

  auto reporting = std::make_shared<ResultOptions>();
  command = add_reader(app, result, "report",
                       "Write the report as one HTML or Markdown file, or its main figure",
                       reporting, report);
  command
      ->add_option("-o,--output", reporting->output, "FILE.html, FILE.md, or FILE.svg for a figure")
      ->required();
  command->add_option("--published", reporting->published,
                      "A CSV table of published results to show beside; docs/results.md says how");
  command->add_flag("--explain", reporting->explain,
                    "Have the trainer draw what the best trial goes by in the images that it gets "
                    "wrong (.html)");

  auto standing = std::make_shared<ResultOptions>();
  command = app.add_subcommand("status", "Show what runs, waits and failed, at any time");
  command->add_option("database", standing->database, "The results database")->required();
  add_format(command, standing);
  command->add_flag("--done", standing->done,
                    "Print nothing: exit status 0 when every trial of the sweep has ended, 75 "
                    "when some have not");
  add_share_option(*command, standing->share, "I/N: the I-th of N shares, as `run` has it")
      ->needs("--done");
  command->callback([standing, &result] { result = tell_status(*standing); });

  auto showing = std::make_shared<ResultOptions>();
  command = add_reader(app, result, "show", "Show one trial: parameters, attempts, epochs", showing,
                       show);
  command->add_option("trial", showing->argument, "The first digits of its identity")->required();
  add_format(command, showing);

  auto querying = std::make_shared<ResultOptions>();
  command = add_reader(app, result, "query", "Ask the database a question in SQL", querying, query);
  command->add_option("sql", querying->argument, "A SELECT; docs/results.md has the views")
      ->required();
  add_format(command, querying);

  auto comparing = std::make_shared<CompareOptions>();
  command = app.add_subcommand(
      "compare", "Compare the results of the same trials; exit status 1 when some differ");
  command->add_option("first", comparing->first, "A results database")->required();
  command->add_option("second", comparing->second, "Another one")->required();
  add_format(command, comparing);
  command->callback([comparing, &result] { result = compare(*comparing); });
}

}  // namespace ranksweep::cli
