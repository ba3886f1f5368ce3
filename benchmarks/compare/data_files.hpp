#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/read.hpp"

// The files that Ossau and its peers read alike: a folder with header.json and, for each of
// `train` and `held_out`, raw little-endian arrays:
//   dense    PART.values     float32 [rows, features]
//   sparse   PART.row_start  int64 [rows + 1];  PART.index  uint32, ascending within a row;
//            PART.value  float32, or no such file where all are ones
//   both     PART.label      uint8 [rows], {0, 1}

namespace ossau::compare {

/// header.json.
struct DataHeader {
  bool sparse = false;
  std::int64_t features = 0;
  std::int64_t train_rows = 0;
  std::int64_t held_out_rows = 0;
  std::uint64_t seed = 0;
};

/// One part in memory, as its files hold it.
struct DataPart {
  std::vector<float> values;            // dense
  std::vector<std::int64_t> row_start;  // sparse
  std::vector<std::uint32_t> index;     // sparse
  std::vector<std::uint8_t> label;
};

/// Both throw DataError, with the file's name.
void write_header(const std::string& folder, const DataHeader& header);
void write_part(const std::string& folder, const std::string& part, const DataPart& data);

DataHeader read_header(const std::string& folder);

/// Both parts as the program's own readers would give them.  Throws DataError.
Dataset read_data(const std::string& folder, const DataHeader& header);

}  // namespace ossau::compare
