-- Schema 2 of a ranksweep database. docs/results.md explains it. Times are ISO 8601 UTC text with
-- milliseconds, durations are seconds, losses are means over images, accuracies lie in [0, 1]. A
-- loss that was not finite is NULL.

CREATE TABLE sweep (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,             -- the sweep file's YAML text, as last run
  data_path TEXT NOT NULL,
  data_fingerprint TEXT NOT NULL,
  classes TEXT NOT NULL CHECK (json_valid(classes)),  -- names, a JSON list
  train_images INTEGER NOT NULL CHECK (train_images >= 0),
  val_images INTEGER NOT NULL CHECK (val_images >= 0),
  test_images INTEGER NOT NULL CHECK (test_images >= 0),
  created_at TEXT NOT NULL
) STRICT;

-- Images that `on_bad_file: skip` left out of the sweep.
CREATE TABLE skipped_file (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  file TEXT NOT NULL,               -- relative to the data set's folder
  reason TEXT NOT NULL,             -- completes a sentence that begins with the file
  PRIMARY KEY (sweep, file)
) STRICT, WITHOUT ROWID;

-- The parameters with more than one value in the sweep, in the order of the sweep file.
CREATE TABLE swept_parameter (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (sweep, position),
  UNIQUE (sweep, name)
) STRICT, WITHOUT ROWID;

-- One point of a sweep. The identity is a hash of the specification and the data's fingerprint:
-- whoever plans the same trial finds this row.
CREATE TABLE trial (
  id INTEGER PRIMARY KEY,
  identity TEXT NOT NULL UNIQUE CHECK (length(identity) = 32),
  spec TEXT NOT NULL CHECK (json_valid(spec)),        -- canonical JSON
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'running', 'finished', 'diverged', 'failed')),
  network_parameters INTEGER CHECK (network_parameters > 0),  -- NULL: not known yet
  -- What its epochs come to. The triggers of `epoch` keep these, whoever writes.
  best_epoch INTEGER,               -- the lowest validation loss, on a tie the first; its figures:
  best_val_loss REAL,
  best_val_accuracy REAL,
  best_train_loss REAL,
  best_train_accuracy REAL,
  best_val_images INTEGER,
  best_classes_predicted INTEGER,
  epochs_done INTEGER DEFAULT 0,
  total_s REAL DEFAULT 0,
  -- How it stands: `finished` is an honest result; `collapsed` finished, but gives every image the
  -- same class at its best epoch.
  mark TEXT GENERATED ALWAYS AS (
    CASE
      WHEN state = 'finished' AND best_epoch IS NULL THEN 'diverged'
      WHEN state = 'finished' AND best_classes_predicted = 1 THEN 'collapsed'
      ELSE state
    END) VIRTUAL,
  mark_place INTEGER GENERATED ALWAYS AS (
    CASE mark
      WHEN 'finished' THEN 1 WHEN 'collapsed' THEN 2 WHEN 'diverged' THEN 3
      WHEN 'failed' THEN 4 WHEN 'running' THEN 5 ELSE 6
    END) VIRTUAL
) STRICT;

-- The order of the ranking, so that its first rows are read without the others.
CREATE INDEX trial_in_order ON trial (
  mark_place, (best_val_loss IS NULL), best_val_loss, best_val_accuracy DESC,
  (network_parameters IS NULL), network_parameters, identity);

-- The plan. A trial that a later sweep file no longer plans keeps its row in `trial` alone.
CREATE TABLE sweep_trial (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  position INTEGER NOT NULL,
  trial INTEGER NOT NULL REFERENCES trial (id),
  description TEXT NOT NULL,        -- values of the swept parameters
  cost REAL NOT NULL,               -- expected work, in a unit of its own
  PRIMARY KEY (sweep, trial),
  UNIQUE (sweep, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX sweep_trial_by_trial ON sweep_trial (trial);

-- A trial's parameters under their names in the sweep file. `value` has the type that `type` says;
-- a list or mapping is JSON text, and null means that the default decides.
CREATE TABLE parameter (
  trial INTEGER NOT NULL REFERENCES trial (id),
  name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('text', 'integer', 'real', 'json', 'null')),
  value ANY,
  PRIMARY KEY (name, trial),        -- so that the values of one name lie together
  CHECK (typeof(value) = iif(type = 'json', 'text', type))
) STRICT, WITHOUT ROWID;

-- One `ranksweep run` on this database.
CREATE TABLE invocation (
  id INTEGER PRIMARY KEY,
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  begun_at TEXT NOT NULL,
  command_line TEXT NOT NULL,
  host TEXT NOT NULL,
  commits INTEGER NOT NULL DEFAULT 0  -- its last transaction, by number
) STRICT;

-- What an invocation ran with: versions, CPU, GPU, git commit.
CREATE TABLE environment (
  invocation INTEGER NOT NULL REFERENCES invocation (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (invocation, name)
) STRICT, WITHOUT ROWID;

-- One try at a trial. No end: it runs, or its coordinator died with it.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  trial INTEGER NOT NULL REFERENCES trial (id),
  invocation INTEGER NOT NULL REFERENCES invocation (id),
  rank INTEGER NOT NULL CHECK (rank >= 0),
  host TEXT NOT NULL,
  device TEXT NOT NULL,
  threads INTEGER NOT NULL CHECK (threads >= 0),
  precision TEXT NOT NULL DEFAULT '',      -- what it ran with; empty until the trainer says
  memory_format TEXT NOT NULL DEFAULT '',
  begun_at TEXT NOT NULL,
  ended_at TEXT,
  outcome TEXT CHECK (outcome IN ('finished', 'diverged', 'failed', 'lost', 'interrupted')),
  cause TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  stderr_tail TEXT NOT NULL DEFAULT '',
  counts INTEGER NOT NULL DEFAULT 1 CHECK (counts IN (0, 1)),  -- towards max_attempts; 0: its device was at fault
  UNIQUE (id, trial),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX attempt_by_trial ON attempt (trial);

-- Who trains an attempt on several devices, the leader (member 0) included; an attempt on one device
-- has no rows here.
CREATE TABLE attempt_member (
  attempt INTEGER NOT NULL REFERENCES attempt (id),
  member INTEGER NOT NULL CHECK (member >= 0),
  rank INTEGER NOT NULL CHECK (rank >= 0),
  host TEXT NOT NULL,
  device TEXT NOT NULL,
  PRIMARY KEY (attempt, member),
  UNIQUE (attempt, rank)
) STRICT, WITHOUT ROWID;

-- What `precision: auto` and `memory_format: auto` were settled by: the least time of a few training
-- steps, before the first trial.
CREATE TABLE measured_step (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  architecture TEXT NOT NULL,
  training TEXT NOT NULL CHECK (training IN ('frozen', 'full')),  -- frozen: a pass of the base alone
  image_height INTEGER NOT NULL,
  image_width INTEGER NOT NULL,
  batch_size INTEGER NOT NULL,      -- of each device; of no meaning for a frozen base
  precision TEXT NOT NULL,
  memory_format TEXT NOT NULL,
  device TEXT NOT NULL,
  threads INTEGER NOT NULL,
  seconds REAL CHECK (seconds > 0), -- NULL: the device does not compute in that precision
  PRIMARY KEY (sweep, architecture, training, image_height, image_width, batch_size, precision, memory_format)
) STRICT, WITHOUT ROWID;

CREATE TABLE epoch (
  trial INTEGER NOT NULL REFERENCES trial (id),
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  attempt INTEGER NOT NULL,
  train_loss REAL,
  train_accuracy REAL,
  val_loss REAL,
  val_accuracy REAL,
  learning_rate REAL,
  seconds REAL NOT NULL,            -- wall time, validation included
  elapsed_s REAL NOT NULL DEFAULT 0,  -- seconds of this epoch and of those before it
  data_wait_s REAL NOT NULL,        -- of which the training loop waited for images
  train_images INTEGER NOT NULL,
  val_images INTEGER NOT NULL,
  val_classes_predicted INTEGER NOT NULL,
  ended_at TEXT,                    -- when it was committed; NULL: imported
  validation_s REAL NOT NULL DEFAULT 0,  -- of `seconds`
  peak_memory_bytes INTEGER NOT NULL DEFAULT 0,  -- held at once: by LibTorch on a GPU, else by the trainer; 0: not known
  PRIMARY KEY (trial, epoch),
  FOREIGN KEY (attempt, trial) REFERENCES attempt (id, trial)
) STRICT, WITHOUT ROWID;

-- What changes the epochs of a trial forgets what they came to, and that is summed up again.
CREATE TRIGGER epoch_inserted AFTER INSERT ON epoch BEGIN
  UPDATE trial SET epochs_done = NULL WHERE id = NEW.trial;
END;

CREATE TRIGGER epoch_updated AFTER UPDATE ON epoch BEGIN
  UPDATE trial SET epochs_done = NULL WHERE id IN (OLD.trial, NEW.trial);
END;

CREATE TRIGGER epoch_deleted AFTER DELETE ON epoch BEGIN
  UPDATE trial SET epochs_done = NULL WHERE id = OLD.trial;
END;

CREATE TRIGGER epochs_summed_up AFTER UPDATE OF epochs_done ON trial
WHEN NEW.epochs_done IS NULL BEGIN
  UPDATE trial SET
    (best_epoch, best_val_loss, best_val_accuracy, best_train_loss, best_train_accuracy,
     best_val_images, best_classes_predicted) = (
      SELECT epoch, val_loss, val_accuracy, train_loss, train_accuracy, val_images,
        val_classes_predicted
      FROM epoch WHERE trial = NEW.id AND val_loss IS NOT NULL
      ORDER BY val_loss, epoch LIMIT 1),
    (epochs_done, total_s) = (
      SELECT coalesce(max(epoch), 0), coalesce(elapsed_s, 0) FROM epoch WHERE trial = NEW.id)
  WHERE id = NEW.id;
END;

-- What a trainer measures besides, under names of its own.
CREATE TABLE epoch_metric (
  trial INTEGER NOT NULL REFERENCES trial (id),
  epoch INTEGER NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (trial, epoch, name),
  FOREIGN KEY (trial, epoch) REFERENCES epoch (trial, epoch) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The images of the validation and the test split, in the order in which trainers take them. What
-- `on_bad_file: skip` left out is not among them, so positions may have gaps.
CREATE TABLE image (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  split TEXT NOT NULL CHECK (split IN ('validation', 'test')),
  position INTEGER NOT NULL CHECK (position >= 0),
  file TEXT NOT NULL,               -- relative to the data set's folder
  class TEXT NOT NULL,
  label INTEGER NOT NULL CHECK (label >= 0),  -- the place of the class in sweep.classes, from 0
  PRIMARY KEY (sweep, split, position)
) STRICT, WITHOUT ROWID;

-- What a trial's network makes of each validation image at its best epoch. `log_probabilities` has a
-- row an image, in the order of `image`, and a column a class: natural logarithms, float32,
-- little-endian. NULL when they are left out, for the reason that is given.
CREATE TABLE prediction (
  trial INTEGER PRIMARY KEY REFERENCES trial (id),
  epoch INTEGER NOT NULL,
  images INTEGER NOT NULL CHECK (images > 0),
  classes INTEGER NOT NULL CHECK (classes > 1),
  loss_low REAL,                    -- bootstrap interval of the loss at 95 %
  loss_high REAL,
  left_out TEXT NOT NULL DEFAULT '',
  log_probabilities BLOB CHECK (length(log_probabilities) = 4 * images * classes),
  FOREIGN KEY (trial, epoch) REFERENCES epoch (trial, epoch) ON DELETE CASCADE,
  CHECK ((log_probabilities IS NULL) = (left_out <> ''))
) STRICT;

-- The test split, on the weights of the best epoch of a trial that was the best of the ranking when
-- a run of the sweep ended. Interval and predictions as above.
CREATE TABLE test_result (
  trial INTEGER PRIMARY KEY REFERENCES trial (id),
  epoch INTEGER NOT NULL,
  evaluated_at TEXT NOT NULL,
  loss REAL,
  accuracy REAL NOT NULL,
  classes_predicted INTEGER NOT NULL CHECK (classes_predicted > 0),
  images INTEGER NOT NULL CHECK (images > 0),
  classes INTEGER NOT NULL CHECK (classes > 1),
  loss_low REAL,
  loss_high REAL,
  left_out TEXT NOT NULL DEFAULT '',
  log_probabilities BLOB CHECK (length(log_probabilities) = 4 * images * classes),
  FOREIGN KEY (trial, epoch) REFERENCES epoch (trial, epoch) ON DELETE CASCADE,
  CHECK ((log_probabilities IS NULL) = (left_out <> ''))
) STRICT;

-- What happened to a run. Of kind `idle`: from now on the rank has nothing to do, for the reason that
-- the message gives.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  invocation INTEGER NOT NULL REFERENCES invocation (id),
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  rank INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;
