#include "sweeps/trial_values.h"

// In the order of the enumerators.
namespace ranksweep::sweeps {

template <>
const std::vector<std::string>& names_of<TrainingMode>() {
  static const std::vector<std::string> names = {"frozen", "full"};
  return names;
}
template <>
const std::vector<std::string>& names_of<Optimizer>() {
  static const std::vector<std::string> names = {"rmsprop", "sgd", "adam", "adamw"};
  return names;
}
template <>
const std::vector<std::string>& names_of<Pooling>() {
  static const std::vector<std::string> names = {"average", "max", "flatten"};
  return names;
}
template <>
const std::vector<std::string>& names_of<Normalization>() {
  static const std::vector<std::string> names = {"scale_0_1", "imagenet", "minus1_1", "caffe"};
  return names;
}
template <>
const std::vector<std::string>& names_of<Precision>() {
  static const std::vector<std::string> names = {"auto", "float32", "tf32", "bfloat16", "float16"};
  return names;
}
template <>
const std::vector<std::string>& names_of<MemoryFormat>() {
  static const std::vector<std::string> names = {"auto", "contiguous", "channels_last"};
  return names;
}
template <>
const std::vector<std::string>& names_of<FillMode>() {
  static const std::vector<std::string> names = {"nearest", "constant", "reflect", "wrap"};
  return names;
}

template <>
const std::vector<std::string>& names_of<DataSpec::OnBadFile>() {
  static const std::vector<std::string> names = {"fail", "skip"};
  return names;
}
template <>
const std::vector<std::string>& names_of<DataSpec::OnLeakage>() {
  static const std::vector<std::string> names = {"warn", "fail"};
  return names;
}

template <>
const std::vector<std::string>& names_of<Execution::OnOutOfMemory>() {
  static const std::vector<std::string> names = {"fail", "accumulate"};
  return names;
}

}  // namespace ranksweep::sweeps
