#include "data/share.hpp"

#include <fmt/format.h>

#include "arith/permutation.hpp"
#include "data/rows.hpp"
#include "processes.hpp"
#include "support/log_capture.hpp"
#include "text_testing.hpp"

// Several processes that read the same files together hold what one process holds.

namespace ossau::test {
namespace {

void expect_equal(const Schema& a, const Schema& b) {
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.zero_based, b.zero_based);
  EXPECT_EQ(a.delimiter, b.delimiter);
  EXPECT_EQ(a.header, b.header);
  EXPECT_EQ(a.label_column, b.label_column);
  EXPECT_EQ(a.weight_column, b.weight_column);
  EXPECT_EQ(a.feature_names, b.feature_names);
  EXPECT_EQ(a.classes, b.classes);
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (std::size_t j = 0; j < a.columns.size(); ++j) {
    EXPECT_EQ(a.columns[j].name, b.columns[j].name);
    EXPECT_EQ(a.columns[j].categorical, b.columns[j].categorical);
    EXPECT_EQ(a.columns[j].categories, b.columns[j].categories);
  }
}

// A row in full: label, weight, then pairs of feature and value.
std::vector<double> row_of(const Table& table, std::int64_t row) {
  const auto i = static_cast<std::size_t>(row);
  std::vector<double> all = {static_cast<double>(table.label.at(i)),
                             table.weight.empty() ? 1.0 : table.weight.at(i)};
  for (auto k = static_cast<std::size_t>(table.row_start.at(i));
       k < static_cast<std::size_t>(table.row_start.at(i + 1)); ++k) {
    all.push_back(table.index[k]);
    all.push_back(table.value[k]);
  }
  return all;
}

// Compares the rows that a process tiles; returns how many there are.
std::int64_t expect_equal_places(const Rows& whole, const Rows& part, RankInfo process) {
  EXPECT_EQ(part.count(), whole.count());
  const Shards shards(whole.count(), 64);
  const Range places = shards.rows_of_tiles(shards.tiles_of_rank(process));
  for (std::int64_t place = places.begin; place < places.end; ++place) {
    const std::int64_t row = part.row_at(place);
    if (row < 0 || row >= part.table().rows()) {
      ADD_FAILURE() << "place " << place << " is row " << row;
      return 0;
    }
    EXPECT_EQ(row_of(part.table(), row), row_of(whole.table(), whole.row_at(place)));
  }
  return places.size();
}

std::int64_t expect_equal_rows(const Table& whole, const Table& part, const RowPlan& plan,
                               RankInfo process) {
  EXPECT_EQ(part.all_rows(), whole.rows());
  const std::int64_t held_out = plan.held_out(whole.rows());
  const std::int64_t n_train = whole.rows() - held_out;
  return expect_equal_places(Rows(whole, plan, 0, n_train), Rows(part, plan, 0, n_train), process) +
         expect_equal_places(Rows(whole, plan, n_train, held_out),
                             Rows(part, plan, n_train, held_out), process);
}

void expect_same_in_processes(const DataConfig& config,
                              const std::optional<std::string>& positive = {}) {
  const Dataset whole = read_dataset(config, positive);
  for (const std::int64_t processes : kProcesses) {
    SCOPED_TRACE(fmt::format("{} processes", processes));
    const std::vector<Reading> readings = read_in_processes(config, positive, processes);
    std::int64_t kept = 0;
    for (std::int64_t rank = 0; rank < processes; ++rank) {
      const Reading& reading = readings[static_cast<std::size_t>(rank)];
      ASSERT_TRUE(reading.dataset) << "rank " << rank << ": " << reading.error;
      const RankInfo process{rank, processes};
      expect_equal(reading.dataset->schema, whole.schema);
      const Table& train = reading.dataset->train;
      const std::int64_t rows =
          expect_equal_rows(whole.train, train, training_plan(config), process);
      EXPECT_EQ(train.rows(), rows) << "rank " << rank << " keeps rows of others";
      kept += rows;
      ASSERT_EQ(reading.dataset->validation.has_value(), whole.validation.has_value());
      if (!whole.validation) continue;
      const Table& validation = *reading.dataset->validation;
      EXPECT_EQ(validation.rows(),
                expect_equal_rows(*whole.validation, validation, RowPlan{}, process));
    }
    EXPECT_EQ(kept, whole.train.rows());
  }
}

std::uint64_t dice(int i, int which, std::uint64_t sides) {
  return make_key(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(which), 7) % sides;
}

// Categories that few rows have, doubled quotes, line ends within cells, blank lines, CR LF.
std::string csv_rows(int first, int last) {
  std::string text = "size,note,\"clicked\",color,w\n";
  for (int i = first; i < last; ++i) {
    const std::uint64_t color = dice(i, 1, 40);
    text += fmt::format("{}.{},\"a {}note\n{}\",{},{},{}", i % 17, dice(i, 0, 1000),
                        i % 11 == 0 ? R"(""quoted"" )" : "", dice(i, 4, 3),
                        dice(i, 2, 3) == 0 ? "yes" : "no",
                        color > 30 ? "" : fmt::format("c{}", color), dice(i, 3, 5));
    text += i % 13 == 0 ? "\r\n\n" : "\n";
  }
  return text;
}

DataConfig csv_options() {
  DataConfig config;
  config.csv.label = "clicked";
  config.weight = "w";
  return config;
}

std::string libsvm_rows(int first, int last) {
  std::string text = "# made for a test\n";
  for (int i = first; i < last; ++i) {
    text += dice(i, 0, 3) == 0 ? "  +1" : "-1";
    for (std::uint64_t k = 0; k < dice(i, 1, 6); ++k) {
      text += fmt::format(" {}:{}.5", 1 + 100 * k + dice(i, 2, 100), i % 9);
    }
    text += i % 7 == 0 ? " # a comment 1:2\r\n \t\n#\n" : "\n";
  }
  return text;
}

TEST(SharedReading, OfCsvIsThatOfOneProcess) {
  Files files;
  files.config = csv_options();
  files.train("a.csv", csv_rows(0, 900));
  expect_same_in_processes(files.config);
  files.config.shuffle = false;
  expect_same_in_processes(files.config, "no");
  files.config.validation_fraction = 0.3;
  expect_same_in_processes(files.config);
  files.config.shuffle = true;
  expect_same_in_processes(files.config);
}

TEST(SharedReading, OfSeveralFilesIsThatOfOneProcess) {
  Files files;
  files.config = csv_options();
  files.train("a.csv", csv_rows(0, 300))
      .train("empty.csv", " \n")
      .train("b.csv.gz", gzipped(csv_rows(300, 310)))
      .train("header.csv", csv_rows(0, 0))
      .train("c.csv.zst", zstd_packed(csv_rows(310, 800)));
  files.config.validation_fraction = 0.1;
  expect_same_in_processes(files.config);
}

TEST(SharedReading, OfCsvWithoutHeaderIsThatOfOneProcess) {
  Files files;
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text += fmt::format("{} {}  \"{} x\"\n", dice(i, 0, 2), i % 7, dice(i, 1, 4));
  }
  files.train("a.txt", text);
  expect_same_in_processes(files.config);
}

TEST(SharedReading, OfLibsvmIsThatOfOneProcess) {
  Files files;
  files.train("a.svm", libsvm_rows(0, 700)).train("b.svm.gz", gzipped(libsvm_rows(700, 1100)));
  expect_same_in_processes(files.config);
  files.config.shuffle = false;
  files.config.validation_fraction = 0.2;
  expect_same_in_processes(files.config, "-1");
}

TEST(SharedReading, WorksWhereMostProcessesHaveNoRows) {
  Files csv;
  csv.train("a.csv", "y,x\n1,2\n0,3\n1,4\n");
  expect_same_in_processes(csv.config);
  csv.config.validation_fraction = 0.4;
  expect_same_in_processes(csv.config);
  Files libsvm;
  libsvm.train("a.svm", "1\n0 3:1\n1\n");
  expect_same_in_processes(libsvm.config);
}

TEST(SharedReading, CountsNumbersOfAllProcessesForAColumnsKind) {
  Files files;
  std::string text = "y,x,z\n";
  // x is text in the first tenth only, so a category; z is text in less: a number, and a mistake.
  for (int i = 0; i < 1000; ++i) {
    text += fmt::format("{},{},1\n", i % 2, i < 105 ? fmt::format("t{}", i) : "5");
  }
  files.train("a.csv", text);
  expect_same_in_processes(files.config);
  EXPECT_EQ(files.read().schema.columns[0].categorical, true);
  EXPECT_EQ(files.read().schema.columns[1].categorical, false);
}

TEST(SharedReading, OfValidationFilesWarnsOnceAndOfTheFirst) {
  Files csv;
  csv.train("a.csv", "y,color,n\n1,red,1\n0,blue,1\n");
  std::string text = "y,n,color,more\n";
  for (int i = 0; i < 400; ++i)
    text += fmt::format("{},{},{},0\n", i % 2, i, i % 50 == 49 ? "x" : "red");
  csv.validation("v.csv", text);
  Files libsvm;
  libsvm.train("a.svm", "1 2:1\n0 qid:5 1:1\n");
  std::string rows;
  for (int i = 0; i < 400; ++i) rows += i < 200 ? "0 1:1\n" : "1 qid:3 9:1 2:1\n";
  libsvm.validation("v.svm", rows);
  for (const Files* files : {&csv, &libsvm}) {
    const LogCapture log;
    files->read();
    const std::vector<std::string> alone = log.warnings();
    ASSERT_EQ(alone.size(), 2u);
    expect_same_in_processes(files->config);
    // Once more alone, then by process 0 of each number of processes.
    const std::vector<std::string> all = log.warnings();
    EXPECT_EQ(all.size(), 2 * (2 + std::size(kProcesses)));
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], alone[i % 2]);
  }
}

}  // namespace
}  // namespace ossau::test
