// What Slurm's commands print, as recorded from Slurm 22.05, and what is made of it.
#include "cluster/slurm.h"

#include <gtest/gtest.h>

namespace ranksweep::cluster {
namespace {

using std::chrono::seconds;

TEST(Slurm, TimeLimitsAreReadAsSlurmWritesThem) {
  EXPECT_EQ(parse_time_limit("30"), seconds(1800));
  EXPECT_EQ(parse_time_limit("1:30"), seconds(90));
  EXPECT_EQ(parse_time_limit("8:00:00"), seconds(28800));
  EXPECT_EQ(parse_time_limit("1-12"), seconds(36 * 3600));
  EXPECT_EQ(parse_time_limit("2-00:30"), seconds(48 * 3600 + 1800));
  EXPECT_EQ(parse_time_limit("1-00:00:05"), seconds(24 * 3600 + 5));
  for (const char* text : {"", "UNLIMITED", "INVALID", "eight", "1:2:3:4", "-5", "1:-2", "5-"}) {
    EXPECT_FALSE(parse_time_limit(text)) << text;
  }
}

TEST(Slurm, SettingsThatMatterToARequeue) {
  const SlurmSettings settings = parse_settings(
      "Configuration data as of 2026-11-25T08:18:41\n"
      "JobRequeue              = 0\n"
      "PreemptType             = preempt/partition_prio\n"
      "SlurmctldParameters     = enable_configless,preempt_send_user_signal\n"
      "SLURM_VERSION           = 22.05.8\n");
  EXPECT_EQ(settings.version, "22.05.8");
  EXPECT_FALSE(settings.requeue);
  EXPECT_TRUE(settings.preempts);
  EXPECT_TRUE(settings.warns_before_preemption);
  const SlurmSettings plain = parse_settings(
      "JobRequeue              = 1\nPreemptType             = preempt/none\n"
      "SlurmctldParameters     = (null)\n");
  EXPECT_TRUE(plain.requeue);
  EXPECT_FALSE(plain.preempts);
  EXPECT_FALSE(plain.warns_before_preemption);
}

TEST(Slurm, PartitionsAndWhichIsTheDefault) {
  std::string default_name;
  const auto partitions = parse_partitions(
      "PartitionName=low AllowGroups=ALL Default=NO DefaultTime=NONE GraceTime=60 "
      "MaxTime=2-00:00:00 PreemptMode=REQUEUE State=UP TotalCPUs=8 TotalNodes=2\n"
      "PartitionName=main AllowGroups=ALL Default=YES DefaultTime=01:00:00 GraceTime=0 "
      "MaxTime=UNLIMITED PreemptMode=OFF State=UP TotalCPUs=8 TotalNodes=2\n",
      default_name);
  EXPECT_EQ(default_name, "main");
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].name, "low");
  EXPECT_FALSE(partitions[0].default_time);
  EXPECT_EQ(partitions[0].longest_time, seconds(48 * 3600));
  EXPECT_EQ(partitions[0].preempt_mode, "REQUEUE");
  EXPECT_EQ(partitions[0].grace, seconds(60));
  EXPECT_EQ(partitions[1].default_time, seconds(3600));
  EXPECT_FALSE(partitions[1].longest_time);
}

TEST(Slurm, ANodeHasWhatTheLeastOfThePartitionHas) {
  const SlurmNode node = parse_nodes("64+|gpu:a100:4(S:0-1),nvme:1\n48|gpu:2\n");
  EXPECT_EQ(node.cores, 48);
  EXPECT_EQ(node.gpus, 2);
  EXPECT_EQ(parse_nodes("4|(null)\n").gpus, 0);
  EXPECT_EQ(parse_nodes("16|gpu:a100:2,gpu:t4:1\n").gpus, 3);
  EXPECT_EQ(parse_nodes("").cores, 0);
}

TEST(Slurm, ARecordsValuesMayHaveSpaces) {
  const auto record = parse_record("JobId=7 JobName=my faces JobState=RUNNING Comment=a=b c");
  EXPECT_EQ(record.at("JobName"), "my faces");
  EXPECT_EQ(record.at("JobState"), "RUNNING");
  EXPECT_EQ(record.at("Comment"), "a=b c");
}

}  // namespace
}  // namespace ranksweep::cluster
