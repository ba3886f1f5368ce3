#include "data/text/labels.hpp"

#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;

// A file with one label a line, and the labels read from it.
struct Labelled {
  explicit Labelled(const std::string& name, const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) text += cell + "\n";
    files.push_back({name, text});
    std::size_t at = 0;
    for (const std::string& cell : cells) {
      ids.push_back(seen.add(cell, files[0], files[0].text.data() + at));
      at += cell.size() + 1;
    }
  }
  std::string text;
  std::vector<SourceText> files;
  LabelSet seen;
  std::vector<int> ids;
};

std::array<std::string, 2> classes_of(const std::vector<std::string>& cells,
                                      const std::optional<std::string>& positive = {}) {
  const Labelled rows("a", cells);
  return choose_classes(rows.seen, positive, {rows.files[0].name});
}

std::array<std::uint8_t, 2> matched(const std::vector<std::string>& cells,
                                    const std::array<std::string, 2>& classes) {
  return match_classes(Labelled("b", cells).seen, classes);
}

TEST(Labels, OneNumberHasOneSpelling) {
  EXPECT_EQ(canonical_label("+1"), "1");
  EXPECT_EQ(canonical_label("1.0"), "1");
  EXPECT_EQ(canonical_label("-0"), "0");
  EXPECT_EQ(canonical_label("0.50"), "0.5");
  EXPECT_EQ(canonical_label(">50K"), ">50K");
  EXPECT_THAT(Labelled("a", {"+1", "-1", "1", "1.0", "-1e0"}).ids, ElementsAre(0, 1, 0, 0, 1));
}

TEST(Labels, TheLargerNumberOrLaterStringIsPositive) {
  EXPECT_THAT(classes_of({"1", "-1"}), ElementsAre("-1", "1"));
  EXPECT_THAT(classes_of({"10", "9"}), ElementsAre("9", "10"));
  EXPECT_THAT(classes_of({"yes", "no"}), ElementsAre("no", "yes"));
  EXPECT_THAT(classes_of({"\xc3\xa9", "z"}), ElementsAre("z", "\xc3\xa9"));  // by bytes
  EXPECT_THAT(classes_of({"a", "1"}), ElementsAre("1", "a"));
}

TEST(Labels, ThePositiveOneMayBeNamed) {
  EXPECT_THAT(classes_of({"1", "-1"}, "-1.0"), ElementsAre("1", "-1"));
  EXPECT_THAT(classes_of({"1", "-1"}, "+1"), ElementsAre("-1", "1"));
  EXPECT_EQ(data_error([] {
              classes_of({"no", "yes"}, "maybe");
            }),
            "a: model.positive: no row has the label \"maybe\" (name \"no\" or \"yes\")");
}

TEST(Labels, OneClassOrThreeAreErrors) {
  EXPECT_EQ(data_error([] {
              classes_of({"1", "+1"});
            }),
            "a: only one class, every row has the label \"1\" (give two)");
  EXPECT_EQ(data_error([] {
              classes_of({"0", "1", "0", "2"});
            }),
            "a:4:1: label \"2\" is a third one after \"0\" and \"1\" (give two classes)");
}

TEST(Labels, EmptyAndNonFiniteOnesAreErrors) {
  EXPECT_EQ(data_error([] {
              classes_of({"0", ""});
            }),
            "a:2:1: the label is empty (fill it in, or remove the row)");
  EXPECT_EQ(data_error([] { classes_of({"nan"}); }),
            "a:1:1: label \"nan\" is not finite (fill in a number, or remove the row)");
  EXPECT_EQ(data_error([] { classes_of({"1e999"}); }),
            "a:1:1: label \"1e999\" is too large (a number is at most 1.8e308)");
}

TEST(Labels, OfOtherRowsAreMatchedByEqualityFirst) {
  EXPECT_THAT(matched({"+1", "-1"}, {"-1", "1"}), ElementsAre(1, 0));
  EXPECT_THAT(matched({"yes"}, {"no", "yes"}), ElementsAre(1, 0));
}

TEST(Labels, TwoNumbersAreMatchedLowToLow) {
  EXPECT_THAT(matched({"0", "1"}, {"-1", "1"}), ElementsAre(0, 1));
  EXPECT_THAT(matched({"1", "0"}, {"-1", "1"}), ElementsAre(1, 0));
  EXPECT_THAT(matched({"0", "1"}, {"1", "-1"}), ElementsAre(1, 0));  // -1 is positive in training
}

TEST(Labels, ThatMatchNeitherWayAreErrors) {
  EXPECT_EQ(data_error([] {
              matched({"0"}, {"-1", "1"});
            }),
            "b:1:1: no training row has the label \"0\" (theirs are \"-1\" and \"1\")");
  EXPECT_EQ(data_error([] {
              matched({"<=50K", ">50K."}, {"<=50K", ">50K"});
            }),
            "b:2:1: no training row has the label \">50K.\" (theirs are \"<=50K\" and \">50K\")");
  EXPECT_NE(data_error([] { matched({"0", "1"}, {"no", "yes"}); }), "no error");
}

}  // namespace
}  // namespace ossau::test
