#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/strings.h"
#include "codec/member_reader.h"
#include "codec/tar_gz.h"
#include "codec/threads.h"

namespace stravinsky::codec {
namespace {

// How many neighbouring members a thread verifies at a time.
constexpr size_t kReadClaimMembers = 16;

Status ignore(std::span<const std::byte> /*content*/) {
  return {};
}

}  // namespace

Status read_member(fs::FileSystem& fs, fs::Fd archive, const ArchiveMember& member,
                   const Sink& sink) {
  return MemberReader(fs, archive).read(member, sink);
}

Result<std::vector<MemberProblem>> verify_members(fs::FileSystem& fs, fs::Fd archive,
                                                  std::span<const ArchiveMember> members,
                                                  int threads) {
  std::vector<std::optional<Error>> errors(members.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    MemberReader reader(fs, archive);
    while (true) {
      const size_t first = next.fetch_add(kReadClaimMembers);
      if (first >= members.size()) return;
      const size_t end = std::min(first + kReadClaimMembers, members.size());
      for (size_t index = first; index < end; ++index) {
        Status verified = reader.read(members[index], ignore);
        if (!verified) errors[index] = std::move(verified).error();
      }
    }
  };
  {
    const bool few = members.size() <= kReadClaimMembers;
    const Threads others(few ? 0 : threads - 1, work);
    work();
  }
  std::vector<MemberProblem> problems;
  for (size_t index = 0; index < members.size(); ++index)
    if (errors[index]) problems.push_back({members[index].path, errors[index]->message});
  return problems;
}

Result<Digest> hash_file(fs::FileSystem& fs, fs::Fd file) {
  Sha256 hash;
  RETURN_IF_ERROR(fs::read_pieces(fs, file, [&](std::span<const std::byte> piece) -> Status {
    hash.update(piece);
    return {};
  }));
  return hash.finish();
}

}  // namespace stravinsky::codec
