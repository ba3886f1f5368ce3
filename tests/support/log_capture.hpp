#pragma once

#include <string>
#include <vector>

namespace ossau::test {

/// Messages logged while it lives.  A test that expects a warning holds one of these; a warning or
/// error logged in any other test fails that test.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::vector<std::string> infos() const;
  std::vector<std::string> warnings() const;
  std::vector<std::string> errors() const;
};

}  // namespace ossau::test
