#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "simt/test_kernels.hpp"

namespace simt::test {
namespace {

struct Sabotaged {
  explicit Sabotaged(Sabotage kind) { sabotage(kind); }
  Sabotaged(const Sabotaged&) = delete;
  Sabotaged& operator=(const Sabotaged&) = delete;
  ~Sabotaged() { sabotage(Sabotage::kNone); }
};

TEST(Interpreter, RunsCorrectKernelsWithEverySeed) {
  EXPECT_EQ(failures(sums_blocks), 0u);
  EXPECT_EQ(failures(counts_threads), 0u);
  EXPECT_EQ(failures(reverses_warps), 0u);
  EXPECT_EQ(failures(adds_up_a_ring), 0u);
}

TEST(Interpreter, BlocksWaitForThoseOfALowerTicket) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    unsigned ticket = 0;
    unsigned done = 0;
    unsigned long long value = 1;
    ossau::device::launch("chain", chain_kernel, {20, 32, 0}, nullptr, &ticket, &done, &value);
    unsigned long long expected = 1;
    for (unsigned i = 0; i < 20; ++i) expected = expected * 3 + i;
    EXPECT_EQ(value, expected);
  }
}

__global__ void shuffles_kernel(unsigned* out) {
  const unsigned lane = threadIdx.x;
  unsigned* row = out + lane * 8;
  row[0] = __shfl_sync(kWholeWarp, lane, 37);
  row[1] = __shfl_sync(kWholeWarp, lane, 3, 8);
  row[2] = __shfl_down_sync(kWholeWarp, lane, 5);
  row[3] = __shfl_up_sync(kWholeWarp, lane, 5);
  row[4] = __shfl_xor_sync(kWholeWarp, lane, 9);
  row[5] = __ballot_sync(kWholeWarp, lane % 3 == 0);
  row[6] = static_cast<unsigned>(__any_sync(kWholeWarp, lane == 7) * 2 +
                                 __all_sync(kWholeWarp, lane != 7));
  row[7] = __shfl_down_sync(kWholeWarp, lane, 3, 8);
}

TEST(Interpreter, WarpOperationsGiveWhatCudaSays) {
  std::vector<unsigned> out(32 * 8);
  ossau::device::launch("shuffles", shuffles_kernel, {1, 32, 0}, nullptr, out.data());
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned* row = &out[lane * 8];
    EXPECT_EQ(row[0], 5u);
    EXPECT_EQ(row[1], lane / 8 * 8 + 3);
    EXPECT_EQ(row[2], lane + 5 < 32 ? lane + 5 : lane);
    EXPECT_EQ(row[3], lane >= 5 ? lane - 5 : lane);
    EXPECT_EQ(row[4], lane ^ 9u);
    EXPECT_EQ(row[5], 0x49249249u);
    EXPECT_EQ(row[6], 2u);
    EXPECT_EQ(row[7], lane % 8 < 5 ? lane + 3 : lane);
  }
}

__global__ void halves_kernel(unsigned* out) {
  const unsigned mask = threadIdx.x < 16 ? 0x0000ffffu : 0xffff0000u;
  unsigned sum = threadIdx.x;
  // The halves take different numbers of steps: they do not wait for each other.
  for (int offset = threadIdx.x < 16 ? 8 : 4; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(mask, sum, offset);
  }
  out[threadIdx.x] = sum;
}

TEST(Interpreter, PartsOfAWarpDoNotWaitForEachOther) {
  std::vector<unsigned> out(32);
  ossau::device::launch("halves", halves_kernel, {1, 32, 0}, nullptr, out.data());
  EXPECT_EQ(out[0], 120u);
  EXPECT_EQ(out[16], 156u);
  EXPECT_EQ(out[24], 220u);
}

__global__ void teams_kernel(unsigned* out) {
  auto* numbers = reinterpret_cast<unsigned*>(ossau::device::shared_memory());
  const unsigned team = threadIdx.x / 64;
  for (unsigned turn = 0; turn < 3 + team; ++turn) {
    numbers[threadIdx.x] = threadIdx.x + turn;
    ossau::device::team_barrier(1 + team, 64);
    out[threadIdx.x] = numbers[threadIdx.x ^ 32u];
    ossau::device::team_barrier(1 + team, 64);
  }
}

bool teams_exchange() {
  std::vector<unsigned> out(128);
  ossau::device::launch("teams", teams_kernel, {1, 128, 128 * 4}, nullptr, out.data());
  for (unsigned i = 0; i < 128; ++i) {
    if (out[i] != (i ^ 32u) + 2 + i / 64) return false;
  }
  return true;
}

TEST(Interpreter, TeamsOfWarpsHaveBarriersOfTheirOwn) { EXPECT_EQ(failures(teams_exchange), 0u); }

TEST(Interpreter, BitIntrinsicsGiveWhatCudaSays) {
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__brevll(0x3ull), 0xc000000000000000ull);
  EXPECT_EQ(__ffs(0), 0);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__clz(0), 32);
  EXPECT_EQ(__clzll(1), 63);
  EXPECT_EQ(__popc(0xf0u), 4);
  EXPECT_EQ(__popcll(~0ull), 64);
}

__global__ void racy_kernel(unsigned* order, unsigned* at) {
  const unsigned place = *at;
  __threadfence();
  *at = place + 1;
  order[place] = blockIdx.x * 100 + threadIdx.x;
}

std::vector<unsigned> racy_order() {
  std::vector<unsigned> order(400);
  unsigned at = 0;
  ossau::device::launch("racy", racy_kernel, {4, 64, 0}, nullptr, order.data(), &at);
  return order;
}

TEST(Interpreter, RacesShowInResultsThatDifferBetweenSeeds) {
  std::set<std::vector<unsigned>> results;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    results.insert(racy_order());
  }
  EXPECT_GT(results.size(), kSeeds - 2);
}

TEST(Interpreter, TheSameSeedGivesTheSameInterleaving) {
  set_seed(7);
  const std::vector<unsigned> first = racy_order();
  const std::vector<unsigned> second = racy_order();
  EXPECT_NE(first, second);  // the second launch is another one
  set_seed(7);
  EXPECT_EQ(racy_order(), first);
  EXPECT_EQ(racy_order(), second);
  // Of other host threads too, whatever this one did.
  std::vector<unsigned> other;
  std::thread([&] { other = racy_order(); }).join();
  EXPECT_EQ(other, first);
}

TEST(Interpreter, FindsAMissingBlockBarrier) {
  const Sabotaged planted(Sabotage::kDropBlockBarrier);
  EXPECT_GT(failures(sums_blocks), kSeeds / 2);
  EXPECT_GT(failures(teams_exchange), kSeeds / 2);
}

TEST(Interpreter, FindsAMissingWarpBarrier) {
  const Sabotaged planted(Sabotage::kDropWarpBarrier);
  EXPECT_GT(failures(reverses_warps), kSeeds / 2);
  EXPECT_GT(failures(adds_up_a_ring), kSeeds / 2);
}

TEST(Interpreter, FindsAtomicsThatAreNone) {
  const Sabotaged planted(Sabotage::kLostAtomics);
  EXPECT_GT(failures(counts_threads), kSeeds / 2);
}

TEST(Interpreter, FindsCopiesThatNobodyAwaits) {
  const Sabotaged planted(Sabotage::kEarlyCopies);
  EXPECT_GT(failures(adds_up_a_ring), kSeeds / 2);
}

TEST(Interpreter, CountsWhatRan) {
  const Counts before = counts();
  EXPECT_TRUE(counts_threads());
  const Counts after = counts();
  EXPECT_EQ(after.launches - before.launches, 1u);
  EXPECT_EQ(after.atomics - before.atomics, 480u);
}

}  // namespace
}  // namespace simt::test
