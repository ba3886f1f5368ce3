#include "report/observers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "report/samples.hpp"

namespace ossau {
namespace {

class Note final : public TrainingObserver {
 public:
  Note(std::string name, std::string& heard) : name_(std::move(name)), heard_(heard) {}
  void on_start(const TrainingStart& start) override {
    heard_ += name_ + " start " + std::to_string(start.epochs) + "; ";
  }
  void on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) override {
    heard_ += name_ + " resume " + from.file + " " + std::to_string(reports.size()) + "; ";
  }
  void on_epoch(const EpochReport& report) override {
    heard_ += name_ + " epoch " + std::to_string(report.epoch) + "; ";
  }

 private:
  std::string name_;
  std::string& heard_;
};

TEST(Observers, TellsEachInOrderAndLeavesOutNull) {
  std::string heard;
  Note a("a", heard);
  Note b("b", heard);
  Observers observers({&a, nullptr, &b});
  observers.on_start(test::sample_start());
  observers.on_resume({.file = "c", .epoch = 2, .step = 1}, {test::sample_epoch(1)});
  observers.on_epoch(test::sample_epoch(1));
  EXPECT_EQ(heard, "a start 20; b start 20; a resume c 1; b resume c 1; a epoch 1; b epoch 1; ");
}

}  // namespace
}  // namespace ossau
