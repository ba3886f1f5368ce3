#include "simt/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define OSSAU_SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OSSAU_SIMT_ASAN 1
#endif
#endif
#if defined(OSSAU_SIMT_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__) || defined(__aarch64__)
#define OSSAU_SIMT_SWITCH 1
#else
#include <ucontext.h>
#endif

// swapcontext asks the kernel for the signal mask each time.  These save what the calling
// convention keeps, exchange the stacks and go on there.
#if defined(__x86_64__)
asm(R"(
.text
.globl ossau_simt_switch
.hidden ossau_simt_switch
.type ossau_simt_switch, @function
ossau_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ossau_simt_switch, . - ossau_simt_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl ossau_simt_switch
.hidden ossau_simt_switch
.type ossau_simt_switch, %function
ossau_simt_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size ossau_simt_switch, . - ossau_simt_switch
)");
#endif

#if defined(OSSAU_SIMT_SWITCH)
extern "C" void ossau_simt_switch(void** from, void* to);
#endif

namespace simt {
namespace {

#if defined(OSSAU_SIMT_ASAN)
constexpr std::size_t kStackBytes = std::size_t{256} << 10;  // a report is written on it
#else
constexpr std::size_t kStackBytes = std::size_t{64} << 10;
#endif

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

unsigned char* map_stack() {
  const std::size_t guard = page_bytes();
  void* memory = mmap(nullptr, guard + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* bytes = static_cast<unsigned char*>(memory);
  if (mprotect(bytes, guard, PROT_NONE) != 0) {
    munmap(bytes, guard + kStackBytes);
    throw std::bad_alloc();
  }
  return bytes + guard;
}

struct StackPool {
  std::vector<unsigned char*> free;
  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool() {
    for (unsigned char* bottom : free) munmap(bottom - page_bytes(), page_bytes() + kStackBytes);
  }
};
thread_local StackPool pool;

// A switch to another stack, as AddressSanitizer has to be told of it.
void announce([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
              [[maybe_unused]] std::size_t size) {
#if defined(OSSAU_SIMT_ASAN)
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}
void arrive([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
            [[maybe_unused]] std::size_t* old_size) {
#if defined(OSSAU_SIMT_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_size);
#endif
}

}  // namespace

Stack::Stack(std::size_t color) : color_(color) {
  if (pool.free.empty()) {
    bottom_ = map_stack();
  } else {
    bottom_ = pool.free.back();
    pool.free.pop_back();
  }
}

Stack::~Stack() {
#if defined(OSSAU_SIMT_ASAN)
  if (abandoned_) ASAN_UNPOISON_MEMORY_REGION(bottom_, kStackBytes);
#endif
  pool.free.push_back(bottom_);
}

std::size_t Stack::size() { return kStackBytes; }

unsigned char* Stack::top() const { return bottom_ + kStackBytes - color_ % 31 * 128; }

#if defined(OSSAU_SIMT_SWITCH)

struct Fiber::Context {};

void Fiber::prepare(void (*entry)(), std::size_t color) {
  stack_ = std::make_unique<Stack>(color);
  unsigned char* top = stack_->top() - 256;
  std::memset(top, 0, 256);  // saved registers are 0: a frame pointer of 0 ends a backtrace
  const auto address = reinterpret_cast<std::uintptr_t>(entry);
#if defined(__x86_64__)
  // Six registers, then the address to return to; an empty return address stands above it.
  std::memcpy(top + 128 + 48, &address, sizeof(address));
  position_ = top + 128;
#else
  std::memcpy(top + 88, &address, sizeof(address));
  position_ = top;
#endif
  done_ = false;
}

void Fiber::resume() {
  void* fake_stack = nullptr;
  announce(&fake_stack, stack_->bottom(), Stack::size());
  ossau_simt_switch(&scheduler_, position_);
  arrive(fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  announce(&fake_stack_, scheduler_bottom_, scheduler_size_);
  ossau_simt_switch(&position_, scheduler_);
  arrive(fake_stack_, &scheduler_bottom_, &scheduler_size_);
}

void Fiber::leave() {
  done_ = true;
  announce(nullptr, scheduler_bottom_, scheduler_size_);
  ossau_simt_switch(&position_, scheduler_);
  std::terminate();
}

#else

struct Fiber::Context {
  ucontext_t fiber;
  ucontext_t scheduler;
};

void Fiber::prepare(void (*entry)(), std::size_t color) {
  stack_ = std::make_unique<Stack>(color);
  if (!context_) context_ = std::make_unique<Context>();
  getcontext(&context_->fiber);
  context_->fiber.uc_stack.ss_sp = stack_->bottom();
  context_->fiber.uc_stack.ss_size = static_cast<std::size_t>(stack_->top() - stack_->bottom());
  context_->fiber.uc_link = nullptr;
  makecontext(&context_->fiber, entry, 0);
  done_ = false;
}

void Fiber::resume() {
  void* fake_stack = nullptr;
  announce(&fake_stack, stack_->bottom(), Stack::size());
  swapcontext(&context_->scheduler, &context_->fiber);
  arrive(fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  announce(&fake_stack_, scheduler_bottom_, scheduler_size_);
  swapcontext(&context_->fiber, &context_->scheduler);
  arrive(fake_stack_, &scheduler_bottom_, &scheduler_size_);
}

void Fiber::leave() {
  done_ = true;
  announce(nullptr, scheduler_bottom_, scheduler_size_);
  setcontext(&context_->scheduler);
  std::terminate();
}

#endif

Fiber::Fiber() = default;

Fiber::~Fiber() {
  if (stack_ && !done_) stack_->abandon();
}

void Fiber::entered() { arrive(nullptr, &scheduler_bottom_, &scheduler_size_); }

}  // namespace simt
