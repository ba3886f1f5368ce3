#include "core/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/sha256.hpp"
#include "ossau/error.hpp"
#include "support/files.hpp"
#include "support/full_disk.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

template <typename T>
TensorView view(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  return tensor_view(std::span<const T>(values), std::move(shape));
}

// A file with this header text and data, length and nothing else put in front.
std::string raw_file(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string content(sizeof(length), '\0');
  std::memcpy(content.data(), &length, sizeof(length));
  return content + header + data;
}

// What load_safetensors says of a file with this content.
std::string problem_of(const std::string& content) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.write("a.safetensors", content);
  try {
    load_safetensors(file);
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), StartsWith(file.string())) << "names the file";
    return error.what();
  }
  return "";
}

struct Sample {
  std::vector<double> f64 = {1.5, -0.0, std::numeric_limits<double>::denorm_min()};
  std::vector<float> f32 = {3.25F};
  std::vector<std::int64_t> i64 = {-1, std::numeric_limits<std::int64_t>::min()};
  std::vector<std::int32_t> i32 = {-7, 8, 9, 10};
  std::vector<std::uint8_t> u8 = {255, 0, 1};
  std::vector<double> none;

  TensorViews views() const {
    return {{"a_u8", view(u8, {3})},  {"b_f64", view(f64, {1, 3})}, {"c_i32", view(i32, {2, 2})},
            {"d_f32", view(f32, {})}, {"e_i64", view(i64, {2})},    {"f_none", view(none, {0, 4})}};
  }
};

TEST(Safetensors, GivesBackEveryTypeBitForBit) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.safetensors";
  const Sample sample;
  save_safetensors(file, sample.views(), {{"note", "l'été \"x\"\n"}});

  const Safetensors loaded = load_safetensors(file);
  EXPECT_EQ(loaded.metadata("note"), "l'été \"x\"\n");
  EXPECT_EQ(loaded.values<std::uint8_t>("a_u8", {3}), sample.u8);
  const std::vector<double> f64 = loaded.values<double>("b_f64", {1, 3});
  EXPECT_EQ(std::memcmp(f64.data(), sample.f64.data(), 24), 0);
  EXPECT_EQ(loaded.values<std::int32_t>("c_i32", {2, 2}), sample.i32);
  EXPECT_EQ(loaded.values<float>("d_f32", {}), sample.f32);
  EXPECT_EQ(loaded.values<std::int64_t>("e_i64", {2}), sample.i64);
  EXPECT_TRUE(loaded.values<double>("f_none", {0, 4}).empty());
}

TEST(Safetensors, WritesExactlyTheDocumentedBytes) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.safetensors";
  const std::vector<std::uint8_t> bytes = {7};
  const std::vector<double> one = {1};
  const std::string hash =
      save_safetensors(file, {{"a", view(bytes, {1})}, {"b", view(one, {1})}}, {});

  std::string header = R"({"__metadata__":{"sha256":")" +
                       content_sha256({{"a", view(bytes, {1})}, {"b", view(one, {1})}}, {}) +
                       R"("},"a":{"data_offsets":[8,9],"dtype":"U8","shape":[1]},)"
                       R"("b":{"data_offsets":[0,8],"dtype":"F64","shape":[1]}})";
  while (header.size() % 8 != 0) header += ' ';
  const std::string expected = raw_file(header, std::string("\0\0\0\0\0\0\xf0\x3f\x07", 9));
  EXPECT_EQ(test::read_file(file), expected);
  EXPECT_EQ(hash, sha256_hex(expected));
}

TEST(Safetensors, ReadsAFileOfAnotherWriter) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.write(
      "a.safetensors", raw_file(R"({"x":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})",
                                std::string("\1\0\0\0\2\0\0\0", 8)));
  EXPECT_THAT(load_safetensors(file).values<std::int32_t>("x", {2}), ElementsAre(1, 2));
}

TEST(Safetensors, WithoutAnyTensorIsAFileToo) { EXPECT_EQ(problem_of(raw_file("{}", "")), ""); }

TEST(Safetensors, NamesATensorThatIsMissingOrOfAnotherTypeOrShape) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.safetensors";
  save_safetensors(file, Sample().views(), {});
  const Safetensors loaded = load_safetensors(file);
  const auto problem = [&](const auto& action) -> std::string {
    try {
      action();
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(problem([&] { return loaded.values<double>("g", {1}); }),
              HasSubstr("a.safetensors: no tensor \"g\""));
  EXPECT_THAT(problem([&] { return loaded.values<double>("b_f64", {3}); }),
              HasSubstr("tensor \"b_f64\" is F64 [1, 3], expected F64 [3]"));
  EXPECT_THAT(problem([&] {
                return loaded.values<float>("b_f64", {1, 3});
              }),
              HasSubstr("tensor \"b_f64\" is F64 [1, 3], expected F32 [1, 3]"));
  EXPECT_THAT(problem([&] { return loaded.metadata("absent"); }),
              HasSubstr("no \"absent\" in its metadata"));
}

TEST(Safetensors, RefusesEveryShorterFile) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.safetensors";
  save_safetensors(file, Sample().views(), {{"note", "x"}});
  const std::string content = test::read_file(file);
  for (std::size_t size = 0; size < content.size(); ++size) {
    EXPECT_NE(problem_of(content.substr(0, size)), "") << size << " bytes";
  }
  EXPECT_THAT(problem_of(content + "x"), HasSubstr("1 bytes of data belong to no tensor"));
}

TEST(Safetensors, RefusesEveryFlippedBit) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.safetensors";
  const std::vector<double> one = {1.0};
  save_safetensors(file, {{"x", view(one, {1})}}, {{"note", "n"}});
  const std::string content = test::read_file(file);
  for (std::size_t byte = 0; byte < content.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = content;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      // A flip inside the padding or the key "sha256" itself may still leave a sound file.
      const bool only_spaces = content[byte] == ' ';
      const bool checksum_key = byte >= content.find("sha256") && byte < content.find("sha256") + 6;
      if (only_spaces || checksum_key) continue;
      EXPECT_NE(problem_of(damaged), "") << "byte " << byte << " bit " << bit;
    }
  }
}

TEST(Safetensors, RefusesAHeaderLongerThanTheFile) {
  std::string content = raw_file("{}", "");
  std::memset(content.data(), 0xff, 8);
  EXPECT_THAT(problem_of(content), HasSubstr("header of 18446744073709551615 bytes"));
}

TEST(Safetensors, RefusesAHeaderThatIsNotItsKindOfJson) {
  EXPECT_THAT(problem_of(raw_file("[]", "")), HasSubstr("header is not an object"));
  EXPECT_THAT(problem_of(raw_file("{", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(problem_of(raw_file(std::string(100000, '['), "")), HasSubstr("nested deeper"));
  EXPECT_THAT(problem_of(raw_file(R"({"__metadata__":[]})", "")), HasSubstr("not an object"));
  EXPECT_THAT(problem_of(raw_file(R"({"__metadata__":{"a":1}})", "")), HasSubstr("not a string"));
}

TEST(Safetensors, RefusesABadTensorEntry) {
  const auto problem = [](const std::string& entry) {
    return problem_of(raw_file("{\"x\":" + entry + "}", "12345678"));
  };
  EXPECT_THAT(problem(R"([])"), HasSubstr("tensor \"x\": needs dtype"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[1],"offsets":[0,8]})"),
              HasSubstr("has no data_offsets"));
  EXPECT_THAT(problem(R"({"dtype":"BF16","shape":[4],"data_offsets":[0,8]})"),
              HasSubstr("type \"BF16\" is not one of"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[-1],"data_offsets":[0,8]})"),
              HasSubstr("shape holds -1"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[1.0],"data_offsets":[0,8]})"),
              HasSubstr("shape holds 1.0"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[2],"data_offsets":[0,8]})"),
              HasSubstr("need 16 bytes, data_offsets give 8"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[1],"data_offsets":[0,8,8]})"),
              HasSubstr("must be two numbers"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[1],"data_offsets":[8,0]})"),
              HasSubstr("do not lie"));
  EXPECT_THAT(problem(R"({"dtype":"F64","shape":[2],"data_offsets":[0,16]})"),
              HasSubstr("do not lie"));
}

TEST(Safetensors, RefusesAShapeWhoseProductOverflows) {
  const auto problem = [](const std::string& shape) {
    return problem_of(
        raw_file(R"({"x":{"dtype":"F64","shape":)" + shape + R"(,"data_offsets":[0,0]}})", ""));
  };
  EXPECT_THAT(problem("[4294967296,4294967296]"), HasSubstr("shape overflows"));
  EXPECT_THAT(problem("[2305843009213693952]"), HasSubstr("shape overflows"));
  EXPECT_THAT(problem("[18446744073709551615]"), HasSubstr("too large"));
  EXPECT_THAT(problem("[18446744073709551616]"), HasSubstr("shape holds"));
}

TEST(Safetensors, RefusesOverlapsAndHoles) {
  const auto problem = [](const std::string& first, const std::string& second) {
    return problem_of(raw_file(R"({"x":{"dtype":"I32","shape":[1],"data_offsets":)" + first +
                                   R"(},"y":{"dtype":"I32","shape":[1],"data_offsets":)" + second +
                                   "}}",
                               "12345678"));
  };
  EXPECT_EQ(problem("[4,8]", "[0,4]"), "");
  EXPECT_THAT(problem("[0,4]", "[2,6]"), HasSubstr("tensor \"y\" overlaps another"));
  EXPECT_THAT(problem("[0,4]", "[0,4]"), HasSubstr("overlaps another"));
  EXPECT_THAT(problem("[2,6]", "[2,6]"), HasSubstr("a hole of 2 bytes before"));
}

TEST(Safetensors, NamesAFileThatCannotBeRead) {
  const test::TemporaryDirectory directory;
  EXPECT_THROW(load_safetensors(directory.path() / "absent"), DataError);
  EXPECT_THROW(load_safetensors(directory.path()), DataError);
  EXPECT_THROW(load_safetensors("/dev/null"), DataError);
}

TEST(Safetensors, AFullDiskIsADeviceErrorAndLeavesNoFile) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << test::TinyDisk::reason();
  const std::vector<double> large(100000);
  EXPECT_THROW(save_safetensors(disk.path() / "a", {{"x", view(large, {100000})}}, {}),
               DeviceError);
  EXPECT_TRUE(fs::is_empty(disk.path()));
}

}  // namespace
}  // namespace ossau
