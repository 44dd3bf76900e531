#include "engine/updater.h"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "base/strings.h"
#include "engine/open_source.h"
#include "engine/operation.h"
#include "engine/present_tree.h"
#include "model/settings_merge.h"
#include "store/bundle.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::TransactionKind;

constexpr uint32_t kExecBits = 0111;

using SharedBundle = std::shared_ptr<const store::Bundle>;

std::string hash_of(const Image& image) {
  return image.kind == ImageKind::kFile ? image.sha256.hex() : std::string();
}

// Decides what becomes of every file of the new bundle and of the old one.
class UpdateProposer {
 public:
  UpdateProposer(Session& session, const SharedBundle& bundle, model::Scope scope,
                 const Present& present)
      : session_(session), bundle_(bundle), scope_(scope), present_(present) {}

  Result<Proposal> propose() {
    if (!present_.state.bundle.empty() && session_.has_store()) {
      auto base = session_.bundles().load(present_.state.bundle);
      // Another package's files are no base for this one's: nothing of them goes.
      if (base && base->scope == scope_ && base->name == bundle_->name()) {
        base_ = std::move(*base);
      } else if (!base) {
        // Gone or damaged for good: go on without. Anything else may pass, and taking
        // the user's files for unknown ones would replace them.
        if (!is_not_found(base.error()) && base.error().code != ErrorCode::kCorrupt)
          return Error(std::move(base).error().with_context("while reading what is installed"));
        proposal_.warnings.push_back("what was installed before is not known any more: " +
                                     base.error().to_string());
      }
    }
    for (size_t i = 0; i < bundle_->files().size(); ++i) {
      const store::BundleFile& file = bundle_->files()[i];
      if (is_settings(file.path)) {
        RETURN_IF_ERROR(merge_settings(i));
      } else {
        bring(i);
      }
    }
    if (base_) remove_what_is_gone();
    return std::move(proposal_);
  }

 private:
  static bool is_settings(const fs::RelPath& path) {
    return path.str() == "settings.json" || path.str() == "settings.local.json";
  }

  Image now(const LogicalPath& path) const {
    const auto known = present_.known.find(path);
    return known == present_.known.end() ? Image() : known->second;
  }

  // The owner, and what is not the exec bit of the mode, stay the user's.
  Image after_image(const store::BundleFile& file, const Image& before) const {
    Image image;
    image.kind = ImageKind::kFile;
    image.sha256 = file.sha256;
    image.size_bytes = file.size_bytes;
    if (before.kind == ImageKind::kFile) {
      image.mode = (before.mode & ~kExecBits) | (exec_bits_for(before.mode) & file.mode);
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

  // Whoever may read a script may run it.
  static uint32_t exec_bits_for(uint32_t mode) { return (mode & 0444U) >> 2U; }

  // New files belong to whom the root belongs.
  const fs::Stat& owner() const {
    if (!owner_) {
      owner_ = fs::Stat();
      owner_->uid = session_.environment().user_id;
      owner_->gid = owner_->uid;
      const store::Root* root = session_.roots().of(scope_);
      if (root != nullptr) {
        if (auto dir = fs::File::open_root(session_.fs(), root->path)) {
          if (const auto stat = session_.fs().stat_fd(dir->fd())) owner_ = *stat;
        }
      }
    }
    return *owner_;
  }

  Bytes bytes_of(size_t index) const {
    return [bundle = bundle_, index](const codec::Sink& sink) { return bundle->read(index, sink); };
  }

  void report(FileAction action, const LogicalPath& path, const Image& before, const Image& after,
              std::string note, std::string command = {}) {
    proposal_.files.push_back({.action = action,
                               .path = path.display(),
                               .note = std::move(note),
                               .command = std::move(command),
                               .old_hash = hash_of(before),
                               .new_hash = hash_of(after)});
  }

  void put(size_t index, const LogicalPath& path, FileAction action, const Image& before,
           std::string note = {}, std::string command = {}) {
    const Image after = after_image(bundle_->files()[index], before);
    report(action, path, before, after, std::move(note), std::move(command));
    proposal_.edits.emplace(path, Edit{.after = after, .bytes = bytes_of(index)});
  }

  bool is_untouched(const Image& image, const store::BundleFile& base) const {
    return image.kind == ImageKind::kFile && image.sha256 == base.sha256 &&
           ((image.mode & kExecBits) != 0) == ((base.mode & kExecBits) != 0);
  }

  void bring(size_t index) {
    const store::BundleFile& file = bundle_->files()[index];
    const LogicalPath path{scope_, file.path};
    const Image before = now(path);
    const store::BundleFile* base = base_ ? base_->find(file.path) : nullptr;
    if (before.is_absent()) {
      if (base == nullptr) {
        put(index, path, FileAction::kAdd, before);
      } else {
        report(FileAction::kKeepMine, path, before, before, "you deleted it: it stays deleted");
      }
      return;
    }
    if (before.kind == ImageKind::kFile && before.same_as(after_image(file, before))) return;
    if (!base_) {
      put(index, path, FileAction::kReplaceTheirs, before,
          "nobody knows whether you changed it; the old one is in the backup",
          "stravinsky recovery file " + shell_quote(path.display()) + " " + backup_name());
    } else if (base == nullptr) {
      report(FileAction::kKeepMine, path, before, before,
             "you made a file of this name: yours stays");
    } else if (is_untouched(before, *base)) {
      put(index, path, FileAction::kChange, before);
    } else {
      report(FileAction::kKeepMine, path, before, before, "you changed it: yours stays");
    }
  }

  std::string backup_name() const {
    return present_.latest.newest_backup.empty() ? "BACKUP" : present_.latest.newest_backup;
  }

  void remove_what_is_gone() {
    std::set<fs::RelPath> arriving;
    for (const store::BundleFile& file : bundle_->files()) arriving.insert(file.path);
    for (const store::BundleFile& old : base_->files) {
      if (arriving.contains(old.path) || is_settings(old.path)) continue;
      const LogicalPath path{scope_, old.path};
      const Image before = now(path);
      if (before.is_absent()) continue;
      if (!is_untouched(before, old)) {
        report(FileAction::kKeepMine, path, before, before,
               "the new version lacks it, but you changed it: it stays");
        continue;
      }
      report(FileAction::kDelete, path, before, Image(), "");
      proposal_.edits.emplace(path, Edit{});
      remove_emptied_parents(old.path);
    }
  }

  // A directory that held only what goes, goes too; the component's own stays.
  void remove_emptied_parents(const fs::RelPath& path) {
    for (fs::RelPath at = path; at.has_parent() && at.parent().has_parent(); at = at.parent())
      proposal_.edits.try_emplace(LogicalPath{scope_, at.parent()}, Edit{});
  }

  Result<std::string> text_of(size_t index) const {
    std::string text;
    RETURN_IF_ERROR(bundle_->read(index, [&](std::span<const std::byte> piece) -> Status {
      text += as_text(piece);
      return {};
    }));
    return text;
  }

  Status merge_settings(size_t index) {
    const store::BundleFile& file = bundle_->files()[index];
    const LogicalPath path{scope_, file.path};
    const Image before = now(path);
    if (before.is_absent()) {
      put(index, path, FileAction::kAdd, before);
      return {};
    }
    ASSIGN_OR_RETURN(const auto mine, read_managed_text(session_.fs(), present_.snapshot, path));
    if (!mine)
      return make_error(ErrorCode::kConflict, "is not a file that can be merged into",
                        path.display());
    if (codec::sha256(*mine) != before.sha256)
      return make_error(ErrorCode::kChanged, "was changed by somebody else meanwhile",
                        path.display());
    ASSIGN_OR_RETURN(const std::string theirs, text_of(index));
    if (mine->find_first_not_of(" \t\r\n") == std::string::npos) {
      put(index, path, FileAction::kChange, before, "it was empty");
      return {};
    }
    auto merged = model::merge_settings_additive(*mine, theirs);
    if (!merged) {
      Error error = std::move(merged).error();
      const bool mine_is_wrong = error.code == ErrorCode::kConflict;
      error.code = ErrorCode::kChecksRefused;
      error.path = path.display();
      error.remedy = mine_is_wrong
                         ? "Mend the file (your copy is in the backup as it is), or move it away."
                         : "The bundle's own settings are wrong; ask its author.";
      return error;
    }
    if (merged->text == *mine) return {};
    Image after = before;
    after.sha256 = codec::sha256(merged->text);
    after.size_bytes = merged->text.size();
    std::string note;
    for (const std::string& added : merged->added) note += (note.empty() ? "added " : ", ") + added;
    report(FileAction::kMerge, path, before, after, std::move(note));
    const auto text = std::make_shared<const std::string>(std::move(merged->text));
    proposal_.edits.emplace(path, Edit{.after = after, .bytes = [text](const codec::Sink& sink) {
                                         return sink(as_byte_span(*text));
                                       }});
    return {};
  }

  Session& session_;
  const SharedBundle& bundle_;
  model::Scope scope_;
  const Present& present_;
  std::optional<store::InstalledBundle> base_;
  mutable std::optional<fs::Stat> owner_;
  Proposal proposal_;
};

Result<model::Version> version_of(const UpdateRequest& request, const store::Bundle& bundle) {
  if (request.version) return model::Version::parse(*request.version);
  if (bundle.version()) return *bundle.version();
  return make_error(ErrorCode::kUsage, "the bundle does not say its version", request.source)
      .with_untouched("Nothing was changed.")
      .with_remedy("Give it: stravinsky update VERSION --from " + shell_quote(request.source));
}

}  // namespace

Result<OperationResult> update(Session& session, const UpdateRequest& request) {
  ASSIGN_OR_RETURN(store::Bundle opened, open_source(session, {.source = request.source,
                                                               .subdir = request.subdir,
                                                               .sha256 = request.sha256,
                                                               .scope = request.scope}));
  const auto bundle = std::make_shared<const store::Bundle>(std::move(opened));
  ASSIGN_OR_RETURN(const model::Version version, version_of(request, *bundle));
  if (session.roots().of(request.scope) == nullptr)
    return make_error(ErrorCode::kNotFound, "there is no project here")
        .with_untouched("Nothing was changed.")
        .with_remedy("Name it with --project DIR.");
  OperationRequest operation;
  operation.kind = TransactionKind::kUpdate;
  operation.backup_kind = model::BackupKind::kPreUpdate;
  operation.announced_version = version.str();
  operation.tree = session.roots().of(request.scope)->path;
  operation.propose = [&](const Present& present) -> Result<Proposal> {
    if (request.downgrade == Downgrade::kRefuse)
      RETURN_IF_ERROR(refuse_downgrade(session, present.state, *bundle, version));
    UpdateProposer proposer(session, bundle, request.scope, present);
    ASSIGN_OR_RETURN(Proposal proposal, proposer.propose());
    proposal.to_version = version.str();
    if (!session.is_dry_run()) {
      ASSIGN_OR_RETURN_WHILE(proposal.to_bundle,
                             session.bundles().save(*bundle, version, request.scope),
                             "while keeping the bundle");
    }
    proposal.warnings.insert(proposal.warnings.end(), bundle->warnings().begin(),
                             bundle->warnings().end());
    return proposal;
  };
  return run_operation(session, operation);
}

}  // namespace stravinsky::engine
