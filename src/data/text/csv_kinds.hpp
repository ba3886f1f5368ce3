#pragma once

#include "data/table.hpp"
#include "data/text/source_set.hpp"

namespace ossau {

/// Surveys training files and says which columns of `schema` are categorical: those with less than
/// 90 % numbers among their cells that are not empty.  Each process looks at the cells of its own
/// part of each file.  Collective.  Throws DataError with file and line.
void find_kinds(SourceSet& files, Schema& schema);

}  // namespace ossau
