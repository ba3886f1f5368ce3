#include "config/suggest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ossau {
namespace {

TEST(Nearest, FindsMissingWrongAndSwappedLetters) {
  EXPECT_EQ(nearest("lerning_rate", {"l1", "learning_rate"}), "learning_rate");
  EXPECT_EQ(nearest("epohcs", {"seed", "epochs"}), "epochs");
  EXPECT_EQ(nearest("trian", {"train", "trace"}), "train");
}

TEST(Nearest, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest("lr", {"l1", "l2"}), "");  // one letter of two is too much
  EXPECT_EQ(nearest("xyz", {"l1", "l2"}), "");
  EXPECT_EQ(nearest("", {"l1", "l2"}), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), {"l1"}), "");
}

}  // namespace
}  // namespace ossau
