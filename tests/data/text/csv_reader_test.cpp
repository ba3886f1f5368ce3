#include "data/text/csv_reader.hpp"

#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Csv {
  Schema schema;
  CsvRows rows;
};

Csv read_files(const std::vector<std::string>& texts, const DataConfig& config = {}) {
  std::vector<SourceText> files;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    files.push_back({"abcdef"[i] + std::string(".csv"), texts[i]});
  }
  Csv csv;
  SourceSet set(std::move(files));
  csv.rows = read_csv_training(set, config, csv.schema);
  return csv;
}

Csv read(const std::string& text, const DataConfig& config = {}) {
  return read_files({text}, config);
}

std::string error(const std::string& text, const DataConfig& config = {}) {
  return data_error([&] { read(text, config); });
}

std::vector<double> row(const Csv& csv, std::size_t i) {
  return dense_row(csv.rows.table, i, csv.schema.feature_names.size());
}

DataConfig with_label(const std::string& label) {
  DataConfig config;
  config.csv.label = label;
  return config;
}

DataConfig with_weight(const std::string& weight) {
  DataConfig config;
  config.weight = weight;
  return config;
}

TEST(CsvReader, ReadsNumbersUnderAHeader) {
  const Csv csv = read("label,age,pay\n1,20,1.5\n0,30,0\n");
  EXPECT_TRUE(csv.schema.header);
  EXPECT_EQ(csv.schema.format, Format::kCsv);
  EXPECT_EQ(csv.schema.label_column, "label");
  EXPECT_THAT(csv.schema.feature_names, ElementsAre("age", "pay"));
  EXPECT_THAT(csv.rows.table.label, ElementsAre(0, 1));
  EXPECT_THAT(csv.rows.table.row_start, ElementsAre(0, 2, 3));  // zeros are not stored
  EXPECT_THAT(row(csv, 0), ElementsAre(20, 1.5));
  EXPECT_THAT(row(csv, 1), ElementsAre(30, 0));
}

TEST(CsvReader, NamesColumnsByPositionWithoutHeader) {
  const Csv csv = read("1,20,x\n0,30,y\n");
  EXPECT_FALSE(csv.schema.header);
  EXPECT_EQ(csv.schema.label_column, "c1");
  EXPECT_THAT(csv.schema.feature_names, ElementsAre("c2", "c3=x", "c3=y"));
}

TEST(CsvReader, FindsTheDelimiter) {
  EXPECT_EQ(read("1\t2,5\t3\n0\t1\t3\n").schema.delimiter, '\t');
  EXPECT_EQ(read("1;2;3\n0;1;3\n").schema.delimiter, ';');
  EXPECT_EQ(read("1|2|3\n0|1|3\n").schema.delimiter, '|');
  EXPECT_EQ(read("\"a;b;c\",y\nd,1\n").schema.delimiter, ',');
  EXPECT_EQ(read("\n \n1 2 3\n0 1 3\n").schema.delimiter, ' ');
  DataConfig config;
  config.csv.delimiter = ';';
  EXPECT_THAT(read("y;a,b\n1;2\n", config).schema.feature_names, ElementsAre("a,b"));
  config.csv.delimiter = '"';
  EXPECT_THROW(read("1,2\n", config), ConfigError);
}

TEST(CsvReader, FollowsTheHeaderOption) {
  DataConfig config;
  config.csv.header = AutoBool::kFalse;
  EXPECT_EQ(read("p,x\ne,y\n", config).rows.table.rows(), 2);
  config.csv.header = AutoBool::kTrue;
  EXPECT_THAT(read("1,2\n1,5\n", config).schema.feature_names, ElementsAre("2"));
}

TEST(CsvReader, FindsTheLabelColumn) {
  EXPECT_EQ(read("a,Y,Class\n1,2,3\n").schema.label_column, "Class");
  EXPECT_EQ(read("a,TARGET,class\n1,2,3\n").schema.label_column, "TARGET");
  EXPECT_EQ(read("a,b\n1,2\n").schema.label_column, "a");
  EXPECT_EQ(read("a,b,c\n1,2,3\n", with_label("b")).schema.label_column, "b");
  EXPECT_EQ(read("a,b,c\n1,2,3\n", with_label("2")).schema.label_column, "b");
  EXPECT_EQ(read("a,b,c\n1,2,3\n", with_label("last")).schema.label_column, "c");
  EXPECT_EQ(read("a,b,label\n1,2,3\n", with_label("first")).schema.label_column, "a");
  EXPECT_EQ(read("1,2,3\n", with_label("last")).schema.label_column, "c3");
}

TEST(CsvReader, ExplainsALabelColumnThatIsNotThere) {
  EXPECT_EQ(error("age,churn\n1,2\n", with_label("chrun")),
            "a.csv: data.csv.label: there is no column \"chrun\" (did you mean \"churn\"? columns: "
            "\"age\", \"churn\")");
  EXPECT_EQ(error("age,churn\n1,2\n", with_label("3")),
            "a.csv: data.csv.label: there is no column 3 (the columns are 1 to 2)");
  EXPECT_EQ(error("age,churn\n1,2\n", with_label("0")),
            "a.csv: data.csv.label: there is no column 0 (the columns are 1 to 2)");
}

TEST(CsvReader, EncodesCategoriesInBytewiseOrder) {
  const Csv csv = read("y,color,n\n1,red,5\n0,Blue,6\n0,red,7\n1,,8\n");
  EXPECT_THAT(csv.schema.feature_names, ElementsAre("color=", "color=Blue", "color=red", "n"));
  ASSERT_EQ(csv.schema.columns.size(), 2U);
  EXPECT_TRUE(csv.schema.columns[0].categorical);
  EXPECT_THAT(csv.schema.columns[0].categories, ElementsAre("", "Blue", "red"));
  EXPECT_FALSE(csv.schema.columns[1].categorical);
  EXPECT_THAT(csv.schema.columns[1].categories, IsEmpty());
  EXPECT_THAT(row(csv, 0), ElementsAre(0, 0, 1, 5));
  EXPECT_THAT(row(csv, 1), ElementsAre(0, 1, 0, 6));
  EXPECT_THAT(row(csv, 3), ElementsAre(1, 0, 0, 8));
  EXPECT_THAT(csv.rows.table.index, ElementsAre(2, 3, 1, 3, 2, 3, 0, 3));
}

std::string column_of(int numbers, int words) {
  std::string text = "y,x\n";
  for (int i = 0; i < numbers; ++i) text += "0,1\n";
  for (int i = 0; i < words; ++i) text += "1,?\n";
  return text;
}

TEST(CsvReader, TakesNinetyPercentNumbersAsANumber) {
  EXPECT_TRUE(read(column_of(89, 11)).schema.columns[0].categorical);
  EXPECT_EQ(error(column_of(90, 10)),
            "a.csv:92:3: x: \"?\" is not a number (write it like 12 or -3.5e-7)");
}

TEST(CsvReader, RefusesBadNumbersWithTheirPlace) {
  EXPECT_EQ(error("y,x\n1,5\n0, 1e999\n"),
            "a.csv:3:4: x: \"1e999\" is too large (a number is at most 1.8e308)");
  EXPECT_EQ(error("y,x\n1,nan\n0,nan\n"),
            "a.csv:2:3: x: \"nan\" is not finite (fill in a number, or remove the row)");
  EXPECT_EQ(error("y,x,z\n1,5,1\n0,,1\n"),
            "a.csv:3:3: x: the cell is empty in a column of numbers (fill it in, or remove the "
            "row)");
}

TEST(CsvReader, RefusesRaggedRows) {
  EXPECT_EQ(error("y,x\n1,5\n\"a\nb\",2\n0,1,7\n"),
            "a.csv:5: found 3 cells, expected 2 as in the first line (quote cells that hold "
            "delimiters)");
  EXPECT_NE(error("1,5\n0\n"), "no error");
}

TEST(CsvReader, RefusesAColumnNameTwice) {
  EXPECT_EQ(error("y,x,x\n1,2,3\n"),
            "a.csv:1:5: column \"x\" stands twice in the header (rename one; without a header, set "
            "data.csv.header: false)");
}

TEST(CsvReader, NamesANamelessColumnByPosition) {
  EXPECT_THAT(read(",y,x\n1,0,5\n").schema.feature_names, ElementsAre("c1", "x"));
}

TEST(CsvReader, RefusesDataWithoutFeatures) {
  EXPECT_EQ(error("y\n1\n0\n"), "a.csv: no features, only \"y\" (check data.csv.delimiter)");
  EXPECT_NE(error("y,w\n1,2\n", with_weight("w")), "no error");
}

TEST(CsvReader, ReadsWeights) {
  const Csv csv = read("y,w,x\n1,0.5,7\n0,0,8\n", with_weight("w"));
  EXPECT_EQ(csv.schema.weight_column, "w");
  EXPECT_THAT(csv.schema.feature_names, ElementsAre("x"));
  EXPECT_THAT(csv.rows.table.weight, ElementsAre(0.5, 0.0));
  EXPECT_THAT(read("1,2,3\n", with_weight("c3")).rows.table.weight, ElementsAre(3.0));
}

TEST(CsvReader, RefusesBadWeights) {
  EXPECT_EQ(error("y,w,x\n1,-1,7\n", with_weight("w")),
            "a.csv:2:3: w: weight \"-1\" is negative (0 leaves the row out)");
  EXPECT_EQ(error("y,w,x\n1,nan,7\n", with_weight("w")),
            "a.csv:2:3: w: \"nan\" is not finite (fill in a number, or remove the row)");
  EXPECT_EQ(error("y,w,x\n1,big,7\n", with_weight("w")),
            "a.csv:2:3: w: \"big\" is not a number (write it like 12 or -3.5e-7)");
  EXPECT_EQ(error("y,w,x\n1,0,7\n0,0,8\n", with_weight("w")),
            "a.csv: every weight in column \"w\" is 0 (weigh one row at least)");
  EXPECT_EQ(error("y,w,x\n1,0,7\n", with_weight("wt")),
            "a.csv: data.weight: there is no column \"wt\" (did you mean \"w\"? columns: \"y\", "
            "\"w\", \"x\")");
  EXPECT_THROW(read("y,w,x\n1,0,7\n", with_weight("y")), ConfigError);
}

TEST(CsvReader, JoinsTrainingFiles) {
  const Csv csv = read_files({"y,x\n1,red\n", "y,x\n0,blue\n", "y,x\n"});
  EXPECT_THAT(csv.schema.feature_names, ElementsAre("x=blue", "x=red"));
  EXPECT_EQ(csv.rows.table.rows(), 2);
  EXPECT_EQ(read_files({"1,2\n", "0,3\n"}).rows.table.rows(), 2);
}

TEST(CsvReader, RefusesTrainingFilesThatDisagree) {
  EXPECT_EQ(data_error([] {
              read_files({"y,x\n1,2\n", "y,z\n1,2\n"});
            }),
            "b.csv: column 2 is \"z\", but \"x\" in the first training file (give every file the "
            "same header)");
  EXPECT_EQ(data_error([] {
              read_files({"1,2\n", "1,2,3\n"});
            }),
            "b.csv: found 3 columns, expected 2 as in the first training file");
  EXPECT_NE(data_error([] { read_files({"y,x\n1,2\n", "1,2\n"}); }), "no error");
}

// Rows of other text, read by the schema of `training`.
CsvRows read_again(const Csv& training, const std::string& text) {
  SourceSet files({{"v.csv", text}});
  return read_csv_by_schema(files, training.schema);
}

TEST(CsvReader, FindsTheColumnsOfOtherRowsByName) {
  const Csv csv = read("y,a,color\n1,2,red\n0,3,blue\n");
  const CsvRows rows = read_again(csv, "color,extra,y,a\nred,9,1,5\n");
  EXPECT_THAT(dense_row(rows.table, 0, 3), ElementsAre(5, 0, 1));
  EXPECT_THAT(rows.extra_columns, ElementsAre("extra"));
  EXPECT_EQ(data_error([&] { read_again(csv, "y,A,color\n1,2,red\n"); }),
            "v.csv: there is no column \"a\" (did you mean \"A\"? columns: \"y\", \"A\", "
            "\"color\")");
}

TEST(CsvReader, FindsTheColumnsOfOtherRowsByPositionWithoutHeader) {
  const Csv csv = read("1,2,red\n0,3,blue\n");
  EXPECT_THAT(dense_row(read_again(csv, "1,7,blue\n").table, 0, 3), ElementsAre(7, 1, 0));
  EXPECT_EQ(data_error([&] { read_again(csv, "1,7\n"); }),
            "v.csv: found 2 cells in a row, expected 3 as in training");
}

TEST(CsvReader, CountsCategoriesThatTrainingDidNotSee) {
  const Csv csv = read("y,color,n\n1,red,1\n0,blue,1\n");
  const CsvRows rows = read_again(csv, "y,color,n\n1,red,2\n0,green,3\n1,,4\n");
  EXPECT_THAT(dense_row(rows.table, 1, 3), ElementsAre(0, 0, 3));
  EXPECT_EQ(rows.unseen.count, 2);
  EXPECT_EQ(rows.unseen.first.where, "v.csv:3:3");
  EXPECT_EQ(rows.unseen.example, "color=green");
}

}  // namespace
}  // namespace ossau::test
