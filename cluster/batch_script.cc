#include "cluster/batch_script.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ranksweep::cluster {
namespace {

constexpr std::string_view kPlainCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^";

// A word of a shell command, in quotes where it needs them.
std::string shell_word(const std::string& text) {
  if (!text.empty() && text.find_first_not_of(kPlainCharacters) == std::string::npos) {
    return text;
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string shell_words(const std::vector<std::string>& words) {
  std::vector<std::string> quoted(words.size());
  std::transform(words.begin(), words.end(), quoted.begin(), shell_word);
  return fmt::format("{}", fmt::join(quoted, " "));
}

// sbatch reads quotes and backslashes in its lines nearly as a shell does.
std::string directive(const std::string& option) {
  return fmt::format("#SBATCH {}\n", shell_word(option));
}

// In the name of an output file, % begins a pattern of Slurm's.
std::string output_pattern(const BatchJob& job) {
  std::string pattern;
  for (const char c : (job.script.parent_path() / job.script.stem()).string()) {
    pattern += c == '%' ? std::string("%%") : std::string(1, c);
  }
  return pattern + (job.tasks ? "-%A_%a.log" : "-%j.log");
}

std::string directives(const BatchJob& job) {
  std::string text = directive("--job-name=" + job.name);
  if (job.tasks) {
    text += directive(fmt::format("--array=1-{}", *job.tasks));
  }
  text += directive("--nodes=" + job.nodes);
  text += directive(fmt::format("--ntasks-per-node={}", job.ranks_per_node));
  if (job.cores_per_rank) {
    text += directive(fmt::format("--cpus-per-task={}", *job.cores_per_rank));
  }
  if (job.gpus_per_node) {
    text += directive(fmt::format("--gpus-per-node={}", *job.gpus_per_node));
  }
  if (!job.time.empty()) {
    text += directive("--time=" + job.time);
  }
  if (!job.profile.partition.empty()) {
    text += directive("--partition=" + job.profile.partition);
  }
  if (!job.profile.account.empty()) {
    text += directive("--account=" + job.profile.account);
  }
  text += directive(fmt::format("--signal=B:USR1@{}", job.warning.count()));
  text += directive("--requeue");
  text += directive("--open-mode=append");
  text += directive("--output=" + output_pattern(job));
  text += directive("--comment=" + job_comment(job.database));
  for (const std::string& option : job.profile.sbatch) {
    text += directive(option);
  }
  return text;
}

std::string surroundings(const SlurmProfile& profile) {
  std::string text;
  if (!profile.modules.empty()) {
    text += fmt::format("module load {}\n", shell_words(profile.modules));
  }
  for (const auto& [name, value] : profile.environment) {
    text += fmt::format("export {}={}\n", name, shell_word(value));
  }
  return text.empty() ? text : text + "\n";
}

// A path in which the shell puts in variables, such as $TMPDIR.
std::string path_with_variables(const std::string& path) {
  std::string quoted = "\"";
  for (const char c : path) {
    quoted += c == '"' || c == '\\' || c == '`' ? std::string{'\\', c} : std::string(1, c);
  }
  return quoted + "\"";
}

// What tells a task of an array which trials are its own.
std::string share_option(const BatchJob& job) {
  return job.tasks ? fmt::format(" --share \"$SLURM_ARRAY_TASK_ID/{}\"", *job.tasks) : "";
}

// Every rank may use all cores that the job has on its node: ranks only supervise, and share them
// out between their trainers themselves. A single rank needs no launcher.
std::vector<std::string> launcher(const BatchJob& job) {
  if (job.nodes == "1" && job.ranks_per_node == 1) {
    return {};
  }
  std::vector<std::string> words;
  switch (job.profile.launcher) {
    case Launcher::mpirun:
      words = {"mpirun"};
      break;
    case Launcher::srun_pmix:
      words = {"srun", "--mpi=pmix", "--cpu-bind=none"};
      break;
    case Launcher::srun_pmi2:
      words = {"srun", "--mpi=pmi2", "--cpu-bind=none", "--kill-on-bad-exit=0"};
      break;
  }
  words.insert(words.end(), job.profile.launcher_options.begin(),
               job.profile.launcher_options.end());
  return words;
}

std::string launch(const BatchJob& job) {
  std::vector<std::string> words = launcher(job);
  for (const std::string& word : {job.program.string(), std::string("run"), job.sweep_file.string(),
                                  std::string("--db"), job.database.string()}) {
    words.push_back(word);
  }
  const std::string& scratch = job.profile.scratch;
  return shell_words(words) + share_option(job) +
         (scratch.empty() ? "" : " --scratch " + path_with_variables(scratch));
}

// %HOLES% are filled in by batch_script().
constexpr const char* kBody = R"(
%SURROUNDINGS%job=%JOB%
max_requeues=%REQUEUES%
restarts=$((${SLURM_RESTART_COUNT:-0} + ${RANKSWEEP_RESTARTS:-0}))
export RANKSWEEP_STOP_AHEAD=%WARNING%  # seconds; no trial starts that would get nowhere before then

say() { echo "$(date '+%F %T') job $job: $*"; }

# Slurm sends USR1 ahead of the time limit or a preemption, `ranksweep cancel` sends USR2. Both reach the
# ranks as USR1: they write their states and leave.
launcher=
signals=0
afterwards=go_on
pass_on() {
  signals=$((signals + 1))
  [ -z "$launcher" ] || kill -USR1 "$launcher" 2>/dev/null
}
trap 'say "USR1: the sweep stops and goes on later"; pass_on' USR1
trap 'say "USR2: the sweep stops"; afterwards=leave; pass_on' USR2

say "restart $restarts of at most $max_requeues on $SLURM_JOB_NODELIST"
%LAUNCH% &
launcher=$!
[ "$signals" -eq 0 ] || kill -USR1 "$launcher"  # it came too early to be passed on
while seen=$signals; wait "$launcher"; status=$?; [ "$signals" -ne "$seen" ]; do
  :  # a signal has ended the wait, not the launcher
done

case $status in
  2 | 3) say "the sweep cannot run: the reason stands above"; exit "$status" ;;
  126 | 127) say "the launcher cannot be started: the reason stands above"; exit "$status" ;;
esac
# Launchers have statuses of their own, so the database tells whether the %WHAT% is done.
if [ "$status" %MAY_BE_DONE% ] && %DONE%; then
  say "the %WHAT% is done"
  exit $((status == 1))  # 1: some trials failed
fi
case $status in
  1) say "the launcher failed: the reason stands above"; exit 1 ;;
  75) say "the sweep was interrupted" ;;
  *) say "the launcher ended with $status: a rank or a node was lost" ;;
esac
if [ "$afterwards" = leave ]; then
  say "stopped on request; to go on: sbatch" %AGAIN%
  exit 0
fi
if [ "$restarts" -ge "$max_requeues" ]; then
  say "requeued $restarts times, that is enough; to go on: sbatch" %AGAIN%
  exit "$status"
fi
if ! scontrol requeue "$job"; then
  say "requeueing is not allowed here, so another job goes on"
  RANKSWEEP_RESTARTS=$((restarts + 1)) sbatch --dependency="afterany:$job" %AGAIN%
fi
)";

void fill(std::string& text, const std::string& hole, const std::string& filling) {
  std::size_t at = 0;
  while ((at = text.find(hole, at)) != std::string::npos) {
    text.replace(at, hole.size(), filling);
    at += filling.size();
  }
}

}  // namespace

std::string job_comment(const std::filesystem::path& database) {
  return "ranksweep:" + std::filesystem::absolute(database).lexically_normal().string();
}

std::string batch_script(const BatchJob& job) {
  std::string text = fmt::format(
      "#!/bin/bash\n"
      "# Written by `ranksweep submit`. It may be changed, and submitted again with sbatch.\n"
      "{}",
      directives(job));
  std::string body = kBody;
  fill(body, "%SURROUNDINGS%", surroundings(job.profile));
  fill(body, "%REQUEUES%", std::to_string(job.max_requeues));
  fill(body, "%WARNING%", std::to_string(job.warning.count()));
  fill(body, "%JOB%", job.tasks ? "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" : "$SLURM_JOB_ID");
  // 75 is ours alone. A task that was lost may have left no trace, where an earlier sweep was done.
  fill(body, "%MAY_BE_DONE%", job.tasks ? "-le 1" : "-ne 75");
  fill(body, "%WHAT%", job.tasks ? "share" : "sweep");
  fill(body, "%AGAIN%",
       (job.tasks ? "--array=\"$SLURM_ARRAY_TASK_ID\" " : "") + shell_word(job.script.string()));
  fill(body, "%DONE%",
       shell_words({job.program.string(), "status", job.database.string(), "--done"}) +
           share_option(job));
  fill(body, "%LAUNCH%", launch(job));
  return text + body;
}

}  // namespace ranksweep::cluster
