#include "results/plan_writer.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/database.h"
#include "results/sweep_store.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

using nlohmann::json;
using sweeps::Plan;

void refuse_another_sweep(SQLite::Database& database, const std::filesystem::path& path,
                          const Plan& plan) {
  SQLite::Statement known(database, "SELECT name, data_fingerprint FROM sweep");
  while (known.executeStep()) {
    const std::string name = known.getColumn(0).getString();
    if (name != plan.sweep_name) {
      throw StoreError(
          fmt::format("{}: holds the sweep '{}', not '{}'; give each sweep its own --db",
                      path.string(), name, plan.sweep_name));
    }
    const std::string fingerprint = known.getColumn(1).getString();
    if (fingerprint != plan.data_fingerprint) {
      throw StoreError(fmt::format(
          "{}: sweep '{}' began on other data or inputs of its trainer (fingerprint {:.8}, now "
          "{:.8}); restore them, or take another --db for the new",
          path.string(), name, fingerprint, plan.data_fingerprint));
    }
  }
}

std::int64_t write_sweep(SQLite::Database& database, const Plan& plan, const Provenance& provenance,
                         const std::string& now) {
  SQLite::Statement statement(database, R"(
      INSERT INTO sweep (name, source, data_path, data_fingerprint, classes, train_images,
                         val_images, test_images, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET source = excluded.source, data_path = excluded.data_path,
          classes = excluded.classes, train_images = excluded.train_images,
          val_images = excluded.val_images, test_images = excluded.test_images
      RETURNING id)");
  statement.bind(1, plan.sweep_name);
  statement.bind(2, provenance.source);
  statement.bind(3, provenance.data_path.string());
  statement.bind(4, plan.data_fingerprint);
  // A folder's name, and so a class, may be no UTF-8.
  statement.bind(5, json(provenance.classes).dump(-1, ' ', false, json::error_handler_t::replace));
  statement.bind(6, provenance.train_images);
  statement.bind(7, static_cast<std::int64_t>(provenance.validation.size()));
  statement.bind(8, static_cast<std::int64_t>(provenance.test.size()));
  statement.bind(9, now);
  statement.executeStep();
  return statement.getColumn(0).getInt64();
}

std::int64_t write_invocation(SQLite::Database& database, std::int64_t sweep,
                              const Provenance& provenance, const std::string& now) {
  SQLite::Statement statement(
      database, "INSERT INTO invocation (sweep, begun_at, command_line, host) VALUES (?, ?, ?, ?)");
  statement.bind(1, sweep);
  statement.bind(2, now);
  statement.bind(3, provenance.command_line);
  statement.bind(4, provenance.host);
  statement.exec();
  const std::int64_t invocation = database.getLastInsertRowid();
  SQLite::Statement entry(database, "INSERT INTO environment VALUES (?, ?, ?)");
  for (const auto& [name, value] : provenance.environment) {
    entry.reset();
    entry.bind(1, invocation);
    entry.bind(2, name);
    entry.bind(3, value);
    entry.exec();
  }
  return invocation;
}

// Once a sweep: its data do not change.
void write_images(SQLite::Database& database, std::int64_t sweep, const Provenance& provenance) {
  SQLite::Statement known(database, "SELECT 1 FROM image WHERE sweep = ? LIMIT 1");
  known.bind(1, sweep);
  if (known.executeStep()) return;
  SQLite::Statement statement(database, "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?)");
  const auto write = [&](const char* split, const std::vector<JudgedImage>& images) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      statement.reset();
      statement.bind(1, sweep);
      statement.bind(2, split);
      statement.bind(3, static_cast<std::int64_t>(i));
      statement.bind(4, valid_utf8(images[i].file));
      statement.bind(5,
                     valid_utf8(provenance.classes.at(static_cast<std::size_t>(images[i].label))));
      statement.bind(6, images[i].label);
      statement.exec();
    }
  };
  write("validation", provenance.validation);
  write("test", provenance.test);
}

// Whether the database's plan is this one already, as when a sweep is gone on with. A description
// follows from what is compared here.
bool holds_plan(SQLite::Database& database, std::int64_t sweep, const Plan& plan) {
  SQLite::Statement swept(database,
                          "SELECT name FROM swept_parameter WHERE sweep = ? ORDER BY position");
  swept.bind(1, sweep);
  std::vector<std::string> names;
  while (swept.executeStep()) names.push_back(swept.getColumn(0).getString());
  if (names != plan.swept) return false;
  SQLite::Statement known(database, R"(
      SELECT trial.identity, sweep_trial.cost
      FROM sweep_trial JOIN trial ON trial.id = sweep_trial.trial
      WHERE sweep_trial.sweep = ? ORDER BY sweep_trial.position)");
  known.bind(1, sweep);
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    if (!known.executeStep() || known.getColumn(0).getString() != trial.id.hex() ||
        known.getColumn(1).getDouble() != trial.cost) {
      return false;
    }
  }
  return !known.executeStep();
}

void write_swept_parameters(SQLite::Database& database, std::int64_t sweep, const Plan& plan) {
  SQLite::Statement clear(database, "DELETE FROM swept_parameter WHERE sweep = ?");
  clear.bind(1, sweep);
  clear.exec();
  SQLite::Statement statement(database, "INSERT INTO swept_parameter VALUES (?, ?, ?)");
  for (std::size_t i = 0; i < plan.swept.size(); ++i) {
    statement.reset();
    statement.bind(1, sweep);
    statement.bind(2, static_cast<std::int64_t>(i + 1));
    statement.bind(3, plan.swept[i]);
    statement.exec();
  }
}

// Binds a value and the name of its type to places 3 and 4.
void bind_typed(SQLite::Statement& statement, const json& value) {
  if (value.is_string()) {
    statement.bind(3, "text");
    statement.bind(4, value.get<std::string>());
  } else if (value.is_number_integer()) {
    statement.bind(3, "integer");
    statement.bind(4, value.get<std::int64_t>());
  } else if (value.is_number_float()) {
    statement.bind(3, "real");
    statement.bind(4, value.get<double>());
  } else if (value.is_null()) {
    statement.bind(3, "null");
    statement.bind(4);
  } else {
    statement.bind(3, "json");
    statement.bind(4, value.dump());
  }
}

class TrialWriter {
 public:
  explicit TrialWriter(SQLite::Database& database)
      : insert_trial_(database,
                      "INSERT INTO trial (identity, spec) VALUES (?, ?) ON CONFLICT DO NOTHING"),
        find_trial_(database, "SELECT id FROM trial WHERE identity = ?"),
        insert_parameter_(database,
                          "INSERT INTO parameter (trial, name, type, value) VALUES (?, ?, ?, ?)") {}

  // The trial's row, which is made when there is none.
  std::int64_t write(const sweeps::PlannedTrial& trial) {
    const json spec = sweeps::to_canonical_json(trial.spec);
    insert_trial_.reset();
    insert_trial_.bind(1, trial.id.hex());
    insert_trial_.bind(2, spec.dump());
    const bool is_new = insert_trial_.exec() == 1;
    find_trial_.reset();
    find_trial_.bind(1, trial.id.hex());
    find_trial_.executeStep();
    const std::int64_t row = find_trial_.getColumn(0).getInt64();
    if (is_new) write_parameters(row, spec);
    return row;
  }

 private:
  void write_parameters(std::int64_t row, const json& spec) {
    for (const auto& [name, value] : spec.items()) {
      insert_parameter_.reset();
      insert_parameter_.bind(1, row);
      insert_parameter_.bind(2, name);
      bind_typed(insert_parameter_, value);
      insert_parameter_.exec();
    }
  }

  SQLite::Statement insert_trial_;
  SQLite::Statement find_trial_;
  SQLite::Statement insert_parameter_;
};

void write_trials(SQLite::Database& database, std::int64_t sweep, const Plan& plan) {
  // They take more than half of the time to write a large plan, whose rows are made here alone.
  const WithoutChecks unchecked(database);
  SQLite::Statement clear(database, "DELETE FROM sweep_trial WHERE sweep = ?");
  clear.bind(1, sweep);
  clear.exec();
  TrialWriter writer(database);
  SQLite::Statement statement(database, "INSERT INTO sweep_trial VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    const sweeps::PlannedTrial& trial = plan.trials[i];
    statement.reset();
    statement.bind(1, sweep);
    statement.bind(2, static_cast<std::int64_t>(i + 1));
    statement.bind(3, writer.write(trial));
    statement.bind(4, sweeps::describe(trial.spec, plan.swept));
    statement.bind(5, trial.cost);
    statement.exec();
  }
}

std::string quoted(const std::string& text, char quote) {
  std::string result(1, quote);
  for (char c : text) result.append(c == quote ? 2 : 1, c);
  return result + quote;
}

}  // namespace

WrittenPlan write_plan(SQLite::Database& database, const std::filesystem::path& path,
                       const Plan& plan, const Provenance& provenance, const std::string& now) {
  refuse_another_sweep(database, path, plan);
  WrittenPlan written;
  written.sweep = write_sweep(database, plan, provenance, now);
  written.invocation = write_invocation(database, written.sweep, provenance, now);
  write_images(database, written.sweep, provenance);
  if (!holds_plan(database, written.sweep, plan)) {
    write_swept_parameters(database, written.sweep, plan);
    write_trials(database, written.sweep, plan);
    write_trial_wide(database, plan.swept);
  }
  return written;
}

void write_trial_wide(SQLite::Database& database, const std::vector<std::string>& swept) {
  std::string columns;
  for (const std::string& name : swept) {
    columns += fmt::format(
        "  (SELECT value FROM parameter WHERE parameter.trial = ranking.trial_id AND name = {}) AS "
        "{},\n",
        quoted(name, '\''), quoted(name, '"'));
  }
  database.exec("DROP VIEW IF EXISTS trial_wide");
  database.exec(
      "CREATE VIEW trial_wide AS\nSELECT\n  ranking.position, ranking.rank, ranking.mark, "
      "ranking.trial,\n" +
      columns +
      "  ranking.best_epoch, ranking.val_loss, ranking.val_accuracy, ranking.train_loss,\n"
      "  ranking.train_accuracy, ranking.epochs_done, ranking.seconds, "
      "ranking.network_parameters\n"
      "FROM ranking");
}

}  // namespace ranksweep::results
