// The Gram matrix of arith/gram.hpp, for any kind of lane; included like tile_kernels.hpp.
//
// A panel holds a column's entries row after row, 16 bits each.  Lanes are rows: both columns of a
// product are loaded alike, nothing is transposed, and the order of rows in a panel is free, as
// long as all columns have the same one.  Beyond tile_kernels.hpp `Ops` has a register of entries
// and sums of their products.

// Columns whose products are in registers at once: 3 x 3 sums leave 7 of 16 registers.
constexpr std::size_t kGramGroup = 3;
static_assert(kGramBlockColumns % kGramGroup == 0);

template <class Ops>
struct GramTileKernels {
  static constexpr std::size_t kEntries = 2 * Ops::kLanes;
  static_assert(kGramTiles <= Ops::kMostGramTiles);

  template <class Loss>
  static void roots(const float* signed_weight, const float* at, std::size_t count, float* roots) {
    for (std::size_t i = 0; i < count; i += Ops::kLanes) {
      const RowTarget<Ops> target = {Ops::load(signed_weight + i)};
      const auto kept = Ops::load(at + i);
      const auto score = Ops::select(Ops::is_finite(kept), kept, Ops::set(0.0f));
      const auto curved = Ops::multiply(Loss::curvature(score, target), target.weight());
      Ops::store(Ops::sqrt(curved), roots + i);
    }
  }

  static void pack(const DenseTiles& tiles, std::size_t features, const GramRows& rows,
                   GramColumns columns, std::int16_t* panel) {
    for (std::size_t t = 0; t < rows.tiles; ++t) {
      // Scaled before x comes: gram_entry() scales after it, which is another number only where a
      // product is so small that it rounds to 0.
      alignas(kAlignment) float scaled[kTileRows];
      for (std::size_t i = 0; i < kTileRows; i += Ops::kLanes) {
        Ops::store(Ops::multiply(Ops::load(rows.roots + t * kTileRows + i),
                                 Ops::set(static_cast<float>(1 << kGramBits))),
                   scaled + i);
      }
      const float* x = tiles.values.data() + (rows.first + t) * features * kTileRows;
      std::int16_t* to = panel + t * kTileRows;
      for (std::size_t j = columns.begin; j < std::min(columns.end, features); ++j) {
        pack_column(x + j * kTileRows, scaled, to + j * kGramRows);
      }
      if (columns.end > features) pack_intercept(scaled, to + features * kGramRows);
    }
  }

  static void add(const std::int16_t* panel, std::size_t tiles, std::size_t columns,
                  GramBlock block, std::int64_t* gram) {
    const Products products{panel, tiles * kTileRows, {columns - 1}, gram};
    const GramColumns i_range = gram_block_columns(block.i, columns);
    const GramColumns j_range = gram_block_columns(block.j, columns);
    for (std::size_t i = i_range.begin; i < i_range.end; i += kGramGroup) {
      for (std::size_t j = std::max(i, j_range.begin); j < j_range.end; j += kGramGroup) {
        products.add(i, j);
      }
    }
  }

  static GramKernels table(LossKind loss) {
    // In parentheses: every instruction set has a list of this name, and all know LossKind.
    return (with_loss<Ops>)(loss, [](auto of_rows) {
      return GramKernels{.roots = roots<decltype(of_rows)>, .pack = pack, .add = add};
    });
  }

 private:
  static OSSAU_INLINE void pack_column(const float* x, const float* scaled, std::int16_t* to) {
    for (std::size_t i = 0; i < kTileRows; i += kEntries) {
      const auto entries = [&](std::size_t row) OSSAU_INLINE_LAMBDA {
        return Ops::multiply(Ops::load(scaled + row), Ops::load(x + row));
      };
      Ops::store_rounded(entries(i), entries(i + Ops::kLanes), to + i);
    }
  }
  static void pack_intercept(const float* scaled, std::int16_t* to) {
    for (std::size_t i = 0; i < kTileRows; i += kEntries) {
      Ops::store_rounded(Ops::load(scaled + i), Ops::load(scaled + i + Ops::kLanes), to + i);
    }
  }

  // The products of groups of columns, over all rows of a panel.
  struct Products {
    using Sum = typename Ops::ProductSum;

    const std::int16_t* panel;
    std::size_t rows;
    GramLayout layout;
    std::int64_t* gram;

    // Each sum has a name: in an array gcc leaves them in memory.
    void add(std::size_t i, std::size_t j) const {
      const std::int16_t* left = panel + i * kGramRows;
      const std::int16_t* right = panel + j * kGramRows;
      Sum s00, s01, s02, s10, s11, s12, s20, s21, s22;
      for (std::size_t row = 0; row < rows; row += kEntries) {
        const auto b0 = Ops::load_entries(right + row);
        const auto b1 = Ops::load_entries(right + row + kGramRows);
        const auto b2 = Ops::load_entries(right + row + 2 * kGramRows);
        const auto a0 = Ops::load_entries(left + row);
        s00.add(a0, b0);
        s01.add(a0, b1);
        s02.add(a0, b2);
        const auto a1 = Ops::load_entries(left + row + kGramRows);
        s10.add(a1, b0);
        s11.add(a1, b1);
        s12.add(a1, b2);
        const auto a2 = Ops::load_entries(left + row + 2 * kGramRows);
        s20.add(a2, b0);
        s21.add(a2, b1);
        s22.add(a2, b2);
      }
      flush_row(i, j, s00, s01, s02);
      flush_row(i + 1, j, s10, s11, s12);
      flush_row(i + 2, j, s20, s21, s22);
    }

   private:
    // Below the diagonal and past the last column there is nothing to keep.
    OSSAU_INLINE void flush(std::size_t i, std::size_t j, std::int64_t total) const {
      if (i <= j && j < layout.columns()) gram[layout.row(i) + j - i] += total;
    }
    OSSAU_INLINE void flush_row(std::size_t i, std::size_t j, const Sum& s0, const Sum& s1,
                                const Sum& s2) const {
      flush(i, j, s0.total());
      flush(i, j + 1, s1.total());
      flush(i, j + 2, s2.total());
    }
  };
};
