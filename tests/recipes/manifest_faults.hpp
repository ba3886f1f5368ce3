#pragma once

#include <string>
#include <vector>

namespace ossau::test {

/// What is wrong with Kubernetes manifests (Service, Job, MPIJob) or a Docker Compose file, as far
/// as that shows without a cluster; one sentence a fault.
std::vector<std::string> kubernetes_faults(const std::string& text);
std::vector<std::string> compose_faults(const std::string& text);

/// What is wrong with a batch script for Slurm: its options, its syntax, its variables.
std::vector<std::string> slurm_faults(const std::string& text);

/// What is wrong with the calls of the program, `ossau` being `train` and what follows, in a recipe
/// or a page: a configuration that does not exist, an override that it refuses.
/// program: the path of `ossau`.
std::vector<std::string> call_faults(const std::string& text, const std::string& program);

}  // namespace ossau::test
