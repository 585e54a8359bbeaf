-- From schema 1 to 2: what the epochs of a trial come to stands beside it, instead of being searched
-- for whenever the ranking is read; when an epoch was committed; and the measured steps that `auto`
-- is settled by, which some databases of schema 1 have already.

ALTER TABLE trial ADD COLUMN best_epoch INTEGER;
ALTER TABLE trial ADD COLUMN best_val_loss REAL;
ALTER TABLE trial ADD COLUMN best_val_accuracy REAL;
ALTER TABLE trial ADD COLUMN best_train_loss REAL;
ALTER TABLE trial ADD COLUMN best_train_accuracy REAL;
ALTER TABLE trial ADD COLUMN best_val_images INTEGER;
ALTER TABLE trial ADD COLUMN best_classes_predicted INTEGER;
ALTER TABLE trial ADD COLUMN epochs_done INTEGER DEFAULT 0;
ALTER TABLE trial ADD COLUMN total_s REAL DEFAULT 0;
ALTER TABLE trial ADD COLUMN mark TEXT GENERATED ALWAYS AS (
  CASE
    WHEN state = 'finished' AND best_epoch IS NULL THEN 'diverged'
    WHEN state = 'finished' AND best_classes_predicted = 1 THEN 'collapsed'
    ELSE state
  END) VIRTUAL;
ALTER TABLE trial ADD COLUMN mark_place INTEGER GENERATED ALWAYS AS (
  CASE mark
    WHEN 'finished' THEN 1 WHEN 'collapsed' THEN 2 WHEN 'diverged' THEN 3
    WHEN 'failed' THEN 4 WHEN 'running' THEN 5 ELSE 6
  END) VIRTUAL;
ALTER TABLE epoch ADD COLUMN ended_at TEXT;
ALTER TABLE epoch ADD COLUMN validation_s REAL NOT NULL DEFAULT 0;
ALTER TABLE epoch ADD COLUMN peak_memory_bytes INTEGER NOT NULL DEFAULT 0;

DROP INDEX epoch_by_loss;

CREATE INDEX trial_in_order ON trial (
  mark_place, (best_val_loss IS NULL), best_val_loss, best_val_accuracy DESC,
  (network_parameters IS NULL), network_parameters, identity);

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

CREATE TABLE epoch_metric (
  trial INTEGER NOT NULL REFERENCES trial (id),
  epoch INTEGER NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (trial, epoch, name),
  FOREIGN KEY (trial, epoch) REFERENCES epoch (trial, epoch) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS measured_step (
  sweep INTEGER NOT NULL REFERENCES sweep (id),
  architecture TEXT NOT NULL,
  training TEXT NOT NULL CHECK (training IN ('frozen', 'full')),
  image_height INTEGER NOT NULL,
  image_width INTEGER NOT NULL,
  batch_size INTEGER NOT NULL,
  precision TEXT NOT NULL,
  memory_format TEXT NOT NULL,
  device TEXT NOT NULL,
  threads INTEGER NOT NULL,
  seconds REAL CHECK (seconds > 0),
  PRIMARY KEY (sweep, architecture, training, image_height, image_width, batch_size, precision, memory_format)
) STRICT, WITHOUT ROWID;

UPDATE trial SET epochs_done = NULL;
