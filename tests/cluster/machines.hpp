#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ossau::test {

/// Several machines on this one: network namespaces joined by a bridge, each with a host name of
/// its own.  They go away with this object; those of a test that was killed, with the next one.
class Machines {
 public:
  /// Why this user cannot make any; empty where it can.
  static std::string unavailable();

  explicit Machines(std::size_t count);
  ~Machines();
  Machines(const Machines&) = delete;
  Machines& operator=(const Machines&) = delete;

  std::size_t count() const { return count_; }
  /// machine: 0, 1, ...
  std::string name_space(std::size_t machine) const;
  static std::string address(std::size_t machine);
  static std::string host(std::size_t machine);

  // What can befall the cable of a machine.
  void pull_cable(std::size_t machine) const;
  /// Loses every packet, though the link stays up.
  void drop_packets(std::size_t machine) const;
  /// rate: as `tc` takes it, for example "2mbit".
  void slow_down(std::size_t machine, const std::string& rate) const;

 private:
  std::string prefix_;
  std::size_t count_;
};

}  // namespace ossau::test
