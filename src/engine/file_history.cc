#include "engine/file_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "base/units.h"
#include "engine/managed_path.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "fs/new_file.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;

// What people read; of anything larger only the sizes are compared.
constexpr uint64_t kComparedMaxBytes = 4 * kBytesPerMegabyte;

using Lines = std::map<std::string_view, int64_t>;

Lines lines_of(std::string_view text) {
  Lines lines;
  for (const std::string_view line : split(text, '\n')) ++lines[line];
  return lines;
}

// How many lines one has more than the other, whatever their order. Never a line itself:
// it may be a secret of the settings.
std::string line_difference(std::string_view before, std::string_view after) {
  Lines balance = lines_of(after);
  for (const auto& [line, count] : lines_of(before)) balance[line] -= count;
  int64_t added = 0;
  int64_t removed = 0;
  for (const auto& [line, count] : balance) (count > 0 ? added : removed) += count;
  if (added == 0 && removed == 0) return "the lines in another order";
  return fmt::format("+{} -{} lines", added, -removed);
}

struct Copy {
  BackupHandle backup;
  const model::Entry* entry = nullptr;
};

std::optional<std::string> text_of(const Copy& copy) {
  if (copy.entry->size_bytes > kComparedMaxBytes) return std::nullopt;
  const auto text = copy.backup->read_text(*copy.entry, kComparedMaxBytes);
  if (!text || text->find('\0') != std::string::npos) return std::nullopt;
  return *text;
}

std::string difference(const Image& before, const Image& after, const Copy& old_copy,
                       const Copy& new_copy) {
  if (after.is_absent()) return "deleted";
  if (before.is_absent()) return "added";
  if (before.kind != after.kind)
    return fmt::format("from a {} to a {}", image_kind_name(before.kind),
                       image_kind_name(after.kind));
  if (after.kind == ImageKind::kSymlink) return "another link text";
  std::string text;
  if (before.sha256 != after.sha256) {
    const auto old_text = text_of(old_copy);
    const auto new_text = text_of(new_copy);
    text = old_text && new_text ? line_difference(*old_text, *new_text) : "other bytes";
  }
  if (before.mode != after.mode)
    text +=
        fmt::format("{}mode {:04o} to {:04o}", text.empty() ? "" : ", ", before.mode, after.mode);
  return text;
}

}  // namespace

Result<FileHistory> file_history(Session& session, const std::string& typed_path) {
  RETURN_IF_ERROR(refuse_without_store(session));
  ASSIGN_OR_RETURN(const LogicalPath path, managed_path(session, typed_path));
  FileHistory history{.path = path};
  session.manage_too({path});
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session.list_tree());
  ASSIGN_OR_RETURN(history.now, image_now(session.fs(), snapshot, history.path));
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  for (const auto& broken : list.broken) history.unreadable.push_back(broken.id);

  Copy last;  // of the state that was seen last
  const auto close_state = [&] {
    if (last.entry != nullptr)
      history.states.back().is_sound = passes_its_check(*last.backup, *last.entry).has_value();
  };
  bool was_directory = false;
  for (const store::BackupInfo& info : list.backups) {
    const auto backup = open_unverified(session, info.id);
    if (!backup) {
      history.unreadable.push_back(info.id);
      continue;
    }
    if (!is_of_tree_here(session, (*backup)->manifest(), history.path.scope)) continue;
    const model::Entry* entry = (*backup)->manifest().find(history.path);
    Image image = entry == nullptr ? Image() : stored_image(*entry);
    if (image.kind == ImageKind::kDirectory) {
      was_directory = true;
      image = Image();
    }
    if (history.states.empty() && image.is_absent()) continue;
    const Copy copy{*backup, image.is_absent() ? nullptr : entry};
    if (history.states.empty() || !history.states.back().image.same_as(image)) {
      close_state();
      FileState state{.image = image, .is_now = image.same_as(history.now)};
      if (!history.states.empty())
        state.difference = difference(history.states.back().image, image, last, copy);
      history.states.push_back(std::move(state));
    }
    FileState& state = history.states.back();
    state.backup_id = info.id;
    state.time_ns = info.time_ns;
    ++state.backups;
    last = copy;
  }
  close_state();
  if (history.states.empty())
    return was_directory || history.now.kind == ImageKind::kDirectory
               ? is_directory_not_file(history.path.display())
               : make_error(ErrorCode::kNotFound, "no backup has it", history.path.display())
                     .with_untouched("Nothing was changed.")
                     .with_remedy("See the backups with: stravinsky backup list");
  std::ranges::reverse(history.states);
  return history;
}

Result<CopiedOut> copy_out(Session& session, const std::string& typed_path,
                           const std::string& version_or_id, const std::string& absolute_to) {
  RETURN_IF_ERROR(refuse_without_store(session));
  ASSIGN_OR_RETURN(const LogicalPath path, managed_path(session, typed_path));
  CopiedOut out{.path = path, .to = absolute_to};
  const auto file_in = [&](const BackupHandle& backup) -> const model::Entry* {
    const model::Entry* entry = backup->manifest().find(out.path);
    const bool is_file =
        entry != nullptr && entry->is_stored() && entry->type == fs::NodeType::kFile;
    return is_file ? entry : nullptr;
  };
  BackupHandle backup;
  if (version_or_id.empty()) {
    ASSIGN_OR_RETURN(backup, newest_backup_that(session, out.path.scope, [&](const auto& one) {
                       const model::Entry* entry = file_in(one);
                       return entry != nullptr && passes_its_check(*one, *entry).has_value();
                     }));
  } else {
    ASSIGN_OR_RETURN(const std::string id,
                     session.backups().find(version_or_id, {.tree = session.roots().user.path}));
    ASSIGN_OR_RETURN(backup, open_unverified(session, id));
  }
  const model::Entry* entry = backup == nullptr ? nullptr : file_in(backup);
  if (entry == nullptr || !is_of_tree_here(session, backup->manifest(), out.path.scope))
    return make_error(ErrorCode::kNotFound,
                      backup == nullptr
                          ? std::string("no backup has a sound copy of it")
                          : "the backup " + backup->manifest().id + " has no such file",
                      out.path.display())
        .with_untouched("Nothing was written.")
        .with_remedy("See the backups with: stravinsky backup list");
  out.backup_id = backup->manifest().id;
  out.time_ns = backup->manifest().time_ns;
  out.size_bytes = entry->size_bytes;
  ASSIGN_OR_RETURN(const std::string bytes, backup->read_text(*entry, entry->size_bytes));
  if (session.is_dry_run()) return out;
  constexpr uint32_t kPermissions = 0777;
  constexpr uint32_t kPrivate = 0600;
  const bool may_be_secret = entry->component->name.starts_with("settings");
  RETURN_IF_ERROR(fs::write_new_file(session.fs(), absolute_to, bytes,
                                     may_be_secret ? kPrivate : entry->mode & kPermissions));
  return out;
}

}  // namespace stravinsky::engine
