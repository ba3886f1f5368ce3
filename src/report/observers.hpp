#pragma once

#include <initializer_list>
#include <vector>

#include "train/observer.hpp"

namespace ossau {

/// Tells several observers, in the order given; an exception of one stops the telling.
class Observers final : public TrainingObserver {
 public:
  /// observers: must outlive this; null ones are left out.
  Observers(std::initializer_list<TrainingObserver*> observers) {
    for (TrainingObserver* observer : observers) {
      if (observer != nullptr) observers_.push_back(observer);
    }
  }

  void on_start(const TrainingStart& start) override {
    for (TrainingObserver* observer : observers_) observer->on_start(start);
  }
  void on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) override {
    for (TrainingObserver* observer : observers_) observer->on_resume(from, reports);
  }
  void on_epoch(const EpochReport& report) override {
    for (TrainingObserver* observer : observers_) observer->on_epoch(report);
  }

 private:
  std::vector<TrainingObserver*> observers_;
};

}  // namespace ossau
