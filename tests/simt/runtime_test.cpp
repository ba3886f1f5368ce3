#include "simt/runtime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "ossau/error.hpp"
#include "simt/test_kernels.hpp"

namespace simt::test {
namespace {

using ossau::DeviceError;
using ossau::cuda::DeviceArray;
using testing::HasSubstr;

struct Limited {
  explicit Limited(const Limits& some) : before(limits()) { set_limits(some); }
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;
  ~Limited() { set_limits(before); }
  Limits before;
};

template <class Run>
std::string error_of(Run run) {
  try {
    run();
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "";
}

TEST(SimtRuntime, DescribesItsDevice) {
  const Limited limited({.devices = 1, .multiprocessors = 7, .memory_bytes = 1000});
  const DeviceArray<char> array(100, "array");
  const ossau::cuda::DeviceInfo info = ossau::cuda::use_device(0);
  EXPECT_EQ(info.name, "SIMT interpreter");
  EXPECT_EQ(info.major, 9);
  EXPECT_EQ(info.multiprocessors, 7);
  EXPECT_EQ(info.shared_bytes, 227u << 10);
  EXPECT_EQ(info.memory_bytes, 1000u);
  EXPECT_EQ(info.free_bytes, 900u);
  EXPECT_THROW(ossau::cuda::use_device(1), DeviceError);
}

TEST(SimtRuntime, MayHaveNoDevice) {
  const Limited limited({.devices = 0});
  EXPECT_EQ(ossau::cuda::device_count(), 0);
  EXPECT_EQ(ossau::cuda::why_no_device(), "no device");
  EXPECT_THROW(ossau::cuda::use_device(0), DeviceError);
}

TEST(SimtRuntime, MemoryIsPoisonedAndEnds) {
  const Limited limited({.memory_bytes = 1000});
  {
    const DeviceArray<unsigned char> array(600, "tiles");
    EXPECT_EQ(array.data()[599], 0xff);
    EXPECT_EQ(
        error_of([] { const DeviceArray<double> more(51, "weights"); }),
        "cuda: device 0 (SIMT interpreter): weights: 4.08e-07 GB of GPU memory are needed, 4e-07 "
        "GB "
        "are free (give run.device_memory a limit so that rows stream from the host, use more "
        "GPUs with run.ranks: all, or run.device: cpu)");
  }
  const DeviceArray<unsigned char> all(1000, "tiles");
  EXPECT_EQ(DeviceArray<int>(0, "nothing").data(), nullptr);
}

TEST(SimtRuntime, MemoryOfTheHostIsPinnedOnce) {
  const std::vector<int> rows(10);
  EXPECT_EQ(ossau::cuda::pin(rows.data(), 40, "rows"), rows.data());
  EXPECT_EQ(error_of([&] { ossau::cuda::pin(rows.data(), 40, "rows"); }),
            "cuda: rows: 40 bytes of memory are page-locked already");
  ossau::cuda::unpin(rows.data());
  EXPECT_EQ(ossau::cuda::pin(rows.data(), 40, "rows"), rows.data());
  ossau::cuda::unpin(rows.data());
}

TEST(SimtRuntime, RefusesShapesThatNoDeviceTakes) {
  unsigned long long count = 0;
  const auto launch = [&](Shape shape) {
    return error_of([&] { ossau::device::launch("count", count_kernel, shape, nullptr, &count); });
  };
  EXPECT_THAT(launch({1, 1025, 0}), HasSubstr("cuda: count: 1 blocks of 1025 threads"));
  EXPECT_THAT(launch({0, 32, 0}), HasSubstr("cuda: count: 0 blocks"));
  EXPECT_THAT(launch({1, 32, (227u << 10) + 1}), HasSubstr("bytes of shared memory"));
  EXPECT_EQ(count, 0u);
}

TEST(SimtRuntime, AGraphReplaysWhatWasQueued) {
  const ossau::cuda::Stream stream(ossau::cuda::make_stream());
  std::vector<std::uint64_t> keys = {3, 1, 2};
  std::vector<std::uint64_t> sorted(3);
  unsigned long long count = 5;
  unsigned long long result = 0;
  ossau::cuda::begin_capture(stream.get());
  ossau::cuda::fill_zero(&count, sizeof(count), stream.get());
  ossau::device::launch("count", count_kernel, {2, 32, 0}, stream.get(), &count);
  ossau::cuda::copy(&result, &count, sizeof(count), stream.get());
  ossau::cuda::copy(sorted.data(), keys.data(), 24, stream.get());
  ossau::cuda::sort_keys(sorted.data(), 3, stream.get());
  EXPECT_THROW(ossau::cuda::synchronize(stream.get(), "capture"), DeviceError);
  const ossau::cuda::Graph graph(ossau::cuda::end_capture(stream.get()));
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(sorted[2], 0u);
  keys[0] = 9;  // read when the graph runs
  for (int i = 0; i < 2; ++i) {
    result = 0;
    ossau::cuda::launch(graph.get(), stream.get());
    EXPECT_TRUE(ossau::cuda::finished(stream.get(), "graph"));
    EXPECT_EQ(result, 64u);
    EXPECT_EQ(sorted, (std::vector<std::uint64_t>{1, 2, 9}));
  }
}

TEST(SimtRuntime, AStreamThatWaitsForACapturedOneIsCaptured) {
  const ossau::cuda::Stream stream(ossau::cuda::make_stream());
  const ossau::cuda::Stream other(ossau::cuda::make_stream());
  const ossau::cuda::Event fork(ossau::cuda::make_event());
  const ossau::cuda::Event join(ossau::cuda::make_event());
  unsigned value = 7;
  ossau::cuda::begin_capture(stream.get());
  ossau::cuda::record(fork.get(), stream.get());
  ossau::cuda::wait(other.get(), fork.get());
  ossau::cuda::fill_zero(&value, sizeof(value), other.get());
  ossau::cuda::record(join.get(), other.get());
  ossau::cuda::wait(stream.get(), join.get());
  const ossau::cuda::Graph graph(ossau::cuda::end_capture(stream.get()));
  EXPECT_EQ(value, 7u);
  ossau::cuda::launch(graph.get(), stream.get());
  EXPECT_EQ(value, 0u);
  value = 7;
  ossau::cuda::fill_zero(&value, sizeof(value), other.get());  // no longer captured
  EXPECT_EQ(value, 0u);
}

TEST(SimtRuntime, EventsMeasureTime) {
  const ossau::cuda::Stream stream(ossau::cuda::make_stream());
  const ossau::cuda::Event begin(ossau::cuda::make_event());
  const ossau::cuda::Event end(ossau::cuda::make_event());
  EXPECT_THROW(ossau::cuda::elapsed_s(begin.get(), end.get()), DeviceError);
  ossau::cuda::record(begin.get(), stream.get());
  ossau::cuda::record(end.get(), stream.get());
  ossau::cuda::wait(end.get(), "events");
  EXPECT_GE(ossau::cuda::elapsed_s(begin.get(), end.get()), 0.0);
}

}  // namespace
}  // namespace simt::test
