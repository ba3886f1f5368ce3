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

Config small_config(const std::filesystem::path& csv) {
  Config config;
  config.data.train = {csv.string()};
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
  std::string bytes((model.weights.size() + model.intercept.size()) * sizeof(double), '\0');
  std::memcpy(bytes.data(), model.weights.data(), model.weights.size() * sizeof(double));
  std::memcpy(bytes.data() + model.weights.size() * sizeof(double), model.intercept.data(),
              model.intercept.size() * sizeof(double));
  return sha256_hex(bytes);
}

}  // namespace ossau::test
