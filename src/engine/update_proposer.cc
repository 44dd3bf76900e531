#include "engine/update_proposer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/strings.h"
#include "checks/merged_text.h"
#include "engine/history.h"
#include "engine/present_tree.h"
#include "model/hook_reference.h"
#include "model/settings_merge.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::Side;

constexpr uint32_t kExecBits = 0111;
constexpr std::string_view kUnknown = "nobody knows whether you changed it";

std::string hash_of(const Image& image) {
  return image.kind == ImageKind::kFile ? image.sha256.hex() : std::string();
}

bool is_settings(const fs::RelPath& path) {
  return path.str() == "settings.json" || path.str() == "settings.local.json";
}

bool is_executable(uint32_t mode) {
  return (mode & kExecBits) != 0;
}

// Whoever may read a script may run it.
uint32_t exec_bits_for(uint32_t mode) {
  return (mode & 0444U) >> 2U;
}

Bytes bytes_of_text(std::string text) {
  return [kept = std::make_shared<const std::string>(std::move(text))](const codec::Sink& sink) {
    return sink(as_byte_span(*kept));
  };
}

class UpdateProposer {
 public:
  UpdateProposer(Session& session, const UpdateProposal& update, const Present& present)
      : session_(session), update_(update), bundle_(update.bundle), present_(present) {}

  Result<Proposal> propose() {
    RETURN_IF_ERROR(find_base());
    if (!base_) RETURN_IF_ERROR(find_earlier_versions());
    for (size_t i = 0; i < bundle_->files().size(); ++i) {
      const fs::RelPath& path = bundle_->files()[i].path;
      RETURN_IF_ERROR(is_settings(path) ? bring_settings(i) : bring(i));
    }
    if (base_) RETURN_IF_ERROR(remove_what_is_gone());
    if (!undecided_.empty()) return undecided();
    return std::move(proposal_);
  }

 private:
  // --- what is known
  // Another package's files are no base for this one's: nothing of them goes. Two that
  // tell no name are one package when they have a file in common, other than settings,
  // or nothing but settings.
  bool is_same_package(const store::InstalledBundle& other) const {
    if (other.scope != update_.scope || other.name != bundle_->name()) return false;
    if (!other.name.empty()) return true;
    const auto is_own = [](const store::BundleFile& file) { return !is_settings(file.path); };
    if (std::ranges::none_of(bundle_->files(), is_own))
      return std::ranges::none_of(other.files, is_own);
    return std::ranges::any_of(bundle_->files(), [&](const store::BundleFile& file) {
      return is_own(file) && other.find(file.path) != nullptr;
    });
  }

  // What the newest update of this package that is in force brought: the last of all
  // updates mostly, an earlier one when other packages came after it.
  Status find_base() {
    if (!session_.has_store()) return {};
    if (!present_.state.bundle.empty()) RETURN_IF_ERROR(try_base(present_.state.bundle));
    if (base_) return {};
    const store::Root* root = session_.roots().of(update_.scope);
    ASSIGN_OR_RETURN(const auto ids,
                     bundles_in_force(session_.fs(), session_.store().fd(), present_.latest,
                                      root == nullptr ? "" : root->path));
    for (const std::string& id : ids) {
      if (id == present_.state.bundle) continue;
      RETURN_IF_ERROR(try_base(id));
      if (base_) return {};
    }
    return {};
  }

  Status try_base(const std::string& id) {
    auto base = session_.bundles().load(id);
    if (base) {
      if (is_same_package(*base)) base_ = std::move(*base);
      return {};
    }
    if (is_not_found(base.error())) {
      proposal_.warnings.push_back("what was installed before is not known any more: " +
                                   base.error().to_string());
      return {};
    }
    // Taking the user's files for unknown ones would replace their edits: not unasked.
    if (base.error().code != ErrorCode::kCorrupt || !update_.is_unknown_base_chosen)
      return Error(std::move(base).error())
          .with_context("while reading what is installed")
          .with_untouched("Nothing was changed.")
          .with_remedy(
              "Say what is installed: stravinsky adopt VERSION --from SOURCE; or what to do with "
              "files of which nobody knows whether you changed them: --unknown-base keep-mine.");
    proposal_.warnings.push_back("what was installed before cannot be read any more: " +
                                 base.error().to_string());
    return {};
  }

  Status find_earlier_versions() {
    if (!session_.has_store()) return {};
    ASSIGN_OR_RETURN(const auto ids, session_.bundles().list());
    for (const std::string& id : ids) {
      const auto earlier = session_.bundles().load(id);
      if (!earlier || !is_same_package(*earlier)) continue;
      for (const store::BundleFile& file : earlier->files) shipped_[file.path].insert(file.sha256);
    }
    return {};
  }

  bool was_shipped(const fs::RelPath& path, const Image& image) const {
    const auto found = shipped_.find(path);
    return image.kind == ImageKind::kFile && found != shipped_.end() &&
           found->second.contains(image.sha256);
  }

  Image now(const LogicalPath& path) const {
    const auto known = present_.known.find(path);
    return known == present_.known.end() ? Image() : known->second;
  }

  LogicalPath path_of(const store::BundleFile& file) const { return {update_.scope, file.path}; }

  // New files belong to whom the root belongs.
  const fs::Stat& owner() const {
    if (!owner_) {
      owner_ = fs::Stat();
      owner_->uid = session_.environment().user_id;
      owner_->gid = owner_->uid;
      const store::Root* root = session_.roots().of(update_.scope);
      if (root != nullptr) {
        if (auto dir = fs::File::open_root(session_.fs(), root->path)) {
          if (const auto stat = session_.fs().stat_fd(dir->fd())) owner_ = *stat;
        }
      }
    }
    return *owner_;
  }

  // The owner, and what is not the exec bit of the mode, stay the user's; base_mode is
  // that of the installed version.
  Image after_image(const store::BundleFile& file, const Image& before,
                    std::optional<uint32_t> base_mode = {}) const {
    Image image;
    image.kind = ImageKind::kFile;
    image.sha256 = file.sha256;
    image.size_bytes = file.size_bytes;
    if (before.kind == ImageKind::kFile) {
      const uint32_t theirs = exec_bits_for(before.mode) & file.mode;
      image.mode = (before.mode & ~kExecBits) |
                   (base_mode ? model::merge3_exec_bits(*base_mode, before.mode, theirs) : theirs);
      image.uid = before.uid;
      image.gid = before.gid;
      image.xattrs = before.xattrs;
    } else {
      image.mode = file.mode;
      image.uid = owner().uid;
      image.gid = owner().gid;
    }
    return image;
  }

  // --- bytes
  Bytes theirs(size_t index) const {
    return [bundle = bundle_, index](const codec::Sink& sink) { return bundle->read(index, sink); };
  }

  Result<std::string> text_of(const Bytes& bytes) const {
    std::string text;
    RETURN_IF_ERROR(bytes([&](std::span<const std::byte> piece) -> Status {
      text += as_text(piece);
      return {};
    }));
    return text;
  }

  // The user's, as the backup has it.
  Result<std::string> my_text(const LogicalPath& path, const Image& before) const {
    ASSIGN_OR_RETURN(const auto mine, read_managed_text(session_.fs(), present_.snapshot, path));
    if (!mine && before.kind == ImageKind::kSymlink)
      return make_error(ErrorCode::kConflict,
                        "is a link to " + escape(before.link_text) +
                            ", which leads nowhere, or out of the home and the project",
                        path.display())
          .with_untouched("Nothing was changed.")
          .with_remedy(
              "If what it leads to is yours, write through it: add "
              "--follow-outside-links. If that is gone: stravinsky recovery file " +
              shell_quote(path.display()));
    if (!mine)
      return make_error(ErrorCode::kConflict, "is not a file that can be merged into",
                        path.display());
    if (codec::sha256(*mine) != before.sha256)
      return make_error(ErrorCode::kChanged, "was changed by somebody else meanwhile",
                        path.display());
    return *mine;
  }

  Result<std::string> read_base(const fs::RelPath& path) {
    if (!base_content_) {
      ASSIGN_OR_RETURN(base_content_, session_.bundles().open(base_->id));
    }
    return text_of([&](const codec::Sink& sink) { return base_content_->read(path, sink); });
  }

  // nullopt when the kept bundle is damaged there.
  Result<std::optional<std::string>> base_text(const store::BundleFile& base) {
    auto text = read_base(base.path);
    if (text) return std::move(*text);
    if (text.error().code != ErrorCode::kCorrupt && !is_not_found(text.error()))
      return std::move(text).error();
    proposal_.warnings.push_back("what was installed before cannot be read: " +
                                 text.error().to_string());
    return std::nullopt;
  }

  // --- what is proposed
  void report(FileAction action, const LogicalPath& path, const Image& before, const Image& after,
              std::string note, std::string command = {}) {
    proposal_.files.push_back({.action = action,
                               .path = path.display(),
                               .note = std::move(note),
                               .command = std::move(command),
                               .old_hash = hash_of(before),
                               .new_hash = hash_of(after)});
  }

  void keep(const LogicalPath& path, const Image& before, std::string note) {
    report(FileAction::kKeepMine, path, before, before, std::move(note));
  }

  void put(const LogicalPath& path, FileAction action, const Image& before, const Image& after,
           Bytes bytes, std::string note = {}, std::string command = {}) {
    report(action, path, before, after, std::move(note), std::move(command));
    proposal_.edits.emplace(path, Edit{.after = after, .bytes = std::move(bytes)});
  }

  void put_text(const LogicalPath& path, FileAction action, const Image& before, Image after,
                std::string text, std::string note) {
    after.sha256 = codec::sha256(text);
    after.size_bytes = text.size();
    put(path, action, before, after, bytes_of_text(std::move(text)), std::move(note));
  }

  void set_aside_mine(const LogicalPath& path, const Image& before) {
    proposal_.set_aside.push_back(
        {.path = path, .whose = Side::kMine, .mode = before.mode, .bytes = {}});
  }

  void set_aside_theirs(size_t index) {
    const store::BundleFile& file = bundle_->files()[index];
    proposal_.set_aside.push_back(
        {.path = path_of(file), .whose = Side::kTheirs, .mode = file.mode, .bytes = theirs(index)});
  }

  // nullopt: nobody decided, and it was noted.
  Result<std::optional<Side>> decide(MergePolicy policy, const LogicalPath& path,
                                     const Image& before, const std::string& why) {
    if (policy == MergePolicy::kKeepMine) return Side::kMine;
    if (policy == MergePolicy::kTakeTheirs) return Side::kTheirs;
    if (policy == MergePolicy::kAsk && update_.ask) {
      if (!session_.is_dry_run()) {
        ASSIGN_OR_RETURN(const Side side, update_.ask({.path = path.display(), .why = why}));
        return side;
      }
      report(FileAction::kConflict, path, before, before, why + ": you will be asked");
      return std::nullopt;
    }
    undecided_.push_back(path.display() + ": " + why);
    return std::nullopt;
  }

  Error undecided() const {
    std::string list;
    for (const std::string& one : undecided_) list += "\n  " + one;
    return make_error(ErrorCode::kConflict,
                      fmt::format("{} {} a decision:{}", undecided_.size(),
                                  undecided_.size() == 1 ? "file needs" : "files need", list))
        .with_untouched("Nothing was changed.")
        .with_remedy(base_
                         ? "Choose with --conflict keep-mine or --conflict take-theirs; the other "
                           "side is kept in the store either way."
                         : "Choose with --unknown-base keep-mine or --unknown-base take-theirs; or "
                           "say what is installed: stravinsky adopt VERSION --from SOURCE.");
  }

  // Both sides have something else: one is in force, the other is set aside.
  Status settle(size_t index, MergePolicy policy, const LogicalPath& path, const Image& before,
                const std::string& why) {
    ASSIGN_OR_RETURN(const auto side, decide(policy, path, before, why));
    if (!side) return {};
    if (*side == Side::kMine) {
      report(FileAction::kConflict, path, before, before,
             why + ": yours stays, the new one is set aside");
      set_aside_theirs(index);
      return {};
    }
    const Image after = after_image(bundle_->files()[index], before);
    put(path, FileAction::kConflict, before, after, theirs(index),
        why + ": the new one is in place, yours is set aside");
    set_aside_mine(path, before);
    return {};
  }

  // --- any file but settings
  Status bring(size_t index) {
    const store::BundleFile& file = bundle_->files()[index];
    const LogicalPath path = path_of(file);
    const Image before = now(path);
    const store::BundleFile* base = base_ ? base_->find(file.path) : nullptr;
    if (before.is_absent()) {
      if (base == nullptr) {
        put(path, FileAction::kAdd, before, after_image(file, before), theirs(index));
      } else {
        keep(path, before, "you deleted it: it stays deleted");
      }
      return {};
    }
    if (before.kind == ImageKind::kFile && before.same_as(after_image(file, before))) return {};
    if (!base_) return bring_to_unknown(index, path, before);
    if (base == nullptr && before.kind == ImageKind::kDirectory && holds_only_what_goes(path)) {
      put(path, FileAction::kAdd, Image(), after_image(file, Image()), theirs(index));
      return {};
    }
    if (base == nullptr)
      return settle(index, update_.conflict, path, before, "you made a file of this name");
    if (before.kind != ImageKind::kFile) {
      if (file.sha256 != base->sha256)
        return settle(index, update_.conflict, path, before, "you put something else in its place");
      keep(path, before, "you changed it: yours stays");
      return {};
    }
    return merge(index, path, before, *base);
  }

  // A directory of the package's that becomes a file: everything in it is as it was
  // shipped, and goes with this update.
  bool holds_only_what_goes(const LogicalPath& directory) const {
    const std::string beneath = directory.path.str() + "/";
    return std::ranges::all_of(present_.known, [&](const auto& node) {
      const auto& [path, image] = node;
      if (path.scope != directory.scope || !path.path.str().starts_with(beneath)) return true;
      if (image.kind == ImageKind::kDirectory) return true;
      const store::BundleFile* old = base_->find(path.path);
      return old != nullptr && image.kind == ImageKind::kFile && image.sha256 == old->sha256 &&
             is_executable(image.mode) == is_executable(old->mode);
    });
  }

  Status bring_to_unknown(size_t index, const LogicalPath& path, const Image& before) {
    const store::BundleFile& file = bundle_->files()[index];
    // A link is the user's own arrangement, and no file is ever renamed over one.
    if (before.kind == ImageKind::kSymlink)
      return settle(index, MergePolicy::kKeepMine, path, before, "a link of yours stands there");
    const Image after = after_image(file, before);
    if (was_shipped(file.path, before)) {
      put(path, FileAction::kChange, before, after, theirs(index));
      return {};
    }
    if (update_.unknown_base != MergePolicy::kTakeTheirs || !is_backed_up())
      return settle(index, update_.unknown_base, path, before, std::string(kUnknown));
    put(path, FileAction::kReplaceTheirs, before, after, theirs(index),
        std::string(kUnknown) + "; the old one is in the backup", command_for_old_one(path));
    return {};
  }

  bool is_backed_up() const {
    return session_.is_dry_run() ? session_.config().boolean("update.auto_backup_before_update")
                                 : !present_.backup_id.empty();
  }

  // A dry run takes no backup that could be named.
  std::string command_for_old_one(const LogicalPath& path) const {
    std::string command = "stravinsky recovery file " + shell_quote(path.display());
    if (!present_.backup_id.empty()) command += " " + present_.backup_id;
    return command;
  }

  // A file of the installed version, of the new one, and in the tree.
  Status merge(size_t index, const LogicalPath& path, const Image& before,
               const store::BundleFile& base) {
    const store::BundleFile& file = bundle_->files()[index];
    Image after = after_image(file, before, base.mode);
    const bool is_mine_changed = before.sha256 != base.sha256;
    const bool is_theirs_changed = file.sha256 != base.sha256;
    if (!is_mine_changed || before.sha256 == file.sha256) {
      if (before.same_as(after)) {
        keep(path, before, "you changed its mode: yours stays");
      } else {
        put(path, FileAction::kChange, before, after, theirs(index));
      }
      return {};
    }
    const bool is_exec_changed = is_executable(after.mode) != is_executable(before.mode);
    if (!is_theirs_changed && !is_exec_changed) {
      keep(path, before, "you changed it: yours stays");
      return {};
    }
    ASSIGN_OR_RETURN(std::string mine, my_text(path, before));
    if (!is_theirs_changed) {
      put_text(path, FileAction::kMerge, before, after, std::move(mine),
               "your text, the new exec bit");
      return {};
    }
    ASSIGN_OR_RETURN(const auto base_bytes, base_text(base));
    if (!base_bytes)
      return settle(index, update_.conflict, path, before, "you changed it, and so did the update");
    ASSIGN_OR_RETURN(const std::string new_text, text_of(theirs(index)));
    model::TextMerge merged = model::merge3(*base_bytes, mine, new_text);
    if (!merged.text)
      return settle(index, update_.conflict, path, before,
                    "you changed it, and so did the update (" + merged.why + ")");
    const checks::MergedText whole{
        .name = file.path.str(), .theirs = new_text, .text = *merged.text};
    if (const auto why = checks::merge_fault(whole, references_to(path), session_.judge()))
      return settle(index, update_.conflict, path, before,
                    "you changed it, and so did the update (both together: " + *why + ")");
    put_text(path, FileAction::kMerge, before, after, std::move(*merged.text),
             "your changes and the new ones");
    return {};
  }

  // The places in the user's settings and the new ones that run the file: they may be all
  // that tells its language.
  std::span<const model::ReferencedFile> references_to(const LogicalPath& path) {
    if (!references_) {
      references_.emplace();
      for (const auto& [at, image] : present_.known) {
        if (!is_settings(at.path) || image.kind != ImageKind::kFile) continue;
        // Settings that change at this moment tell nothing; whether that matters is said
        // where they are merged.
        if (const auto settings = my_text(at, image)) add_references(*settings, at.scope);
      }
      for (size_t i = 0; i < bundle_->files().size(); ++i)
        if (is_settings(bundle_->files()[i].path))
          add_references(bundle_->content(i), update_.scope);
    }
    const auto found = references_->find(path);
    if (found == references_->end()) return {};
    return found->second;
  }

  void add_references(std::string_view settings, model::Scope scope) {
    const auto found = model::find_hook_references(settings, scope, session_.hook_roots());
    if (!found) return;
    for (const model::HookReference& reference : *found)
      for (const model::ReferencedFile& file : reference.files)
        if (const auto path = file.logical()) (*references_)[*path].push_back(file);
  }

  Status remove_what_is_gone() {
    std::set<fs::RelPath> arriving;
    for (const store::BundleFile& file : bundle_->files()) arriving.insert(file.path);
    for (const store::BundleFile& old : base_->files) {
      if (arriving.contains(old.path)) continue;
      const LogicalPath path = path_of(old);
      const Image before = now(path);
      if (before.is_absent()) continue;
      if (is_settings(old.path)) {
        RETURN_IF_ERROR(merge_settings(path, before, &old, std::nullopt));
        continue;
      }
      const bool is_untouched = before.kind == ImageKind::kFile && before.sha256 == old.sha256 &&
                                is_executable(before.mode) == is_executable(old.mode);
      if (!is_untouched) {
        keep(path, before, "the new version lacks it, but you changed it: it stays");
        continue;
      }
      report(FileAction::kDelete, path, before, Image(), "");
      proposal_.edits.emplace(path, Edit{});
      remove_emptied_parents(old.path);
    }
    return {};
  }

  // A directory that held only what goes, goes too; the component's own stays.
  void remove_emptied_parents(const fs::RelPath& path) {
    for (fs::RelPath at = path; at.has_parent() && at.parent().has_parent(); at = at.parent())
      proposal_.edits.try_emplace(LogicalPath{update_.scope, at.parent()}, Edit{});
  }

  // --- settings
  Status bring_settings(size_t index) {
    const store::BundleFile& file = bundle_->files()[index];
    const LogicalPath path = path_of(file);
    const Image before = now(path);
    const store::BundleFile* base = base_ ? base_->find(file.path) : nullptr;
    if (before.kind == ImageKind::kFile && before.sha256 == file.sha256) return {};
    // What could not be merged by the next update is not brought by this one.
    ASSIGN_OR_RETURN(const std::string text, text_of(theirs(index)));
    if (const auto usable = model::merge_settings_additive("{}", text); !usable)
      return settings_error(usable.error(), path);
    if (before.is_absent()) {
      if (base == nullptr) {
        put(path, FileAction::kAdd, before, after_image(file, before), theirs(index));
      } else {
        keep(path, before, "you deleted it: it stays deleted");
      }
      return {};
    }
    if (base != nullptr && before.kind == ImageKind::kFile && before.sha256 == base->sha256) {
      put(path, FileAction::kChange, before, after_image(file, before, base->mode), theirs(index));
      return {};
    }
    return merge_settings(path, before, base, index);
  }

  // index: in the new bundle, which lacks the file without one. It is never deleted: it
  // would have to go before the hooks that it names, which go last.
  Status merge_settings(const LogicalPath& path, const Image& before, const store::BundleFile* base,
                        std::optional<size_t> index) {
    ASSIGN_OR_RETURN(const std::string mine, my_text(path, before));
    if (mine.find_first_not_of(" \t\r\n") == std::string::npos) {
      if (index)
        put(path, FileAction::kChange, before, after_image(bundle_->files()[*index], before),
            theirs(*index), "it was empty");
      return {};
    }
    std::string new_text = "{}";
    if (index) {
      ASSIGN_OR_RETURN(new_text, text_of(theirs(*index)));
    }
    std::optional<std::string> old_text;
    if (base != nullptr) {
      ASSIGN_OR_RETURN(old_text, base_text(*base));
    }
    const auto merge = [&](Side in_force) {
      return old_text ? model::merge_settings(*old_text, mine, new_text, in_force)
                      : model::merge_settings_additive(mine, new_text);
    };
    auto merged = merge(Side::kMine);
    if (!merged) return settings_error(std::move(merged).error(), path);
    std::string note;
    FileAction action = FileAction::kMerge;
    if (!merged->conflicts.empty()) {
      action = FileAction::kConflict;
      const std::string why = "you changed it, and so did the update, at " +
                              fmt::to_string(fmt::join(merged->conflicts, ", "));
      ASSIGN_OR_RETURN(const auto side, decide(update_.conflict, path, before, why));
      if (!side) return {};
      note = why + (*side == Side::kMine ? ": yours stays, the new one is set aside"
                                         : ": the new one is in place, yours is set aside");
      if (*side == Side::kTheirs) {
        merged = merge(Side::kTheirs);
        if (!merged) return settings_error(std::move(merged).error(), path);
        set_aside_mine(path, before);
      } else if (index) {
        set_aside_theirs(*index);
      } else {
        proposal_.set_aside.push_back({.path = path,
                                       .whose = Side::kTheirs,
                                       .mode = before.mode,
                                       .bytes = bytes_of_text(new_text)});
      }
    }
    add_to_note(note, "added", merged->added);
    add_to_note(note, "changed", merged->changed);
    add_to_note(note, "removed", merged->removed);
    if (merged->text != mine) {
      put_text(path, action, before, before, std::move(merged->text), std::move(note));
    } else if (action == FileAction::kConflict) {
      report(action, path, before, before, std::move(note));
    }
    return {};
  }

  static void add_to_note(std::string& note, std::string_view verb,
                          const std::vector<std::string>& paths) {
    if (paths.empty()) return;
    if (!note.empty()) note += "; ";
    note += fmt::format("{} {}", verb, fmt::join(paths, ", "));
  }

  static Error settings_error(Error error, const LogicalPath& path) {
    const bool mine_is_wrong = error.code == ErrorCode::kConflict;
    error.code = ErrorCode::kChecksRefused;
    error.path = path.display();
    error.remedy = mine_is_wrong
                       ? "Mend the file (your copy is in the backup as it is), or move it away."
                       : "The bundle's own settings are wrong; ask its author.";
    return error;
  }

  Session& session_;
  const UpdateProposal& update_;
  std::shared_ptr<const store::Bundle> bundle_;
  const Present& present_;
  std::optional<store::InstalledBundle> base_;
  std::optional<store::BundleContent> base_content_;  // opened at the first merge
  // Contents that earlier versions in the store had, without a base.
  std::map<fs::RelPath, std::set<codec::Digest>> shipped_;
  // Which file is run where, from the first merge on.
  std::optional<std::map<LogicalPath, std::vector<model::ReferencedFile>>> references_;
  std::vector<std::string> undecided_;
  mutable std::optional<fs::Stat> owner_;
  Proposal proposal_;
};

}  // namespace

Result<Proposal> propose_update(Session& session, const UpdateProposal& update,
                                const Present& present) {
  UpdateProposer proposer(session, update, present);
  return proposer.propose();
}

}  // namespace stravinsky::engine
