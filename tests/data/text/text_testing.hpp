#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

#include "data/read.hpp"
#include "ossau/error.hpp"
#include "support/files.hpp"

namespace ossau::test {

/// The message of the DataError that `call` throws; "no error" where it throws none.
template <typename Call>
std::string data_error(Call call) {
  try {
    call();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

/// The whole message without the folder of the test's own files.
inline std::string without_folder(std::string message, const TemporaryDirectory& folder) {
  const std::string prefix = folder.path().string() + "/";
  for (std::size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
    message.erase(at, prefix.size());
  }
  return message;
}

/// Files in a folder of their own, and a configuration that names them.
class Files {
 public:
  Files& train(std::string_view name, std::string_view content) {
    config.train.push_back(folder.write(name, content).string());
    return *this;
  }
  Files& validation(std::string_view name, std::string_view content) {
    config.validation.push_back(folder.write(name, content).string());
    return *this;
  }
  Dataset read() const { return read_dataset(config, positive); }
  std::string error() const {
    return without_folder(data_error([&] { read(); }), folder);
  }

  TemporaryDirectory folder;
  DataConfig config;
  std::optional<std::string> positive;
};

inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

inline std::string zstd_packed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// One row of a table, in full.
inline std::vector<double> dense_row(const Table& table, std::size_t row, std::size_t n_features) {
  std::vector<double> values(n_features, 0.0);
  for (auto i = static_cast<std::size_t>(table.row_start.at(row));
       i < static_cast<std::size_t>(table.row_start.at(row + 1)); ++i) {
    values.at(table.index.at(i)) = table.value.at(i);
  }
  return values;
}

}  // namespace ossau::test
