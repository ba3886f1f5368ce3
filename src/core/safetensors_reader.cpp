#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "core/safetensors.hpp"
#include "core/strict_json.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLengthBytes = 8;
constexpr int kHeaderDepth = 3;  // header, tensor, shape
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kChecksumKey = "sha256";

[[noreturn]] void fail(const std::string& file, const std::string& problem) {
  throw DataError(fmt::format("{}: {}", file, problem));
}

std::vector<char> read_whole(const fs::path& file) {
  std::error_code error;
  const bool regular = fs::is_regular_file(file, error);
  if (error) fail(file.string(), "cannot read: " + error.message());
  if (!regular) fail(file.string(), "cannot read: not a regular file");
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) fail(file.string(), "cannot read: " + error.message());
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(file.string(), "cannot read: " + std::generic_category().message(errno));
  std::vector<char> content(size);
  in.read(content.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(in.gcount()) != size) {
    fail(file.string(), fmt::format("cannot read: {} of {} bytes came", in.gcount(), size));
  }
  return content;
}

// Splits the file into header text and tensor data; never trusts the length it states.
std::pair<std::string_view, std::string_view> split(std::string_view content,
                                                    const std::string& file) {
  if (content.size() < kLengthBytes) {
    fail(file, fmt::format("not a safetensors file: only {} bytes", content.size()));
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, content.data(), kLengthBytes);
  content.remove_prefix(kLengthBytes);
  if (header_bytes > content.size()) {
    fail(file, fmt::format("not a safetensors file, or cut off: header of {} bytes in a file with "
                           "{} left",
                           header_bytes, content.size()));
  }
  return {content.substr(0, header_bytes), content.substr(header_bytes)};
}

std::optional<TensorType> type_named(const std::string& name) {
  for (const TensorType type :
       {TensorType::kF64, TensorType::kF32, TensorType::kI64, TensorType::kI32, TensorType::kU8}) {
    if (tensor_type_name(type) == name) return type;
  }
  return std::nullopt;
}

// Where a tensor lies in the data.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string name;
};

// One tensor's entry of the header.
class Entry {
 public:
  Entry(const std::string& file, const std::string& name, const nlohmann::json& json)
      : file_(file), name_(name), json_(json) {
    if (!json.is_object() || json.size() != 3) fail_here("needs dtype, shape and data_offsets");
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!json.contains(key)) fail_here(fmt::format("has no {}", key));
    }
  }

  TensorType type() const {
    const nlohmann::json& value = json_.at("dtype");
    const std::optional<TensorType> type =
        value.is_string() ? type_named(value.get<std::string>()) : std::nullopt;
    if (!type) fail_here(fmt::format("type {} is not one of F64, F32, I64, I32, U8", value.dump()));
    return *type;
  }

  std::vector<std::int64_t> shape() const {
    std::vector<std::int64_t> shape;
    for (const std::uint64_t size : naturals("shape")) {
      if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail_here(fmt::format("shape entry {} is too large", size));
      }
      shape.push_back(static_cast<std::int64_t>(size));
    }
    return shape;
  }

  // The range of its bytes, which must be inside the data and as long as type and shape say.
  Range range(std::size_t data_bytes) const {
    const std::vector<std::uint64_t> offsets = naturals("data_offsets");
    if (offsets.size() != 2) fail_here("data_offsets must be two numbers");
    if (offsets[0] > offsets[1] || offsets[1] > data_bytes) {
      fail_here(fmt::format("bytes {} to {} do not lie in the file's {} bytes of data", offsets[0],
                            offsets[1], data_bytes));
    }
    std::uint64_t bytes = tensor_type_bytes(type());
    for (const std::int64_t size : shape()) {
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
        fail_here("shape overflows");
      }
    }
    if (bytes != offsets[1] - offsets[0]) {
      fail_here(fmt::format("type and shape need {} bytes, data_offsets give {}", bytes,
                            offsets[1] - offsets[0]));
    }
    return {offsets[0], offsets[1], name_};
  }

 private:
  [[noreturn]] void fail_here(const std::string& problem) const {
    fail(file_, fmt::format("tensor \"{}\": {}", name_, problem));
  }

  std::vector<std::uint64_t> naturals(const char* key) const {
    const nlohmann::json& list = json_.at(key);
    if (!list.is_array()) fail_here(fmt::format("{} is not a list", key));
    std::vector<std::uint64_t> numbers;
    for (const nlohmann::json& number : list) {
      if (!number.is_number_unsigned()) {
        fail_here(fmt::format("{} holds {}, not a natural number", key, number.dump()));
      }
      numbers.push_back(number.get<std::uint64_t>());
    }
    return numbers;
  }

  const std::string& file_;
  const std::string& name_;
  const nlohmann::json& json_;
};

// Every byte of data belongs to exactly one tensor, as the format demands.
void check_cover(std::vector<Range> ranges, std::size_t data_bytes, const std::string& file) {
  std::ranges::sort(ranges, {}, [](const Range& range) {
    return std::tuple(range.begin, range.end, std::string_view(range.name));
  });
  std::uint64_t end = 0;
  for (const Range& range : ranges) {
    if (range.begin < end) fail(file, fmt::format("tensor \"{}\" overlaps another", range.name));
    if (range.begin > end) {
      fail(file,
           fmt::format("a hole of {} bytes before tensor \"{}\"", range.begin - end, range.name));
    }
    end = range.end;
  }
  if (end != data_bytes) {
    fail(file, fmt::format("{} bytes of data belong to no tensor", data_bytes - end));
  }
}

TensorMetadata read_metadata(const nlohmann::json& json, const std::string& file) {
  if (!json.is_object()) fail(file, fmt::format("{} is not an object", kMetadataKey));
  TensorMetadata metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      fail(file, fmt::format("{}: \"{}\" is not a string", kMetadataKey, key));
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

TensorViews read_tensors(const nlohmann::json& header, std::string_view data,
                         const std::string& file) {
  TensorViews tensors;
  std::vector<Range> ranges;
  for (const auto& [name, json] : header.items()) {
    if (name == kMetadataKey) continue;
    const Entry entry(file, name, json);
    const Range range = entry.range(data.size());
    tensors[name] = {entry.type(), entry.shape(),
                     data.substr(range.begin, range.end - range.begin)};
    ranges.push_back(range);
  }
  check_cover(std::move(ranges), data.size(), file);
  return tensors;
}

}  // namespace

const std::string& Safetensors::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) fail(file_, fmt::format("no \"{}\" in its metadata", key));
  return found->second;
}

const TensorView& Safetensors::checked(const std::string& name, TensorType type,
                                       const std::vector<std::int64_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(file_, fmt::format("no tensor \"{}\"", name));
  const TensorView& tensor = found->second;
  if (tensor.type != type || tensor.shape != shape) {
    fail(file_, fmt::format("tensor \"{}\" is {} [{}], expected {} [{}]", name,
                            tensor_type_name(tensor.type), fmt::join(tensor.shape, ", "),
                            tensor_type_name(type), fmt::join(shape, ", ")));
  }
  return tensor;
}

Safetensors load_safetensors(const fs::path& file) {
  return parse_safetensors(read_whole(file), file.string());
}

Safetensors parse_safetensors(std::vector<char> content, std::string file) {
  Safetensors loaded;
  loaded.file_ = std::move(file);
  loaded.content_ = std::move(content);
  const auto [header_text, data] =
      split({loaded.content_.data(), loaded.content_.size()}, loaded.file_);
  const nlohmann::json header =
      parse_strict_json(header_text, loaded.file_ + ": header", kHeaderDepth);
  if (!header.is_object()) fail(loaded.file_, "header is not an object");
  if (header.contains(kMetadataKey)) {
    loaded.metadata_ = read_metadata(header.at(kMetadataKey), loaded.file_);
  }
  loaded.tensors_ = read_tensors(header, data, loaded.file_);
  const auto stated = loaded.metadata_.find(kChecksumKey);
  if (stated != loaded.metadata_.end() &&
      stated->second != content_sha256(loaded.tensors_, loaded.metadata_)) {
    fail(loaded.file_,
         "checksum mismatch: the file is damaged or was changed (train again, or "
         "copy it again from its source)");
  }
  return loaded;
}

}  // namespace ossau
