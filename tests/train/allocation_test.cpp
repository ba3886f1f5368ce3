#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "train/training_samples.hpp"

// A step takes no memory from the system: whatever it needs was there before the first one.

namespace {

std::atomic<std::int64_t> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The others, of arrays and without exceptions, call these.
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace ossau::test {
namespace {

// Counts what is allocated between two epochs' reports: all steps of the later one, on all threads
// and ranks.
class AllocationObserver : public TrainingObserver {
 public:
  void on_start(const TrainingStart& /*start*/) override {
    counts.reserve(100);
    before_ = allocations;
  }
  void on_epoch(const EpochReport& /*report*/) override {
    counts.push_back(allocations - before_);
    before_ = allocations;
  }

  std::vector<std::int64_t> counts;

 private:
  std::int64_t before_ = 0;
};

void expect_no_allocations(Config config, const char* what) {
  config.training.epochs = 12;
  for (const std::int64_t ranks : {1, 2}) {
    for (const std::int64_t threads : {1, 3}) {
      config.run.ranks = ranks;
      config.run.threads = threads;
      AllocationObserver observer;
      run_training(config, observer);
      ASSERT_EQ(observer.counts.size(), 12u);
      // The first step warms up; at the end of the last epoch another rank may already evaluate.
      for (std::size_t epoch = 1; epoch + 1 < observer.counts.size(); ++epoch) {
        EXPECT_EQ(observer.counts[epoch], 0) << what << ", epoch " << epoch + 1 << ", " << ranks
                                             << " ranks, " << threads << " threads";
      }
    }
  }
}

TEST(Allocations, AreCounted) {
  const std::int64_t before = allocations;
  const std::vector<int> numbers(7);
  EXPECT_EQ(allocations - before, 1);
}

TEST(Steps, OnDenseMinibatchesAllocateNothing) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "dense.csv", {.rows = 3000, .columns = 12}));
  for (const std::int64_t rows : {1, 100, 900}) {
    config.training.batch_size = rows;
    expect_no_allocations(config, "dense");
  }
}

TEST(Steps, OnWideSparseRowsAllocateNothing) {
  const TemporaryDirectory directory;
  Config config = small_config(write_wide_libsvm(directory, "wide.svm", 4000, 50000));
  config.data.layout = Layout::kSparse;
  for (const double l2 : {1e-3, 3.0}) {
    config.model.l2 = l2;
    for (const std::int64_t rows : {50, 33 * 64 - 1}) {
      config.training.batch_size = rows;
      expect_no_allocations(config, "sparse");
    }
  }
}

}  // namespace
}  // namespace ossau::test
