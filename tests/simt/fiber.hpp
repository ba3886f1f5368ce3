#pragma once

#include <cstddef>
#include <memory>

namespace simt {

/// A stack with a guard page below it, from a pool of the host thread.
class Stack {
 public:
  explicit Stack(std::size_t color);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  unsigned char* bottom() const { return bottom_; }
  static std::size_t size();
  /// Where the fiber starts.  Shifted by color: stacks begin at pages, and as many equal addresses
  /// within a page as there are lanes would share a few lines of the cache.
  unsigned char* top() const;
  /// The frames on it were left without returning.
  void abandon() { abandoned_ = true; }

 private:
  unsigned char* bottom_ = nullptr;
  std::size_t color_;
  bool abandoned_ = false;
};

/// A function with a stack of its own.  It stays on one host thread.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next resume enters `entry`, which must not return but leave.
  void prepare(void (*entry)(), std::size_t color);
  /// By the scheduler: runs the fiber until it suspends or leaves.
  void resume();
  /// By the fiber itself.
  void suspend();
  [[noreturn]] void leave();
  /// By `entry`, first of all.
  void entered();

 private:
  struct Context;
  std::unique_ptr<Stack> stack_;
  std::unique_ptr<Context> context_;
  void* position_ = nullptr;  // of the stack, while the fiber does not run
  void* scheduler_ = nullptr;
  void* fake_stack_ = nullptr;
  const void* scheduler_bottom_ = nullptr;
  std::size_t scheduler_size_ = 0;
  bool done_ = true;
};

}  // namespace simt
