#pragma once

#include <string>

#include "results.hpp"

namespace ossau::bench {

/// The results as Markdown: the machine, then one table for each program.  A terminal shows it too:
/// columns are aligned.
std::string markdown(const Results& results);

/// "AMD EPYC, 2 cores, L1d 48 KiB, L2 1 MiB, L3 32 MiB, 24 GiB"
std::string machine_line(const Machine& machine);

/// "21e66b1", or "21e66b1 with changes"
std::string commit_text(const Results& results);

}  // namespace ossau::bench
