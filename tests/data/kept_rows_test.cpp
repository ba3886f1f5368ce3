#include "data/kept_rows.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ossau {
namespace {

TEST(KeptRows, GiveEachRowToOneProcessAndNumberItThere) {
  for (const std::int64_t rows : {0, 1, 63, 64, 65, 128, 1000, 5000}) {
    for (const RowPlan& plan :
         {RowPlan{}, RowPlan{true, 7, 0}, RowPlan{true, 7, 0.3}, RowPlan{false, 0, 1}}) {
      for (const std::int64_t processes : {1, 2, 3, 64}) {
        std::vector<int> owners(static_cast<std::size_t>(rows), 0);
        for (std::int64_t rank = 0; rank < processes; ++rank) {
          const KeptRows kept(rows, plan, {{rank, processes}, 64});
          EXPECT_EQ(kept.rows(), rows);
          EXPECT_FALSE(kept.has(rows));
          std::int64_t next = 0;
          for (std::int64_t row = 0; row < rows; ++row) {
            if (!kept.has(row)) continue;
            ++owners[static_cast<std::size_t>(row)];
            ASSERT_EQ(kept.index_of(row), next++);
          }
          EXPECT_EQ(kept.count(), next);
        }
        EXPECT_EQ(owners, std::vector<int>(static_cast<std::size_t>(rows), 1));
      }
    }
  }
}

TEST(KeptRows, AreThoseOfTheOwnTilesOfBothParts) {
  // 300 rows: 240 to train on in 4 tiles, 60 held out in one, which the last process has.
  const RowPlan plan{.shuffle = true, .seed = 3, .held_out_fraction = 0.2};
  const RowOrder order = plan.order(300);
  const KeptRows first(300, plan, {{0, 2}, 64});
  const KeptRows second(300, plan, {{1, 2}, 64});
  EXPECT_EQ(first.count(), 128);
  EXPECT_EQ(second.count(), 112 + 60);
  for (std::int64_t place = 0; place < 300; ++place) {
    EXPECT_EQ(first.has(order.row_at(place)), place < 128) << place;
  }
}

}  // namespace
}  // namespace ossau
