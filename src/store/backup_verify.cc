#include "store/backup_verify.h"

#include <iterator>

#include "base/mutant.h"
#include "base/strings.h"

namespace stravinsky::store {
namespace {

std::vector<codec::ArchiveMember> members_of(const model::Manifest& manifest,
                                             const model::Component& component) {
  std::vector<codec::ArchiveMember> members;
  for (const model::Entry& entry : manifest.entries)
    if (entry.component == &component && entry.in_archive())
      members.push_back(model::archive_member_of(entry));
  return members;
}

}  // namespace

std::string to_string(const BackupProblem& problem) {
  std::string text = problem.file;
  if (!problem.member.empty()) text += ": " + escape(problem.member);
  return text + ": " + problem.message;
}

Result<bool> is_as_recorded(fs::FileSystem& fs, fs::Fd file, const model::StoredFile& recorded) {
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(file));
  if (stat.size_bytes != recorded.size_bytes) return false;
  fs.advise(file, fs::Advice::kDropCache);
  ASSIGN_OR_RETURN(const codec::Digest digest, codec::hash_file(fs, file));
  return digest == recorded.sha256 || MUTANT(backup_hash_not_compared);
}

std::vector<BackupProblem> verify_file(fs::FileSystem& fs, fs::Fd dir,
                                       const model::Manifest& manifest,
                                       const model::StoredFile& file, VerifyDepth depth,
                                       int threads) {
  const std::string name = model::stored_name(*file.component, file.scope);
  const auto only = [&](std::string message) {
    return std::vector<BackupProblem>{{.file = name, .member = {}, .message = std::move(message)}};
  };
  const auto opened = fs::File::open(fs, dir, fs::RelPath::of(name), fs::OpenMode::kRead);
  if (!opened) return only(is_not_found(opened.error()) ? "it is missing" : opened.error().message);
  const auto good = is_as_recorded(fs, opened->fd(), file);
  if (!good) return only(good.error().message);
  std::vector<BackupProblem> problems;
  if (!*good) problems = only("its bytes are not those that were written");
  const bool is_archive = file.component->kind != model::ComponentKind::kFile;
  if (depth == VerifyDepth::kQuick || !is_archive || MUTANT(backup_members_not_verified))
    return problems;
  const auto members = members_of(manifest, *file.component);
  auto damaged = codec::verify_members(fs, opened->fd(), members, threads);
  if (!damaged) return only(damaged.error().message);
  for (codec::MemberProblem& member : *damaged)
    problems.push_back({name, std::move(member.path), std::move(member.message)});
  return problems;
}

std::vector<BackupProblem> verify_files(fs::FileSystem& fs, fs::Fd dir,
                                        const model::Manifest& manifest, VerifyDepth depth,
                                        int threads) {
  std::vector<BackupProblem> problems;
  for (const model::StoredFile& file : manifest.files) {
    if (!file.is_written()) continue;
    std::ranges::move(verify_file(fs, dir, manifest, file, depth, threads),
                      std::back_inserter(problems));
  }
  return problems;
}

}  // namespace stravinsky::store
