#include "core/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>

#include "core/atomic_file.hpp"
#include "core/sha256.hpp"

namespace ossau {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie here");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kHeaderAlignment = 8;
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kChecksumKey = "sha256";

using NamedTensor = TensorViews::value_type;

// Wide types first: with a header padded to 8 bytes every tensor is then aligned.
std::vector<const NamedTensor*> file_order(const TensorViews& tensors) {
  std::vector<const NamedTensor*> order;
  order.reserve(tensors.size());
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::ranges::greater(), [](const NamedTensor* tensor) {
    return tensor_type_bytes(tensor->second.type);
  });
  return order;
}

std::string header_text(const std::vector<const NamedTensor*>& order,
                        const TensorMetadata& metadata) {
  nlohmann::json header = {{kMetadataKey, metadata}};
  std::size_t offset = 0;
  for (const NamedTensor* tensor : order) {
    const auto& [name, view] = *tensor;
    const std::size_t end = offset + view.bytes.size();
    header[name] = {{"dtype", tensor_type_name(view.type)},
                    {"shape", view.shape},
                    {"data_offsets", std::array{offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  while (text.size() % kHeaderAlignment != 0) text += ' ';
  return text;
}

std::string_view bytes_of(const std::uint64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

// Lengths first, so that no two different contents are hashed as the same bytes.
void update_with_text(Sha256& hash, std::string_view text) {
  hash.update(bytes_of(text.size()));
  hash.update(text);
}

}  // namespace

std::string_view tensor_type_name(TensorType type) {
  constexpr std::array<std::string_view, 5> kNames = {"F64", "F32", "I64", "I32", "U8"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::size_t tensor_type_bytes(TensorType type) {
  constexpr std::array<std::size_t, 5> kBytes = {8, 4, 8, 4, 1};
  return kBytes.at(static_cast<std::size_t>(type));
}

std::string content_sha256(const TensorViews& tensors, const TensorMetadata& metadata) {
  Sha256 hash;
  for (const auto& [key, value] : metadata) {
    if (key == kChecksumKey) continue;
    update_with_text(hash, key);
    update_with_text(hash, value);
  }
  for (const auto& [name, tensor] : tensors) {
    update_with_text(hash, name);
    update_with_text(hash, tensor_type_name(tensor.type));
    update_with_text(hash, fmt::format("{}", fmt::join(tensor.shape, "x")));
    update_with_text(hash, tensor.bytes);
  }
  return hash.hex();
}

std::string save_safetensors(const std::filesystem::path& file, const TensorViews& tensors,
                             TensorMetadata metadata) {
  metadata[kChecksumKey] = content_sha256(tensors, metadata);
  const std::vector<const NamedTensor*> order = file_order(tensors);
  const std::string header = header_text(order, metadata);
  const std::uint64_t header_bytes = header.size();

  AtomicFile out(file);
  Sha256 hash;
  const auto write = [&](std::string_view bytes) {
    out.write(bytes);
    hash.update(bytes);
  };
  static_assert(sizeof(header_bytes) == kLengthBytes);
  write(bytes_of(header_bytes));
  write(header);
  for (const NamedTensor* tensor : order) write(tensor->second.bytes);
  out.commit();
  return hash.hex();
}

}  // namespace ossau
