#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "support/log_capture.hpp"

namespace ossau::test {
namespace {

using Line = std::pair<LogLevel, std::string>;

struct Logged {
  std::mutex mutex;
  std::vector<Line> lines;
  bool expected = false;
};

Logged& logged() {
  static Logged instance;
  return instance;
}

void record(LogLevel level, std::string_view message) {
  const std::lock_guard lock(logged().mutex);
  logged().lines.emplace_back(level, message);
}

std::vector<std::string> of_level(LogLevel level) {
  const std::lock_guard lock(logged().mutex);
  std::vector<std::string> messages;
  for (const auto& [line_level, message] : logged().lines) {
    if (line_level == level) messages.push_back(message);
  }
  return messages;
}

// A warning that nobody expected is a failure of the test in which it was logged.
class WarningsFail : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    const std::lock_guard lock(logged().mutex);
    logged().lines.clear();
    logged().expected = false;
  }
  void OnTestEnd(const ::testing::TestInfo&) override {
    const std::lock_guard lock(logged().mutex);
    if (logged().expected) return;
    for (const auto& [level, message] : logged().lines) {
      if (level != LogLevel::kInfo) ADD_FAILURE() << "unexpected message logged: " << message;
    }
  }
};

}  // namespace

LogCapture::LogCapture() {
  const std::lock_guard lock(logged().mutex);
  logged().lines.clear();
  logged().expected = true;
}

LogCapture::~LogCapture() {
  const std::lock_guard lock(logged().mutex);
  logged().lines.clear();
}

std::vector<std::string> LogCapture::infos() const { return of_level(LogLevel::kInfo); }
std::vector<std::string> LogCapture::warnings() const { return of_level(LogLevel::kWarning); }
std::vector<std::string> LogCapture::errors() const { return of_level(LogLevel::kError); }

}  // namespace ossau::test

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  ossau::set_log_sink(ossau::test::record);
  ::testing::UnitTest::GetInstance()->listeners().Append(new ossau::test::WarningsFail);
  return RUN_ALL_TESTS();
}
