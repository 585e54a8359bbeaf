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
  return pattern + "-%j.log";
}

std::string directives(const BatchJob& job) {
  std::string text = directive("--job-name=" + job.name) + directive("--nodes=" + job.nodes) +
                     directive(fmt::format("--ntasks-per-node={}", job.ranks_per_node));
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

// Every rank may use all cores that the job has on its node: ranks only supervise, and share them
// out between their trainers themselves.
std::string launch(const BatchJob& job) {
  std::vector<std::string> words =
      job.profile.launcher == Launcher::mpirun
          ? std::vector<std::string>{"mpirun"}
          : std::vector<std::string>{"srun", "--mpi=pmix", "--cpu-bind=none"};
  words.insert(words.end(), job.profile.launcher_options.begin(),
               job.profile.launcher_options.end());
  for (const std::string& word : {job.program.string(), std::string("run"), job.sweep_file.string(),
                                  std::string("--db"), job.database.string()}) {
    words.push_back(word);
  }
  return shell_words(words);
}

// %HOLES% are filled in by batch_script().
constexpr const char* kBody = R"(
%SURROUNDINGS%max_requeues=%REQUEUES%
restarts=$((${SLURM_RESTART_COUNT:-0} + ${RANKSWEEP_RESTARTS:-0}))
export RANKSWEEP_STOP_AHEAD=%WARNING%  # seconds; no trial starts that would get nowhere before then

say() { echo "$(date '+%F %T') job $SLURM_JOB_ID: $*"; }

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
# Launchers have statuses of their own, so the database tells whether the sweep is done.
if %DONE%; then
  say "the sweep is done"
  exit $((status == 1))  # 1: some trials failed
fi
case $status in
  1) say "the launcher failed: the reason stands above"; exit 1 ;;
  75) say "the sweep was interrupted" ;;
  *) say "the launcher ended with $status: a rank or a node was lost" ;;
esac
if [ "$afterwards" = leave ]; then
  say "stopped on request; to go on: sbatch" %SCRIPT%
  exit 0
fi
if [ "$restarts" -ge "$max_requeues" ]; then
  say "requeued $restarts times, that is enough; to go on: sbatch" %SCRIPT%
  exit "$status"
fi
if ! scontrol requeue "$SLURM_JOB_ID"; then
  say "requeueing is not allowed here, so another job goes on"
  RANKSWEEP_RESTARTS=$((restarts + 1)) sbatch --dependency="afterany:$SLURM_JOB_ID" %SCRIPT%
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
  fill(body, "%SCRIPT%", shell_word(job.script.string()));
  fill(body, "%DONE%",
       shell_words({job.program.string(), "status", job.database.string(), "--done"}));
  fill(body, "%LAUNCH%", launch(job));
  return text + body;
}

}  // namespace ranksweep::cluster
