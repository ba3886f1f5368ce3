#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "data/text/csv_reader.hpp"
#include "data/text/csv_tokenizer.hpp"
#include "data/text/decompress.hpp"
#include "data/text/format.hpp"
#include "data/text/libsvm_reader.hpp"
#include "processes.hpp"
#include "support/log_capture.hpp"
#include "text_testing.hpp"

namespace ossau::test {
namespace {

constexpr int kMutants = 4000;

constexpr std::array<std::string_view, 26> kPieces = {"\"",
                                                      "\"\"",
                                                      ",",
                                                      ";",
                                                      "\t",
                                                      "\n",
                                                      "\r",
                                                      "\r\n",
                                                      " ",
                                                      ":",
                                                      "#",
                                                      "0",
                                                      "-1",
                                                      "+",
                                                      "1e400",
                                                      "nan",
                                                      "inf",
                                                      ".",
                                                      "e",
                                                      "qid:1",
                                                      "5:5",
                                                      "0:1",
                                                      "\xef\xbb\xbf",
                                                      "\xff",
                                                      "|",
                                                      "99999999999999999999"};

// Cuts, doubles, swaps and inserts at random places; the same for the same seed.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string mutate(std::string text) {
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  void change(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(8);
    switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces.at(below(kPieces.size())));
        break;
      case 2:
        text.insert(below(text.size() + 1), text.substr(at, 5 * length));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      default:
        text.resize(std::max<std::size_t>(at, 1));
    }
  }

  std::mt19937_64 random_;
};

// What holds of every table, however odd its source.
void expect_sound(const Table& table) {
  ASSERT_EQ(table.row_start.size(), table.label.size() + 1);
  ASSERT_EQ(table.row_start.front(), 0);
  ASSERT_EQ(table.row_start.back(), static_cast<std::int64_t>(table.index.size()));
  ASSERT_EQ(table.index.size(), table.value.size());
  for (std::size_t row = 0; row < table.label.size(); ++row) {
    const auto first = static_cast<std::size_t>(table.row_start[row]);
    const auto last = static_cast<std::size_t>(table.row_start[row + 1]);
    for (std::size_t i = first; i < last; ++i) {
      ASSERT_TRUE(std::isfinite(table.value[i]) && table.value[i] != 0);
      if (i > first) {
        ASSERT_LT(table.index[i - 1], table.index[i]);
      }
    }
  }
}

// Runs `read` on each mutant and counts those it took; anything but a DataError fails the test.
template <typename Read>
int count_accepted(const std::string& seed_text, std::uint64_t seed, Read read) {
  Mutator mutator(seed);
  int accepted = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string mutant = mutator.mutate(seed_text);
    try {
      read(std::vector<SourceText>{{"mutant", mutant}});
      ++accepted;
    } catch (const DataError& error) {
      EXPECT_FALSE(std::string_view(error.what()).empty());
    }
  }
  return accepted;
}

TEST(Mutants, OfLibsvmParseOrThrowDataError) {
  const std::string text =
      "# clicks\n+1 1:0.5 3:1.25e-3 7:-2 \n-1 qid:4 2:1 3:1\n\n+1 10:5 # end\n-1 1:1\r\n1 4:4";
  const int accepted = count_accepted(text, 1, [](const std::vector<SourceText>& files) {
    detect_format(files.front());
    SourceSet set(files);
    const LibsvmRows rows = read_libsvm(set, {});
    expect_sound(rows.table);
    if (rows.table.rows() == 0) return;
    const auto classes = choose_classes(rows.labels, std::nullopt, {"mutant"});
    match_classes(rows.labels, classes);
  });
  EXPECT_GT(accepted, kMutants / 10);
  EXPECT_LT(accepted, kMutants);
}

TEST(Mutants, OfCsvParseOrThrowDataError) {
  const std::string text =
      "label,color,size,\"note, free\"\n1,red,1.5,\"say \"\"hi\"\"\"\n0, blue ,2,x\r\n"
      "\n1,red,-3e2,\"two\nlines\"\n0,green,+4,\n";
  SourceSet original({{"original", text}});
  Schema known;
  read_csv_training(original, {}, known);
  const int accepted = count_accepted(text, 2, [&](const std::vector<SourceText>& files) {
    if (files.front().blank()) return;  // read_dataset leaves such files out
    detect_format(files.front());
    Schema schema;
    SourceSet set(files);
    const CsvRows rows = read_csv_training(set, {}, schema);
    expect_sound(rows.table);
    expect_sound(read_csv_by_schema(set, schema).table);
    expect_sound(read_csv_by_schema(set, known).table);
  });
  EXPECT_GT(accepted, kMutants / 10);
  EXPECT_LT(accepted, kMutants);
}

TEST(Mutants, OfSpaceDividedTextParseOrThrowDataError) {
  const int accepted =
      count_accepted("1 2.5  3\n0 \"4\" 5 \n1\t6 7\n", 3, [](const std::vector<SourceText>& files) {
        if (files.front().blank()) return;
        Schema schema;
        SourceSet set(files);
        expect_sound(read_csv_training(set, {}, schema).table);
      });
  EXPECT_GT(accepted, kMutants / 10);
  EXPECT_LT(accepted, kMutants);
}

// However odd a text is, three processes read together what one reads alone.
void expect_same_in_processes(const std::string& name, const std::string& seed_text,
                              std::uint64_t seed) {
  constexpr int kSharedMutants = 300;
  const LogCapture log;
  Mutator mutator(seed);
  int accepted = 0;
  for (int i = 0; i < kSharedMutants; ++i) {
    const std::string mutant = mutator.mutate(seed_text);
    Files files;
    files.train(name, mutant);
    SCOPED_TRACE(mutant);
    Dataset alone;
    const bool fine = data_error([&] { alone = files.read(); }) == "no error";
    std::int64_t rows = 0;
    for (const Reading& reading : read_in_processes(files.config, {}, 3)) {
      ASSERT_EQ(reading.dataset.has_value(), fine) << reading.error;
      if (!fine) continue;
      ASSERT_EQ(reading.dataset->train.all_rows(), alone.train.rows());
      ASSERT_EQ(reading.dataset->schema.feature_names, alone.schema.feature_names);
      ASSERT_EQ(reading.dataset->schema.classes, alone.schema.classes);
      rows += reading.dataset->train.rows();
    }
    if (!fine) continue;
    ++accepted;
    ASSERT_EQ(rows, alone.train.rows());
  }
  EXPECT_GT(accepted, kSharedMutants / 20);
}

TEST(Mutants, AreSharedByProcesses) {
  expect_same_in_processes(
      "a.svm", "# clicks\n+1 1:0.5 3:1.25e-3 7:-2 \n-1 qid:4 2:1 3:1\n\n+1 10:5 # end\n-1 1:1\r\n",
      5);
  expect_same_in_processes(
      "a.csv", "y,color,note\n1,red,\"say \"\"hi\"\"\"\n0, blue ,x\"y\r\n\n1,red,\"two\nlines\"\n",
      6);
}

TEST(Mutants, HaveTheSameRecordsWhetherSkippedOrRead) {
  const std::string text =
      "a,b\n\"say \"\"hi\"\"\",c\r\n \t\n\n5\" x,\"two\nlines\" \n  d , \"\"\ne,f\r";
  for (const char delimiter : {',', ' '}) {
    count_accepted(text, 7, [&](const std::vector<SourceText>& files) {
      std::vector<const char*> starts;
      std::vector<CsvCell> cells;
      CsvTokenizer reader(files.front(), delimiter);
      do starts.push_back(reader.at_next());
      while (reader.next(cells));
      for (const std::size_t every : {1, 2, 3}) {  // of so many records, one is skipped
        CsvTokenizer mixed(files.front(), delimiter);
        for (std::size_t i = 0; i < starts.size(); ++i) {
          ASSERT_EQ(mixed.at_next(), starts[i]);
          ASSERT_EQ(i % every == 0 ? mixed.skip() : mixed.next(cells), i + 1 < starts.size());
        }
      }
    });
  }
}

TEST(Mutants, OfCompressedDataUnpackOrThrowDataError) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += std::to_string(i * i) + ",x\n";
  for (const std::string& packed : {gzipped(text), zstd_packed(text)}) {
    const Compression compression = compression_of(packed);
    count_accepted(packed, 4, [&](const std::vector<SourceText>& files) {
      decompress(files.front().text, compression, "mutant");
    });
  }
}

}  // namespace
}  // namespace ossau::test
