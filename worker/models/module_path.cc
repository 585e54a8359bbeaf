#include "worker/models/module_path.h"

namespace ranksweep::worker {

std::pair<torch::nn::Module*, std::string> find_parent(torch::nn::Module& root,
                                                       const std::string& name) {
  torch::nn::Module* parent = &root;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string part = name.substr(begin, dot - begin);
    const auto children = parent->named_children();
    const auto* child = children.find(part);
    parent = child ? child->get()
                   : parent->register_module(part, std::make_shared<torch::nn::Module>()).get();
  }
  return {parent, name.substr(begin)};
}

}  // namespace ranksweep::worker
