#include "train/training_samples.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstring>

#include "core/sha256.hpp"
#include "train/model.hpp"

namespace ossau::test {

std::filesystem::path write_csv(const TemporaryDirectory& directory, const std::string& name,
                                const TableShape& shape) {
  const Table table = make_table(shape);
  std::string text = shape.weighted ? "label,weight" : "label";
  for (std::int64_t j = 0; j < shape.columns; ++j) text += fmt::format(",f{}", j + 1);
  text += "\n";
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    text += fmt::format("{}", table.label[row]);
    if (shape.weighted) text += fmt::format(",{}", table.weight[row]);
    for (std::int64_t j = 0; j < shape.columns; ++j) text += fmt::format(",{}", entry(table, i, j));
    text += "\n";
  }
  return directory.write(name, text);
}

std::filesystem::path write_wide_libsvm(const TemporaryDirectory& directory,
                                        const std::string& name, std::int64_t rows,
                                        std::int64_t columns) {
  std::string text;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    text += uniform(3, row) < 0.4 ? "1" : "0";
    const std::int64_t entries = i % 97 == 5 ? 40 : i % 5;
    for (std::int64_t k = 0; k < entries; ++k) {
      // One feature out of each part of the columns; the first part is small, so that its features
      // have many rows.
      const std::int64_t begin = k == 0 ? 0 : columns * k / entries;
      const std::int64_t end = k == 0 ? 20 : columns * (k + 1) / entries;
      const double place = uniform(11 + row, static_cast<std::uint64_t>(k));
      const std::int64_t feature =
          begin + static_cast<std::int64_t>(static_cast<double>(end - begin) * place);
      text += fmt::format(" {}:{:.3}", feature + 1, 0.1 + place);
    }
    text += "\n";
  }
  text += fmt::format("1 {}:1\n", columns);
  return directory.write(name, text);
}

Config small_config(const std::filesystem::path& file) {
  Config config;
  config.data.train = {file.string()};
  config.model.l2 = 0;
  config.optimizer.method = Method::kSgd;
  config.training.epochs = 2;
  config.training.batch_size = 100;
  config.run.threads = 1;
  return config;
}

TrainingResult train_quietly(const Config& config) {
  RecordingObserver observer;
  return run_training(config, observer);
}

std::string model_hash(const Config& config) {
  const TemporaryDirectory directory;
  return save_model(train_quietly(config).model, directory.path() / "model.safetensors");
}

std::string weight_hash(const Model& model) {
  std::string bytes((model.weights.size() + 1) * sizeof(double), '\0');
  std::memcpy(bytes.data(), model.weights.data(), model.weights.size() * sizeof(double));
  std::memcpy(bytes.data() + model.weights.size() * sizeof(double), &model.intercept,
              sizeof(double));
  return sha256_hex(bytes);
}

}  // namespace ossau::test
