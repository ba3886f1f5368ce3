#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ossau {

/// Number types of the safetensors files that Ossau writes and reads.
enum class TensorType { kF64, kF32, kI64, kI32, kU8 };

/// The type's name in the file, for example "F64", and the bytes of one entry.
std::string_view tensor_type_name(TensorType type);
std::size_t tensor_type_bytes(TensorType type);

template <typename T>
struct TensorTypeOf;
template <>
struct TensorTypeOf<double> {
  static constexpr TensorType kType = TensorType::kF64;
};
template <>
struct TensorTypeOf<float> {
  static constexpr TensorType kType = TensorType::kF32;
};
template <>
struct TensorTypeOf<std::int64_t> {
  static constexpr TensorType kType = TensorType::kI64;
};
template <>
struct TensorTypeOf<std::int32_t> {
  static constexpr TensorType kType = TensorType::kI32;
};
template <>
struct TensorTypeOf<std::uint8_t> {
  static constexpr TensorType kType = TensorType::kU8;
};

/// A tensor whose numbers live elsewhere: little-endian, row-major.
struct TensorView {
  TensorType type = TensorType::kF64;
  std::vector<std::int64_t> shape;  // empty: one number
  std::string_view bytes;           // product of shape times bytes of the type
};

using TensorViews = std::map<std::string, TensorView>;
using TensorMetadata = std::map<std::string, std::string>;

/// A view of `values` with this shape.
template <typename T>
TensorView tensor_view(std::span<const T> values, std::vector<std::int64_t> shape) {
  return {TensorTypeOf<T>::kType,
          std::move(shape),
          {reinterpret_cast<const char*>(values.data()), values.size_bytes()}};
}

/// SHA-256 over every name, type, shape, byte and metadata entry but the entry "sha256": what
/// save_safetensors puts there and what load_safetensors compares.
std::string content_sha256(const TensorViews& tensors, const TensorMetadata& metadata);

/// Writes a safetensors file atomically, with "sha256" added to its metadata.  Keys are sorted, so
/// equal content gives equal bytes.  Wide types come first, so that mapped tensors are aligned.
/// Names and metadata must be UTF-8.  Returns the SHA-256 of the whole file in hexadecimal.  Throws
/// DeviceError.
/// Source: https://huggingface.co/docs/safetensors (format).
std::string save_safetensors(const std::filesystem::path& file, const TensorViews& tensors,
                             TensorMetadata metadata);

/// A safetensors file in memory.
class Safetensors {
 public:
  Safetensors(Safetensors&&) = default;
  Safetensors& operator=(Safetensors&&) = default;
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;

  const TensorMetadata& metadata() const { return metadata_; }
  const TensorViews& tensors() const { return tensors_; }

  /// The metadata entry `key`.  Throws DataError where there is none.
  const std::string& metadata(const std::string& key) const;

  /// The numbers of tensor `name`, which must have type T and this shape.  Throws DataError.
  template <typename T>
  std::vector<T> values(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const TensorView& tensor = checked(name, TensorTypeOf<T>::kType, shape);
    std::vector<T> numbers(tensor.bytes.size() / sizeof(T));
    if (!numbers.empty()) std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
    return numbers;
  }

  /// The name for messages.
  const std::string& file() const { return file_; }
  /// The whole file.
  std::span<const char> content() const { return content_; }

 private:
  friend Safetensors parse_safetensors(std::vector<char> content, std::string file);

  Safetensors() = default;
  const TensorView& checked(const std::string& name, TensorType type,
                            const std::vector<std::int64_t>& shape) const;

  std::string file_;
  std::vector<char> content_;  // views point into it; a vector's buffer survives a move
  TensorMetadata metadata_;
  TensorViews tensors_;
};

/// Reads and validates a safetensors file: lengths, offsets, overlaps, types, shapes, and the
/// "sha256" of its metadata where there is one.  Throws DataError naming the file and the problem.
Safetensors load_safetensors(const std::filesystem::path& file);
/// The same of a file's content that is here already.  file: its name for messages.
Safetensors parse_safetensors(std::vector<char> content, std::string file);

}  // namespace ossau
