#include "testing/txn_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/strings.h"
#include "fs/file.h"
#include "testing/meddling_fs.h"
#include "testing/seeded_random.h"

namespace stravinsky::testing {

std::unique_ptr<TxnFixture> make_mixed(const MemFsOptions& options) {
  auto t = std::make_unique<TxnFixture>(options);
  t->anchor(kDotfiles).file("claude.json", "{\"hooks\":\"gone\"}", 0600);
  t->anchor(kTreeRoot).file("hooks/a.py", "old a", 0755).file("hooks/gone.py", "gone", 0444);
  t->file("commands/old/x.md", "x").file("commands/old/sub/y.md", "y").file("skills/tool", "tool");
  t->file("settings.local.json", "{\"old\":1}", 0600)
      .link("settings.json", "../dotfiles/claude.json");
  t->file("notes.md", "the user's own").link("hooks/theirs", "/nowhere");
  t->settle();
  t->replace("hooks/a.py", "new and longer a").add_dir("hooks/lib", {{"b.py", "b"}, {"none/", ""}});
  t->replace_by_dir("skills/tool", {{"SKILL.md", "skill"}});
  t->settings("settings.local.json", "{\"new\":2}");
  t->remove("hooks/gone.py").remove("commands/old").through_link(kTreeRoot, "settings.json");
  t->anchor(kDotfiles).settings("claude.json", "{\"hooks\":\"lib/b\"}").anchor(kTreeRoot);
  return t;
}

SweepCase sweep_case(TxnFixture& t, StopAfter last) {
  return {.make_initial = [&t] { return t.fresh_disk(); },
          .operation =
              [&t, last](fs::FileSystem& fs) {
                const Status done = t.update_until(fs, last);
                // The refusal that a roll back is for is not a failure of the operation.
                const bool is_refusal = last == StopAfter::kRollBack && !done &&
                                        done.error().code == ErrorCode::kChecksRefused;
                return is_refusal ? Status() : done;
              },
          .recover = [&t](fs::FileSystem& fs) { return t.recover(fs); },
          .violations =
              [&t, last](MemFs& after, bool acknowledged) {
                const bool is_roll_back = last == StopAfter::kRollBack;
                auto broken = t.broken_rules(after, acknowledged && !is_roll_back);
                const std::string from_old = difference(t.old_tree(), t.tree(after));
                if (is_roll_back && !from_old.empty())
                  broken.push_back("rolled back, and not the old tree:\n" + from_old);
                return broken;
              }};
}

namespace {

void add(SweepReport& report, const std::string& where, const std::vector<std::string>& broken) {
  for (const std::string& text : broken) {
    ++report.violation_count;
    if (report.violations.size() < SweepReport::kViolationsKept)
      report.violations.push_back(where + ": " + text);
  }
}

// No more would be kept.
bool is_enough(const SweepReport& report) {
  return report.violation_count >= SweepReport::kViolationsKept;
}

uint64_t calls_of(const SweepCase& the_case, const TxnFixture& t) {
  const auto disk = t.fresh_disk();
  FaultFs counting(*disk, {});
  CHECK(the_case.operation(counting));
  return counting.mutating_count();
}

struct KillSweep {
  TxnFixture& t;
  SweepCase the_case;
  const KillSweepOptions& options;
  SeededRandom random{1};
  SweepReport report{};

  void kill_at(uint64_t kill) {
    ++report.points;
    uint64_t last_cut = 0;
    {
      const auto disk = t.fresh_disk();
      operate(*disk, kill);
      FaultFs counting(*disk, {});
      (void)the_case.recover(counting);
      last_cut = counting.mutating_count() + 1;
    }
    for (const uint64_t cut : spread(last_cut, options.cuts_max)) cut_at(kill, cut);
  }

  bool operate(MemFs& disk, uint64_t kill) {
    FaultFs fault(disk, {.kind = FaultKind::kStop, .at = kill});
    return the_case.operation(fault).has_value() && !fault.fired();
  }

  void cut_at(uint64_t kill, uint64_t cut) {
    const auto disk = t.fresh_disk();
    const bool acknowledged = operate(*disk, kill);
    t.told().clear();
    FaultFs fault(*disk, {.kind = FaultKind::kStop, .at = cut});
    (void)the_case.recover(fault);
    const std::vector<std::string> told = t.told();
    for (const CrashChoice& choice : disk->crash_choices(options.subset_limit, random)) {
      const auto image = disk->crashed(choice);
      ++report.images;
      ++report.recoveries;
      const std::string where =
          fmt::format("killed at {}, cut at {} ({})", kill, cut, choice.to_string());
      if (const Status recovered = the_case.recover(*image); !recovered)
        add(report, where, {"recovery failed: " + recovered.error().to_string()});
      const bool told_done = std::ranges::find(told, "completed") != told.end();
      add(report, where, the_case.violations(*image, acknowledged || told_done));
      const std::string from_old = difference(t.old_tree(), t.tree(*image));
      if (std::ranges::find(told, "rolled_back") != told.end() && !from_old.empty())
        add(report, where, {"told that it was rolled back, and not the old tree:\n" + from_old});
    }
  }
};

// Saves durably, as an editor does.
void save(MemFs& disk, Saving saving, const fs::File& old_descriptor, std::string_view bytes) {
  const auto hooks = fs::File::open_root(disk, std::string(kTreeRoot) + "/hooks");
  CHECK(hooks);
  const fs::RelPath name = fs::RelPath::of("a.py");
  if (saving == Saving::kByRename) {
    const fs::RelPath other = fs::RelPath::of(".a.py.swp");
    auto file = fs::File::open(disk, hooks->fd(), other, fs::OpenMode::kCreateExclusive, 0755);
    CHECK(file && disk.write(file->fd(), 0, as_byte_span(bytes)));
    CHECK(disk.sync(file->fd(), fs::SyncKind::kFull));
    CHECK(disk.rename(hooks->fd(), other, hooks->fd(), name, fs::RenameMode::kReplace));
    CHECK(disk.sync(hooks->fd(), fs::SyncKind::kFull));
    return;
  }
  fs::File file;
  fs::Fd fd = old_descriptor.fd();
  if (saving == Saving::kInPlace) {
    auto opened = fs::File::open(disk, hooks->fd(), name, fs::OpenMode::kReadWrite);
    CHECK(opened);
    file = std::move(*opened);
    fd = file.fd();
  }
  CHECK(disk.truncate(fd, 0) && disk.write(fd, 0, as_byte_span(bytes)));
  CHECK(disk.sync(fd, fs::SyncKind::kFull));
}

// Between the last look and the call that it was for: no file system call closes that.
bool is_hopeless(Saving saving, const MeddlingFs::Upcoming& upcoming) {
  const bool is_ours = upcoming.name.starts_with(".rbk-");
  return (is_ours && upcoming.op == Op::kRename && saving == Saving::kByRename) ||
         (is_ours && upcoming.op == Op::kUnlink && saving == Saving::kThroughOldDescriptor);
}

bool has_no_name(MemFs& disk, const fs::File& descriptor) {
  return descriptor.is_open() && disk.stat_fd(descriptor.fd())->link_count == 0;
}

std::vector<std::string> broken_by_meddling(TxnFixture& t, MemFs& disk, bool has_saved,
                                            bool is_done, const std::string& bytes) {
  std::vector<std::string> broken;
  const std::string leaf = std::string(kTreeRoot) + "/hooks/a.py";
  bool is_kept = false;
  for (const auto& [path, node] : disk.snapshot("/")) {
    const bool is_litter = path.find("/.rbk-") != std::string::npos;
    if (is_litter) broken.push_back("litter: " + path);
    if (node.bytes == bytes && !is_litter) is_kept = true;
  }
  if (has_saved && !is_kept) broken.push_back("the user's bytes are lost");
  Snapshot now = t.tree(disk);
  const auto found = now.find(leaf);
  if (found == now.end()) {
    broken.push_back("hooks/a.py is gone");
    return broken;
  }
  Snapshot old_tree = t.old_tree();
  Snapshot new_tree = t.new_tree();
  if (found->second.bytes == bytes) {
    now.erase(leaf);
    old_tree.erase(leaf);
    new_tree.erase(leaf);
  }
  const std::string from_new = difference(new_tree, now);
  const std::string from_old = difference(old_tree, now);
  if (is_done && !from_new.empty()) broken.push_back("not the new tree:\n" + from_new);
  if (!from_new.empty() && !from_old.empty())
    broken.push_back("neither the old tree:\n" + from_old + "nor the new one:\n" + from_new);
  return broken;
}

}  // namespace

SweepReport run_kill_sweep(TxnFixture& t, StopAfter last, const KillSweepOptions& options) {
  KillSweep sweep{.t = t, .the_case = sweep_case(t, last), .options = options};
  const uint64_t calls = calls_of(sweep.the_case, t);
  for (const uint64_t kill : spread(calls + 1, options.points_max)) {
    if (is_enough(sweep.report)) break;
    sweep.kill_at(kill);
  }
  return std::move(sweep.report);
}

SweepReport run_meddling_sweep(TxnFixture& t, Saving saving,
                               const std::vector<uint64_t>& distances) {
  SweepReport report;
  SeededRandom random(1);
  const SweepCase the_case = sweep_case(t);
  const std::string bytes = "what the user wrote";
  const uint64_t calls = calls_of(the_case, t);
  for (uint64_t point = 1; point <= calls && !is_enough(report); ++point) {
    for (const uint64_t distance : distances) {
      ++report.points;
      const auto disk = t.fresh_disk();
      const auto hooks = fs::File::open_root(*disk, std::string(kTreeRoot) + "/hooks");
      fs::File descriptor;
      bool has_saved = false;
      FaultFs fault(*disk, {.kind = FaultKind::kStop, .at = distance == 0 ? 0 : point + distance});
      MeddlingFs meddling(fault, [&](const MeddlingFs::Upcoming& upcoming) {
        if (upcoming.number == 1 &&
            saving == Saving::kThroughOldDescriptor) {  // behind the preflight
          auto opened =
              fs::File::open(*disk, hooks->fd(), fs::RelPath::of("a.py"), fs::OpenMode::kReadWrite);
          CHECK(opened);
          descriptor = std::move(*opened);
        }
        if (upcoming.number != point) return;
        save(*disk, saving, descriptor, bytes);
        has_saved = !is_hopeless(saving, upcoming) && !has_no_name(*disk, descriptor);
      });
      const bool is_done = the_case.operation(meddling).has_value() && !fault.fired();
      (void)descriptor.close();
      const auto choices =
          distance == 0 ? std::vector<CrashChoice>{{}} : disk->crash_choices(8, random);
      for (const CrashChoice& choice : choices) {
        const auto crashed = distance == 0 ? nullptr : disk->crashed(choice);
        MemFs& after = distance == 0 ? *disk : *crashed;
        ++report.images;
        ++report.recoveries;
        const std::string where =
            fmt::format("saved at {}, cut {} later ({})", point, distance, choice.to_string());
        if (const Status recovered = the_case.recover(after); !recovered)
          add(report, where, {"recovery failed: " + recovered.error().to_string()});
        add(report, where, broken_by_meddling(t, after, has_saved, is_done, bytes));
      }
    }
  }
  return report;
}

}  // namespace stravinsky::testing
