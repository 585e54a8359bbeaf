#include "results/import/keras_import.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/database.h"
#include "results/new_database.h"
#include "results/plan_writer.h"
#include "results/sweep_store.h"
#include "results/text.h"
#include "sweeps/trial_id.h"

namespace ranksweep::results {
namespace {

std::string read_whole_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in || std::filesystem::is_directory(file)) {
    throw StoreError(fmt::format("{}: cannot be read; give the log of a Keras run", file.string()));
  }
  return content;
}

void bind_number(SQLite::Statement& statement, int place, const std::optional<double>& number) {
  if (number && std::isfinite(*number)) {
    statement.bind(place, *number);
  } else {
    statement.bind(place);
  }
}

// Writes the rows of an import, in the caller's transaction.
class ImportWriter {
 public:
  ImportWriter(SQLite::Database& database, std::string now)
      : database_(database), now_(std::move(now)) {}

  void write_sweep(const std::string& name, const std::vector<ImportedLog>& logs,
                   const Provenance& provenance) {
    std::string source = "# Imported from progress logs of Keras:\n";
    for (const ImportedLog& log : logs) {
      source += fmt::format("#   {}  {}\n", log.hash, one_line(log.file.string()));
    }
    run("INSERT INTO sweep VALUES (1, ?, ?, '', '', '[]', 0, 0, 0, ?)", name, source, now_);
    run("INSERT INTO invocation (id, sweep, begun_at, command_line, host) VALUES (1, 1, ?, ?, ?)",
        now_, provenance.command_line, provenance.host);
    for (const auto& [what, value] : provenance.environment) {
      run("INSERT INTO environment VALUES (1, ?, ?)", what, value);
    }
    run("INSERT INTO swept_parameter VALUES (1, 1, 'architecture')");
    write_trial_wide(database_, {"architecture"});
  }

  void write_log(const ImportedLog& log) {
    ++trial_;
    const nlohmann::json spec = {{"architecture", log.model}, {"log", log.hash}};
    const KerasRow& last = log.log.rows.back();
    const bool diverged = !std::isfinite(last.val_loss);
    run("INSERT INTO trial (id, identity, spec, state) VALUES (?, ?, ?, ?)", trial_,
        sweeps::hash_hex(spec.dump()), spec.dump(), diverged ? "diverged" : "finished");
    run("INSERT INTO sweep_trial VALUES (1, ?, ?, ?, 0)", trial_, trial_, log.model);
    run("INSERT INTO parameter VALUES (?, 'architecture', 'text', ?)", trial_, log.model);
    if (log.log.planned_epochs) {
      run("INSERT INTO parameter VALUES (?, 'epochs', 'integer', ?)", trial_,
          *log.log.planned_epochs);
    }
    run("INSERT INTO attempt (id, trial, invocation, rank, host, device, threads, begun_at, "
        "ended_at, outcome, message) VALUES (?, ?, 1, 0, '', '', 0, ?, ?, ?, ?)",
        trial_, trial_, now_, now_, diverged ? "diverged" : "finished",
        "read from " + log.file.string());
    for (const KerasRow& row : log.log.rows) write_epoch(row);
    for (const KerasNote& note : log.log.notes) {
      run("INSERT INTO event (invocation, at, kind, rank, message) VALUES (1, ?, 'import', 0, ?)",
          now_, fmt::format("{}:{}: {}", log.file.string(), note.line, note.text));
    }
  }

 private:
  template <typename... Values>
  void run(const std::string& sql, const Values&... values) {
    SQLite::Statement statement(database_, sql);
    int place = 0;
    (statement.bind(++place, values), ...);
    statement.exec();
  }

  void write_epoch(const KerasRow& row) {
    SQLite::Statement statement(database_, R"(
        INSERT INTO epoch (trial, attempt, epoch, val_loss, val_accuracy, train_loss,
          train_accuracy, seconds, data_wait_s, train_images, val_images, val_classes_predicted,
          elapsed_s)
        VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0, ?7 + (
          SELECT coalesce(max(elapsed_s), 0) FROM epoch WHERE trial = ?1)))");
    statement.bind(1, trial_);
    statement.bind(2, row.earliest);
    bind_number(statement, 3, row.val_loss);
    bind_number(statement, 4, row.val_accuracy);
    bind_number(statement, 5, row.train_loss);
    bind_number(statement, 6, row.train_accuracy);
    statement.bind(7, row.seconds.value_or(0));
    statement.exec();
  }

  SQLite::Database& database_;
  std::string now_;
  std::int64_t trial_ = 0;
};

std::string epoch_text(const KerasRow& row) {
  return row.earliest == row.latest ? fmt::format("epoch {}", row.earliest)
                                    : fmt::format("epoch {} to {}", row.earliest, row.latest);
}

// The row with the lowest validation loss, the first on a tie; none when no loss was finite.
const KerasRow* best_row(const KerasLog& log) {
  const KerasRow* best = nullptr;
  for (const KerasRow& row : log.rows) {
    if (std::isfinite(row.val_loss) && (best == nullptr || row.val_loss < best->val_loss)) {
      best = &row;
    }
  }
  return best;
}

bool agrees(const std::optional<PrintedNumber>& published, const std::optional<double>& found) {
  return !published || (found && published->agrees_with(*found));
}

bool agrees(const PublishedRow& published, const KerasRow& row) {
  return agrees(published.val_loss, row.val_loss) &&
         agrees(published.val_accuracy, row.val_accuracy) &&
         agrees(published.train_loss, row.train_loss) &&
         agrees(published.train_accuracy, row.train_accuracy);
}

// Why the log cannot give the published figures.
std::string explain(const PublishedRow& published, const ImportedLog& log) {
  std::string text;
  if (published.best_epoch) {
    const int epoch = *published.best_epoch;
    const auto holder =
        std::find_if(log.log.rows.begin(), log.log.rows.end(),
                     [&](const auto& row) { return row.earliest <= epoch && epoch <= row.latest; });
    const auto heading = log.log.heading_lines.find(epoch);
    if (holder == log.log.rows.end()) {
      text = fmt::format("the row of epoch {} is lost{}", epoch,
                         heading == log.log.heading_lines.end()
                             ? ""
                             : fmt::format(" (line {} has its heading alone)", heading->second));
    } else if (holder->earliest == holder->latest) {
      text = fmt::format("the log gives other figures for epoch {} (line {})", epoch, holder->line);
    } else {
      text = fmt::format("the row of epoch {} is lost: line {} holds {}, with other figures", epoch,
                         holder->line, epoch_text(*holder));
    }
  }
  const KerasRow* best = best_row(log.log);
  if (best == nullptr) return text;
  std::string same;
  for (const KerasRow& row : log.log.rows) {
    if (published.val_loss && published.val_loss->agrees_with(row.val_loss)) {
      same += fmt::format("{} {}", same.empty() ? "" : ",", epoch_text(row));
    }
  }
  text += fmt::format("{}the lowest loss left is {:.5g}, {}", text.empty() ? "" : "; ",
                      best->val_loss, epoch_text(*best));
  if (!same.empty()) text += fmt::format("; the published loss itself is left at{}", same);
  return text;
}

}  // namespace

std::vector<ImportedLog> read_keras_logs(const std::vector<std::filesystem::path>& files) {
  std::vector<ImportedLog> logs;
  for (const std::filesystem::path& file : files) {
    const std::string content = read_whole_file(file);
    ImportedLog log{file, valid_utf8(file.stem().string()), sweeps::hash_hex(content),
                    read_keras_log(content, file.string())};
    for (const ImportedLog& other : logs) {
      if (other.model == log.model) {
        throw StoreError(
            fmt::format("{} and {}: both are named '{}', and a log is named after its "
                        "model; rename one",
                        other.file.string(), file.string(), log.model));
      }
    }
    logs.push_back(std::move(log));
  }
  return logs;
}

std::string describe_import(const ImportedLog& log) {
  std::string text =
      fmt::format("{}: {}{} epochs have their figures\n", log.file.string(), log.log.rows.size(),
                  log.log.planned_epochs ? fmt::format(" of {}", *log.log.planned_epochs) : "");
  for (const KerasNote& note : log.log.notes) {
    text += fmt::format("{}:{}: {}\n", log.file.string(), note.line, note.text);
  }
  return text;
}

void write_keras_import(const std::filesystem::path& database, const std::vector<ImportedLog>& logs,
                        const Provenance& provenance, const Clock& clock) {
  NewDatabase made(database);
  with_store_errors(database, [&] {
    SQLite::Transaction transaction(made.database());
    ImportWriter writer(made.database(), format_utc(clock()));
    writer.write_sweep(valid_utf8(database.stem().string()), logs, provenance);
    for (const ImportedLog& log : logs) writer.write_log(log);
    transaction.commit();
  });
  made.publish();
}

std::string compare_import(const std::vector<PublishedRow>& published,
                           const std::vector<ImportedLog>& logs) {
  std::string text;
  for (const PublishedRow& row : published) {
    text += row.model + ": ";
    const auto log = std::find_if(logs.begin(), logs.end(), [&](const ImportedLog& one) {
      return same_model(one.model, row.model);
    });
    if (log == logs.end()) {
      text += "published, but none of the logs is named so\n";
      continue;
    }
    const KerasRow* best = best_row(log->log);
    const bool same_epoch = best != nullptr &&
                            best->earliest <= row.best_epoch.value_or(best->earliest) &&
                            row.best_epoch.value_or(best->latest) <= best->latest;
    text += same_epoch && agrees(row, *best) ? "as published"
                                             : "not as published: " + explain(row, *log);
    text += '\n';
  }
  return text;
}

}  // namespace ranksweep::results
