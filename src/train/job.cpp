#include "train/job.hpp"

#include <map>
#include <string>

#include "backend/device_choice.hpp"
#include "comm/process/join.hpp"

namespace ossau {

std::unique_ptr<Communicator> join_job(const Config& config) {
  return join_processes(config, [&config] {
    return std::map<std::string, std::string>{
        {"a GPU (run.device=cpu does without)", gpu_in_words(config.run.device)}};
  });
}

}  // namespace ossau
