#include "data_files.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "ossau/error.hpp"

namespace ossau::compare {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

template <class T>
void write_array(const std::string& path, const std::vector<T>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file.flush()) throw DataError(fmt::format("{}: cannot be written", path));
}

template <class T>
std::vector<T> read_array(const std::string& path) {
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  if (missing) throw DataError(fmt::format("{}: {} (run generate_data)", path, missing.message()));
  std::vector<T> values(bytes / sizeof(T));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file) throw DataError(fmt::format("{}: cannot be read", path));
  return values;
}

// A table holds no zeros.
void add_dense_rows(const std::vector<float>& values, std::int64_t features, Table& table) {
  table.index.reserve(values.size());
  table.value.reserve(values.size());
  const auto d = static_cast<std::size_t>(features);
  for (std::size_t begin = 0; begin < values.size(); begin += d) {
    for (std::size_t j = 0; j < d; ++j) {
      if (values[begin + j] == 0) continue;
      table.index.push_back(static_cast<std::uint32_t>(j));
      table.value.push_back(static_cast<double>(values[begin + j]));
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
  }
}

Table read_part(const std::string& folder, const std::string& part, const DataHeader& header) {
  const auto path = [&](const char* array) { return fmt::format("{}/{}.{}", folder, part, array); };
  Table table;
  if (header.sparse) {
    table.row_start = read_array<std::int64_t>(path("row_start"));
    table.index = read_array<std::uint32_t>(path("index"));
    if (std::filesystem::exists(path("value"))) {
      const std::vector<float> values = read_array<float>(path("value"));
      table.value.assign(values.begin(), values.end());
    } else {
      table.value.assign(table.index.size(), 1.0);
    }
  } else {
    add_dense_rows(read_array<float>(path("values")), header.features, table);
  }
  table.label = read_array<std::uint8_t>(path("label"));
  if (table.row_start.size() != table.label.size() + 1) {
    throw DataError(fmt::format("{}: {} rows, {} labels (run generate_data again)", folder,
                                table.row_start.size() - 1, table.label.size()));
  }
  return table;
}

}  // namespace

void write_header(const std::string& folder, const DataHeader& header) {
  const nlohmann::json json = {{"sparse", header.sparse},
                               {"features", header.features},
                               {"train_rows", header.train_rows},
                               {"held_out_rows", header.held_out_rows},
                               {"seed", header.seed}};
  std::ofstream file(folder + "/header.json");
  file << json.dump(2) << '\n';
  if (!file.flush()) throw DataError(fmt::format("{}/header.json: cannot be written", folder));
}

void write_part(const std::string& folder, const std::string& part, const DataPart& data) {
  const auto path = [&](const char* array) { return fmt::format("{}/{}.{}", folder, part, array); };
  if (data.row_start.empty()) {
    write_array(path("values"), data.values);
  } else {
    write_array(path("row_start"), data.row_start);
    write_array(path("index"), data.index);
  }
  write_array(path("label"), data.label);
}

DataHeader read_header(const std::string& folder) {
  std::ifstream file(folder + "/header.json");
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    throw DataError(fmt::format("{}/header.json: cannot be read (run generate_data)", folder));
  }
  return {.sparse = json.at("sparse").get<bool>(),
          .features = json.at("features").get<std::int64_t>(),
          .train_rows = json.at("train_rows").get<std::int64_t>(),
          .held_out_rows = json.at("held_out_rows").get<std::int64_t>(),
          .seed = json.at("seed").get<std::uint64_t>()};
}

Dataset read_data(const std::string& folder, const DataHeader& header) {
  Dataset dataset;
  for (std::int64_t j = 0; j < header.features; ++j) {
    dataset.schema.feature_names.push_back(fmt::format("f{}", j));
  }
  dataset.schema.classes = {"0", "1"};
  dataset.train = read_part(folder, "train", header);
  if (header.held_out_rows > 0) dataset.validation = read_part(folder, "held_out", header);
  return dataset;
}

}  // namespace ossau::compare
