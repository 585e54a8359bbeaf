-- The questions people ask, by name. docs/results.md has an example of each.

-- One row for each planned trial. `mark` says how it stands, and only `finished` trials have a rank.
-- `position` orders them all: the ranked ones first, by validation loss, then accuracy, then size,
-- then identity. The interval is the bootstrap interval of the loss at 95 %. There is no ORDER BY at
-- its end: the rows come in the order of the index trial_in_order, so that a LIMIT reads no more
-- trials than it shows.
CREATE VIEW ranking AS
SELECT
  iif(trial.mark = 'finished', row_number() OVER in_order, NULL) AS rank,
  row_number() OVER in_order AS position,
  (SELECT name FROM sweep) AS sweep,
  trial.mark,
  trial.identity AS trial,
  sweep_trial.description,
  trial.best_epoch,
  trial.best_val_loss AS val_loss,
  prediction.loss_low AS val_loss_low,
  prediction.loss_high AS val_loss_high,
  trial.best_val_accuracy AS val_accuracy,
  trial.best_train_loss AS train_loss,
  trial.best_train_accuracy AS train_accuracy,
  trial.best_val_images AS val_images,
  test_result.loss AS test_loss,
  test_result.accuracy AS test_accuracy,
  test_result.images AS test_images,
  trial.epochs_done,
  trial.total_s AS seconds,
  trial.network_parameters,
  (SELECT count(*) FROM attempt WHERE attempt.trial = trial.id) AS attempts,
  trial.id AS trial_id
FROM trial
JOIN sweep_trial ON sweep_trial.trial = trial.id
LEFT JOIN prediction ON prediction.trial = trial.id AND prediction.epoch = trial.best_epoch
LEFT JOIN test_result ON test_result.trial = trial.id AND test_result.epoch = trial.best_epoch
WINDOW in_order AS (
  ORDER BY trial.mark_place, trial.best_val_loss IS NULL, trial.best_val_loss,
    trial.best_val_accuracy DESC, trial.network_parameters IS NULL, trial.network_parameters,
    trial.identity);

CREATE VIEW best_per_architecture AS
WITH placed AS (
  SELECT
    parameter.value AS architecture,
    row_number() OVER (PARTITION BY sweep, parameter.value ORDER BY position) AS place,
    ranking.*
  FROM ranking
  JOIN parameter ON parameter.trial = ranking.trial_id AND parameter.name = 'architecture'
)
SELECT
  sweep, architecture, rank, mark, trial, description, best_epoch, val_loss, val_accuracy,
  train_loss, train_accuracy, seconds, network_parameters
FROM placed WHERE place = 1 ORDER BY sweep, position;

CREATE VIEW learning_curves AS
SELECT
  trial.identity AS trial,
  sweep_trial.description,
  epoch.epoch,
  epoch.train_loss,
  epoch.train_accuracy,
  epoch.val_loss,
  epoch.val_accuracy,
  epoch.learning_rate,
  epoch.seconds,
  epoch.attempt
FROM sweep_trial
JOIN trial ON trial.id = sweep_trial.trial
JOIN epoch ON epoch.trial = trial.id
ORDER BY sweep_trial.sweep, sweep_trial.position, epoch.epoch;

-- Attempts that did not end well, each with its cause.
CREATE VIEW failures AS
SELECT
  trial.identity AS trial,
  sweep_trial.description,
  trial.state,
  attempt.id AS attempt,
  attempt.outcome,
  attempt.cause,
  attempt.message,
  attempt.rank,
  attempt.host,
  attempt.device,
  attempt.begun_at,
  attempt.ended_at,
  attempt.stderr_tail
FROM attempt
JOIN trial ON trial.id = attempt.trial
LEFT JOIN sweep_trial ON sweep_trial.trial = trial.id
WHERE attempt.outcome IN ('failed', 'lost', 'diverged')
ORDER BY attempt.id;

-- What each rank did with its device. `held_s`: from the begin to the end of its attempts; one that
-- has no end counts as long as its epochs. `epoch_s`: the time of the epochs that the database keeps, `data_wait_s` of which the
-- training loop waited for images.
CREATE VIEW device_use AS
WITH work AS (
  SELECT
    attempt.id AS attempt,
    count(*) AS epochs,
    total(epoch.seconds) AS epoch_s,
    total(epoch.data_wait_s) AS data_wait_s,
    max(epoch.peak_memory_bytes) AS peak_memory_bytes,
    sum(epoch.train_images) AS train_images
  FROM attempt CROSS JOIN epoch ON epoch.trial = attempt.trial AND epoch.attempt = attempt.id
  GROUP BY attempt.id
)
SELECT
  attempt.rank,
  attempt.host,
  attempt.device,
  count(*) AS attempts,
  count(DISTINCT attempt.trial) AS trials,
  coalesce(sum(work.epochs), 0) AS epochs,
  min(attempt.begun_at) AS first_begun_at,
  max(attempt.ended_at) AS last_ended_at,
  total(coalesce(
    (julianday(attempt.ended_at) - julianday(attempt.begun_at)) * 86400, work.epoch_s)) AS held_s,
  total(work.epoch_s) AS epoch_s,
  total(work.data_wait_s) AS data_wait_s,
  nullif(max(work.peak_memory_bytes), 0) AS peak_memory_bytes,
  coalesce(sum(work.train_images), 0) AS train_images
FROM attempt
LEFT JOIN work ON work.attempt = attempt.id
GROUP BY attempt.rank, attempt.host, attempt.device
ORDER BY attempt.rank, attempt.host, attempt.device;

-- When a device trained nothing, and why. `start of a trial` lies inside an attempt, before its first
-- epoch begins: the trainer starts, reads the data, runs a frozen base. The other rows lie between
-- attempts: `dispatch` is the time in which a trial is handed out, and the rest are the reasons of
-- events of kind `idle`. What no attempt ends goes up to the last end of an attempt.
CREATE VIEW device_idle AS
WITH held AS (
  SELECT id, invocation, rank, host, device, begun_at, ended_at FROM attempt
  UNION ALL
  SELECT attempt.id, attempt.invocation, attempt_member.rank, attempt_member.host,
    attempt_member.device, begun_at, ended_at
  FROM attempt_member JOIN attempt ON attempt.id = attempt_member.attempt
  WHERE attempt_member.member > 0
), device AS (
  SELECT invocation, rank, max(host) AS host, max(device) AS device FROM held
  GROUP BY invocation, rank
), first_epoch AS (
  SELECT attempt.id AS attempt, min(epoch) AS epoch,
    julianday(epoch.ended_at) - seconds / 86400 AS begun
  FROM attempt CROSS JOIN epoch ON epoch.trial = attempt.trial AND epoch.attempt = attempt.id
  GROUP BY attempt.id
), last AS (
  SELECT invocation, max(ended_at) AS at FROM attempt GROUP BY invocation
), moment AS (  -- `place` decides among those of one millisecond
  SELECT invocation, rank, ended_at AS at, 1 AS place, 'dispatch' AS reason FROM held
  WHERE ended_at IS NOT NULL
  UNION ALL
  SELECT invocation, rank, at, iif(kind = 'joined', 1, 2), iif(kind = 'joined', 'dispatch', message)
  FROM event WHERE kind IN ('joined', 'idle')
  UNION ALL
  SELECT invocation, rank, begun_at, 3, NULL FROM held
), pause AS (
  SELECT invocation, rank, reason, at AS begun_at,
    lead(at) OVER (PARTITION BY invocation, rank ORDER BY at, place) AS ended_at
  FROM moment
  UNION ALL
  SELECT invocation, rank, 'start of a trial', begun_at,
    coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', first_epoch.begun), held.ended_at)
  FROM held LEFT JOIN first_epoch ON first_epoch.attempt = held.id
), bounded AS (
  SELECT pause.invocation, pause.rank, reason, begun_at,
    coalesce(ended_at, iif(reason = 'dispatch', NULL, last.at)) AS ended_at
  FROM pause LEFT JOIN last ON last.invocation = pause.invocation
  WHERE reason IS NOT NULL
)
SELECT
  bounded.invocation,
  bounded.rank,
  device.host,
  device.device,
  reason,
  begun_at,
  ended_at,
  round((julianday(ended_at) - julianday(begun_at)) * 86400, 3) AS seconds
FROM bounded
LEFT JOIN device ON device.invocation = bounded.invocation AND device.rank = bounded.rank
WHERE ended_at > begun_at
ORDER BY bounded.invocation, bounded.rank, begun_at;

-- The validation loss that trials with this value of a swept parameter reached, over ranked trials.
-- `spread` is the largest loss minus the smallest.
CREATE VIEW effects AS
SELECT
  sweep.name AS sweep,
  swept_parameter.name AS parameter,
  parameter.value,
  count(*) FILTER (WHERE trial.mark = 'finished') AS ranked_trials,
  count(*) AS trials,
  avg(trial.best_val_loss) FILTER (WHERE trial.mark = 'finished') AS mean_val_loss,
  min(trial.best_val_loss) FILTER (WHERE trial.mark = 'finished') AS min_val_loss,
  max(trial.best_val_loss) FILTER (WHERE trial.mark = 'finished') -
    min(trial.best_val_loss) FILTER (WHERE trial.mark = 'finished') AS spread
FROM sweep
JOIN swept_parameter ON swept_parameter.sweep = sweep.id
JOIN sweep_trial ON sweep_trial.sweep = sweep.id
JOIN trial ON trial.id = sweep_trial.trial
JOIN parameter ON parameter.trial = trial.id AND parameter.name = swept_parameter.name
GROUP BY sweep.name, swept_parameter.position, parameter.value
ORDER BY sweep.name, swept_parameter.position, parameter.value;
