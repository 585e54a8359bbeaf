#include "cluster/slurm.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "cluster/batch_script.h"
#include "cluster/child_process.h"

namespace ranksweep::cluster {
namespace {

using std::chrono::seconds;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  std::string part;
  while (std::getline(stream, part, separator)) {
    parts.push_back(part);
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The number that `text` begins with, 0 without one: sinfo writes "4+" for nodes that differ.
int leading_number(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string value_of(const std::map<std::string, std::string>& record, const std::string& key) {
  const auto found = record.find(key);
  return found == record.end() ? "" : found->second;
}

// "gpu:a100:4(S:0-1),nvme:2": the GPUs of a node.
int gpus_in(const std::string& generic_resources) {
  int gpus = 0;
  for (const std::string& resource : split(generic_resources, ',')) {
    const std::string name = resource.substr(0, resource.find('('));
    if (name.starts_with("gpu:")) {
      gpus += leading_number(std::string_view(name).substr(name.rfind(':') + 1));
    }
  }
  return gpus;
}

std::vector<std::string> queue_lines(const std::vector<std::string>& selection,
                                     const std::vector<std::string>& columns) {
  std::string format;
  for (const std::string& column : columns) {
    format += (format.empty() ? "" : ",") + column + ":|";
  }
  std::vector<std::string> command = {"squeue", "--noheader", "--Format", format};
  command.insert(command.end(), selection.begin(), selection.end());
  return split(output_of(command), '\n');
}

}  // namespace

bool slurm_is_here() {
  const char* path = std::getenv("PATH");
  const auto folders = split(path == nullptr ? "" : path, ':');
  return std::any_of(folders.begin(), folders.end(), [](const std::string& folder) {
    return ::access((folder + "/scontrol").c_str(), X_OK) == 0;
  });
}

std::optional<seconds> parse_time_limit(const std::string& text) {
  const auto dash = text.find('-');
  const std::string clock = dash == std::string::npos ? text : text.substr(dash + 1);
  const std::vector<std::string> parts = split(clock, ':');
  std::vector<int> numbers;
  for (const std::string& part : parts) {
    if (part.empty() || part.size() > 6 ||
        !std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); })) {
      return std::nullopt;
    }
    numbers.push_back(leading_number(part));
  }
  if (numbers.empty() || numbers.size() > 3) {
    return std::nullopt;
  }
  if (dash != std::string::npos) {  // days-hours[:minutes[:seconds]]
    const std::string days = text.substr(0, dash);
    if (days.empty() || days.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    numbers.resize(3);
    return seconds(((leading_number(days) * 24L + numbers[0]) * 60 + numbers[1]) * 60 + numbers[2]);
  }
  if (numbers.size() == 3) {  // hours:minutes:seconds
    return seconds((numbers[0] * 60L + numbers[1]) * 60 + numbers[2]);
  }
  numbers.resize(2);  // minutes[:seconds]
  return seconds(numbers[0] * 60L + numbers[1]);
}

std::map<std::string, std::string> parse_record(const std::string& line) {
  std::map<std::string, std::string> record;
  std::string key;
  for (const std::string& word : split(line, ' ')) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      key = word.substr(0, equals);
      record[key] = word.substr(equals + 1);
    } else if (!key.empty() && !word.empty()) {
      record[key] += " " + word;  // a name with a space in it
    }
  }
  return record;
}

SlurmSettings parse_settings(const std::string& scontrol_show_config) {
  std::map<std::string, std::string> values;
  for (const std::string& line : split(scontrol_show_config, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) {
      values.emplace(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
  }
  const std::string type = value_of(values, "PreemptType");
  return {.version = value_of(values, "SLURM_VERSION"),
          .requeue = value_of(values, "JobRequeue") != "0",
          .preempts = !type.empty() && type != "preempt/none" && type != "(null)",
          .warns_before_preemption =
              value_of(values, "SlurmctldParameters").find("preempt_send_user_signal") !=
              std::string::npos};
}

std::vector<SlurmPartition> parse_partitions(const std::string& scontrol_show_partition,
                                             std::string& default_name) {
  std::vector<SlurmPartition> partitions;
  for (const std::string& line : split(scontrol_show_partition, '\n')) {
    const auto record = parse_record(line);
    if (!record.contains("PartitionName")) {
      continue;
    }
    partitions.push_back({.name = value_of(record, "PartitionName"),
                          .default_time = parse_time_limit(value_of(record, "DefaultTime")),
                          .longest_time = parse_time_limit(value_of(record, "MaxTime")),
                          .preempt_mode = value_of(record, "PreemptMode"),
                          .grace = seconds(leading_number(value_of(record, "GraceTime"))),
                          .nodes = leading_number(value_of(record, "TotalNodes"))});
    if (value_of(record, "Default") == "YES") {
      default_name = partitions.back().name;
    }
  }
  return partitions;
}

SlurmNode parse_nodes(const std::string& sinfo_cores_and_gres) {
  std::optional<SlurmNode> least;
  for (const std::string& line : split(sinfo_cores_and_gres, '\n')) {
    const auto bar = line.find('|');
    if (bar == std::string::npos) {
      continue;
    }
    const SlurmNode node{.cores = leading_number(line), .gpus = gpus_in(line.substr(bar + 1))};
    least = least ? SlurmNode{.cores = std::min(least->cores, node.cores),
                              .gpus = std::min(least->gpus, node.gpus)}
                  : node;
  }
  return least.value_or(SlurmNode{});
}

SlurmSettings slurm_settings() { return parse_settings(output_of({"scontrol", "show", "config"})); }

std::optional<SlurmPartition> slurm_partition(const std::string& name) {
  std::string wanted;
  const auto partitions =
      parse_partitions(output_of({"scontrol", "--oneliner", "show", "partition"}), wanted);
  if (!name.empty()) {
    wanted = name;
  }
  const auto found = std::find_if(partitions.begin(), partitions.end(),
                                  [&](const auto& partition) { return partition.name == wanted; });
  return found == partitions.end() ? std::nullopt : std::optional(*found);
}

SlurmNode slurm_node(const std::string& partition) {
  return parse_nodes(
      output_of({"sinfo", "--noheader", "--partition", partition, "--format=%c|%G"}));
}

std::vector<SlurmJob> slurm_jobs_of(const std::filesystem::path& database) {
  const std::string comment = job_comment(database);
  std::vector<SlurmJob> jobs;
  for (const std::string& line : queue_lines(
           {"--me", "--sort=i", "--array"},
           {"jobarrayid", "state", "reason", "timeleft", "nodelist", "restartcnt", "comment"})) {
    const std::vector<std::string> fields = split(line, '|');
    if (fields.size() == 7 && fields[6] == comment) {
      jobs.push_back({.id = fields[0],
                      .state = fields[1],
                      .reason = fields[2],
                      .time_left = fields[3],
                      .nodes = fields[4],
                      .restarts = leading_number(fields[5])});
    }
  }
  return jobs;
}

std::optional<std::chrono::system_clock::time_point> slurm_end_of_job(const std::string& id) {
  try {
    for (const std::string& line : queue_lines({"--jobs", id}, {"timeleft"})) {
      if (const auto left = parse_time_limit(line.substr(0, line.find('|')))) {
        return std::chrono::system_clock::now() + *left;
      }
    }
  } catch (const std::exception&) {
    // A sweep needs no scheduler that answers.
  }
  return std::nullopt;
}

}  // namespace ranksweep::cluster
