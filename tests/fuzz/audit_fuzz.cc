// An audit log, as it stands and with its hashes and its chain set right; and its head.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/strings.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "fs/file.h"
#include "fuzz_target.h"
#include "model/audit_event.h"
#include "store/audit_query.h"
#include "store/audit_scan.h"
#include "testing/mem_fs.h"

using namespace stravinsky;

namespace {

std::string with_chain(std::string_view log) {
  std::string out;
  std::string previous(2 * codec::Digest{}.bytes.size(), '0');
  for (const std::string_view line : split(log, '\n')) {
    if (line.empty()) continue;
    nlohmann::json event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) {
      out += std::string(line) + "\n";
      continue;
    }
    event.erase("hash");
    event["prev_hash"] = previous;
    if (!codec::has_canonical_form(event)) continue;
    previous = codec::sha256("stravinsky-audit-event-v1\n" + codec::canonical_json(event)).hex();
    event["hash"] = previous;
    out += codec::canonical_json(event) + "\n";
  }
  return out;
}

void read_log(const std::string& log, const std::optional<model::AuditHead>& head) {
  stravinsky::testing::MemFs disk;
  disk.write_file("/log", log);
  const auto root = fs::File::open_root(disk, "/");
  CHECK(root.has_value());
  const auto file = fs::File::open(disk, root->fd(), fs::RelPath::of("log"), fs::OpenMode::kRead);
  CHECK(file.has_value());
  const auto scan = store::scan_audit_log(disk, file->fd(), log.size(), head);
  CHECK(scan.has_value());
  CHECK(scan->end.size_bytes <= log.size());
  CHECK(!scan->verdict.ok() || scan->end.size_bytes == log.size());
  CHECK(scan->verdict.ok() == scan->verdict.message.empty());
  // A line can be a link of the chain and no event that can be shown: it is passed over.
  CHECK(store::visit_audit_log(disk, file->fd(), log.size(), [](const model::AuditRecord&) {
        }).has_value());
}

}  // namespace

FUZZ_TARGET(audit) {
  const auto texts = fuzz::parts(input, 2);
  const auto head = model::parse_audit_head(texts[1]);
  const std::optional<model::AuditHead> known =
      head ? std::optional<model::AuditHead>(*head) : std::nullopt;
  read_log(std::string(texts[0]), std::nullopt);
  read_log(with_chain(texts[0]), std::nullopt);
  if (known) read_log(with_chain(texts[0]), known);
  for (const std::string_view line : split(texts[0], '\n')) {
    const auto record = model::parse_audit_line(line);
    if (record) CHECK(model::check_audit_line(line).has_value());
  }
}
