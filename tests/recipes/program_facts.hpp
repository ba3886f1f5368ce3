#pragma once

#include <string>
#include <vector>

namespace ossau::test {

/// Whether the program's sources, or Open MPI or NCCL, read this variable of the environment.
bool is_read(const std::string& variable);

/// A fault for each of `variables` that nobody reads.
std::vector<std::string> unread(const std::vector<std::string>& variables);

}  // namespace ossau::test
