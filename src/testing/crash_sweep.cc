#include "testing/crash_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "testing/seeded_random.h"

namespace stravinsky::testing {
namespace {

constexpr uint64_t kSampledRecoveryPoints = 3;

std::unique_ptr<MemFs> initial(const SweepCase& sweep_case) {
  auto made = sweep_case.make_initial();
  CHECK(made != nullptr);
  made->sync_everything();
  return made;
}

// A copy of a disk on which nothing is pending.
std::unique_ptr<MemFs> copy_of(const MemFs& image) {
  return image.crashed({});
}

std::string words(const Status& status) {
  return status ? "success" : status.error().to_string();
}

void add_violation(SweepReport& report, std::string text) {
  ++report.violation_count;
  if (report.violations.size() < SweepReport::kViolationsKept) {
    report.violations.push_back(std::move(text));
  }
}

// Runs recovery with nothing failing (through may count) and looks at what it left on the disk.
void recover_and_look(const SweepCase& sweep_case, fs::FileSystem& through, MemFs& disk,
                      bool acknowledged, const std::string& where, SweepReport& report) {
  ++report.recoveries;
  const Status recovered = sweep_case.recover(through);
  if (!recovered) add_violation(report, where + ": recovery failed: " + words(recovered));
  for (const std::string& text : sweep_case.violations(disk, acknowledged)) {
    add_violation(report, fmt::format("{}: {}", where, text));
  }
}

class CrashSweep {
 public:
  CrashSweep(const SweepCase& sweep_case, const CrashSweepOptions& options)
      : case_(sweep_case), options_(options), random_(options.seed) {}

  SweepReport run() {
    uint64_t last = 0;
    {
      const auto disk = initial(case_);
      FaultFs counting(*disk, {});
      if (const Status done = case_.operation(counting); !done) {
        add_violation(report_, "the operation fails without any fault: " + words(done));
      }
      last = counting.mutating_count() + 1;  // one more: the cut comes after the last call
    }
    for (const uint64_t point : spread(last, options_.points_max)) {
      if (options_.stops_at_first && !report_.is_clean()) break;
      cut_at(point);
    }
    return std::move(report_);
  }

 private:
  void cut_at(uint64_t point) {
    ++report_.points;
    const auto disk = initial(case_);
    FaultFs fault(*disk, {.kind = FaultKind::kStop, .at = point});
    const Status done = case_.operation(fault);
    // A process that lost its power has told nobody anything.
    const bool acknowledged = done.has_value() && !fault.fired();
    for (const CrashChoice& choice : disk->crash_choices(options_.subset_limit, random_)) {
      const auto image = disk->crashed(choice);
      if (!images_.emplace(image->fingerprint(), acknowledged).second) continue;
      ++report_.images;
      look_at(*image, acknowledged, fmt::format("cut at {} ({})", point, choice.to_string()));
    }
  }

  void look_at(const MemFs& image, bool acknowledged, const std::string& where) {
    recovered_.emplace(image.fingerprint(), acknowledged);
    const auto disk = copy_of(image);
    FaultFs counting(*disk, {});
    recover_and_look(case_, counting, *disk, acknowledged, where, report_);
    const uint64_t last = counting.mutating_count() + 1;
    cut_after_recovery(*disk, acknowledged, fmt::format("{}, cut again at {}", where, last));
    recover_twice(*disk, where);
    for (const uint64_t point : recovery_points(last - 1)) {
      cut_in_recovery(image, point, acknowledged, where);
    }
  }

  std::vector<uint64_t> recovery_points(uint64_t last) {
    switch (options_.crash_in_recovery) {
      case RecoveryCrashes::kNone:
        return {};
      case RecoveryCrashes::kEveryPoint:
        return spread(last, last);
      case RecoveryCrashes::kSampled:
        break;
    }
    std::set<uint64_t> points;
    for (uint64_t i = 0; i < kSampledRecoveryPoints && last > 0; ++i) {
      points.insert(1 + random_.below(last));
    }
    return {points.begin(), points.end()};
  }

  void cut_in_recovery(const MemFs& image, uint64_t point, bool acknowledged,
                       const std::string& where) {
    const auto disk = copy_of(image);
    FaultFs fault(*disk, {.kind = FaultKind::kStop, .at = point});
    ++report_.recoveries;
    (void)case_.recover(fault);
    cut_after_recovery(*disk, acknowledged, fmt::format("{}, cut again at {}", where, point));
  }

  // Cuts the power now; recovers what is left of it.
  void cut_after_recovery(const MemFs& disk, bool acknowledged, const std::string& where) {
    for (const CrashChoice& choice : disk.crash_choices(options_.recovery_subset_limit, random_)) {
      const auto image = disk.crashed(choice);
      if (!recovered_.emplace(image->fingerprint(), acknowledged).second) continue;
      ++report_.images;
      recover_and_look(case_, *image, *image, acknowledged,
                       fmt::format("{} ({})", where, choice.to_string()), report_);
    }
  }

  void recover_twice(MemFs& disk, const std::string& where) {
    const Snapshot once = disk.snapshot();
    ++report_.recoveries;
    const Status again = case_.recover(disk);
    if (!again) add_violation(report_, where + ": the second recovery failed: " + words(again));
    const std::string changed = difference(once, disk.snapshot());
    if (!changed.empty()) {
      add_violation(report_, where + ": recovering twice differs from once:\n" + changed);
    }
  }

  const SweepCase& case_;
  const CrashSweepOptions& options_;
  SeededRandom random_;
  SweepReport report_;
  std::set<std::pair<uint64_t, bool>> images_;     // by fingerprint; cut during recovery too
  std::set<std::pair<uint64_t, bool>> recovered_;  // by fingerprint; at least recovered once
};

struct ErrnoRun {
  uint64_t at = 0;
  Op op = Op::kOpen;
  int sys_errno = 0;
  FaultKind kind = FaultKind::kFailOnce;

  std::string to_string() const {
    return fmt::format("{} at call {} ({}){}", errno_name(sys_errno), at, op_name(op),
                       kind == FaultKind::kFailFromOn ? " and from then on" : "");
  }
};

std::vector<ErrnoRun> errno_runs(const std::vector<Op>& calls) {
  std::vector<ErrnoRun> runs;
  for (uint64_t at = 1; at <= calls.size(); ++at) {
    const Op op = calls[at - 1];
    for (const int sys_errno : possible_errnos(op)) {
      runs.push_back({at, op, sys_errno, FaultKind::kFailOnce});
      runs.push_back({at, op, sys_errno, FaultKind::kFailFromOn});
    }
  }
  return runs;
}

void run_with_error(const SweepCase& sweep_case, const ErrnoRun& run, size_t descriptors,
                    SweepReport& report) {
  ++report.points;
  const auto disk = initial(sweep_case);
  FaultFs fault(*disk, {.kind = run.kind, .at = run.at, .sys_errno = run.sys_errno});
  const Status done = sweep_case.operation(fault);
  // Reported success although a call failed: allowed, when the new state is there.
  const bool acknowledged = done.has_value();
  const std::string where =
      run.to_string() + (acknowledged ? ", success reported" : ", failure reported");
  if (disk->open_descriptors() > descriptors) {
    add_violation(report, where + ": a descriptor was left open");
  }
  for (const DataFate fate : {DataFate::kNone, DataFate::kAll}) {
    const bool keeps = fate == DataFate::kAll;
    const CrashChoice choice{.kept = std::vector<bool>(disk->pending_count(), keeps), .data = fate};
    const auto image = disk->crashed(choice);
    ++report.images;
    recover_and_look(sweep_case, *image, *image, acknowledged,
                     where + ", then a cut (" + choice.to_string() + ")", report);
  }
  recover_and_look(sweep_case, *disk, *disk, acknowledged, where, report);
  const auto later = disk->crashed({});
  recover_and_look(sweep_case, *later, *later, acknowledged,
                   where + ", recovered, then a cut (nothing pending kept)", report);
}

}  // namespace

std::vector<uint64_t> spread(uint64_t last, uint64_t count) {
  std::vector<uint64_t> numbers;
  count = std::min(count, last);
  numbers.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    numbers.push_back(count == 1 ? last : 1 + i * (last - 1) / (count - 1));
  }
  return numbers;
}

std::string SweepReport::to_string() const {
  std::string text = fmt::format("{} points, {} images, {} recoveries, {} violations\n", points,
                                 images, recoveries, violation_count);
  for (const std::string& violation : violations) text += "  " + violation + "\n";
  return text;
}

SweepReport run_crash_sweep(const SweepCase& sweep_case, const CrashSweepOptions& options) {
  return CrashSweep(sweep_case, options).run();
}

SweepReport run_errno_sweep(const SweepCase& sweep_case, const ErrnoSweepOptions& options) {
  SweepReport report;
  const auto disk = initial(sweep_case);
  FaultFs counting(*disk, {});
  if (const Status done = sweep_case.operation(counting); !done) {
    add_violation(report, "the operation fails without any fault: " + words(done));
  }
  const auto runs = errno_runs(counting.calls());
  for (const uint64_t number : spread(runs.size(), options.runs_max)) {
    run_with_error(sweep_case, runs[number - 1], disk->open_descriptors(), report);
  }
  return report;
}

std::unique_ptr<MemFs> replay_crash(const SweepCase& sweep_case, uint64_t point,
                                    const CrashChoice& choice) {
  const auto disk = initial(sweep_case);
  FaultFs fault(*disk, {.kind = FaultKind::kStop, .at = point});
  (void)sweep_case.operation(fault);
  return disk->crashed(choice);
}

}  // namespace stravinsky::testing
