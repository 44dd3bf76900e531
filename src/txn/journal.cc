#include "txn/journal.h"

#include "base/mutant.h"
#include "base/strings.h"
#include "codec/framed_records.h"
#include "fs/atomic_file.h"
#include "model/store_layout.h"
#include "txn/wire.h"

namespace stravinsky::txn {
namespace {

using model::Anchor;
using model::Change;
using model::ChangeOrder;
using model::ChangePlan;
using model::Image;
using model::ImageKind;
using model::LinkCheck;

constexpr uint32_t kImageDepthMax = 256;

std::string make_record(uint64_t sequence, Tag tag, std::string_view body) {
  std::string payload(1, static_cast<char>(tag));
  payload += body;
  return codec::frame_record(sequence, payload);
}

void put_image(WireWriter& out, const Image& image) {
  out.u8(static_cast<uint8_t>(image.kind));
  if (image.is_absent()) return;
  out.u32(image.mode);
  out.u32(image.uid);
  out.u32(image.gid);
  switch (image.kind) {
    case ImageKind::kFile:
      out.u64(image.size_bytes);
      out.raw(as_text(image.sha256.bytes));
      out.u32(static_cast<uint32_t>(image.xattrs.size()));
      for (const auto& [name, value] : image.xattrs) {
        out.text(name);
        out.text(value);
      }
      break;
    case ImageKind::kSymlink:
      out.text(image.link_text);
      break;
    case ImageKind::kDirectory:
      out.u32(static_cast<uint32_t>(image.children.size()));
      for (const auto& [name, child] : image.children) {
        out.text(name);
        put_image(out, child);
      }
      break;
    case ImageKind::kAbsent:
      break;
  }
}

Image get_image(WireReader& in, uint32_t depth) {
  Image image;
  const uint8_t kind = in.u8();
  if (kind > static_cast<uint8_t>(ImageKind::kDirectory) || depth > kImageDepthMax) in.fail();
  if (in.failed() || kind == static_cast<uint8_t>(ImageKind::kAbsent)) return image;
  image.kind = static_cast<ImageKind>(kind);
  image.mode = in.u32();
  image.uid = in.u32();
  image.gid = in.u32();
  if (image.kind == ImageKind::kFile) {
    image.size_bytes = in.u64();
    const auto digest = as_byte_span(in.raw(image.sha256.bytes.size()));
    if (in.failed()) return image;
    std::copy(digest.begin(), digest.end(), image.sha256.bytes.begin());
    for (uint32_t count = in.u32(); count > 0 && !in.failed(); --count) {
      std::string name = in.text();
      image.xattrs.emplace_back(std::move(name), in.text());
    }
  } else if (image.kind == ImageKind::kSymlink) {
    image.link_text = in.text();
  } else {
    for (uint32_t count = in.u32(); count > 0 && !in.failed(); --count) {
      std::string name = in.text();
      const auto checked = fs::RelPath::parse(name);
      if (!checked || checked->has_parent()) in.fail();
      image.children.emplace_back(std::move(name), get_image(in, depth + 1));
    }
  }
  return image;
}

void put_facts(WireWriter& out, const model::TransactionFacts& facts) {
  out.text(facts.id);
  out.u64(facts.sequence);
  out.u8(static_cast<uint8_t>(facts.kind));
  out.u64(static_cast<uint64_t>(facts.started_ns));
  for (const std::string* text :
       {&facts.from_version, &facts.to_version, &facts.from_bundle, &facts.to_bundle,
        &facts.backup_id, &facts.inverts, &facts.tree, &facts.user_root, &facts.project_root})
    out.text(*text);
}

model::TransactionFacts get_facts(WireReader& in) {
  model::TransactionFacts facts;
  facts.id = in.text();
  facts.sequence = in.u64();
  const uint8_t kind = in.u8();
  if (kind < 1 || kind > static_cast<uint8_t>(model::kLastTransactionKind)) {
    in.fail();
  } else {
    facts.kind = static_cast<model::TransactionKind>(kind);
  }
  facts.started_ns = static_cast<int64_t>(in.u64());
  for (std::string* text :
       {&facts.from_version, &facts.to_version, &facts.from_bundle, &facts.to_bundle,
        &facts.backup_id, &facts.inverts, &facts.tree, &facts.user_root, &facts.project_root})
    *text = in.text();
  return facts;
}

}  // namespace

std::string encode_plan(const ChangePlan& plan) {
  WireWriter out;
  out.u32(kJournalFormatVersion);
  put_facts(out, plan.facts);
  out.u32(static_cast<uint32_t>(plan.anchors.size()));
  for (const Anchor& anchor : plan.anchors) {
    out.text(anchor.directory);
    out.u64(anchor.inode);
  }
  out.u32(static_cast<uint32_t>(plan.links.size()));
  for (const LinkCheck& link : plan.links) {
    out.text(link.directory);
    out.text(link.name);
    out.text(link.text);
  }
  out.u32(static_cast<uint32_t>(plan.changes.size()));
  for (const Change& change : plan.changes) {
    out.u32(change.anchor);
    out.text(change.path.str());
    out.u8(change.logical.scope == model::Scope::kUser ? 0 : 1);
    out.text(change.logical.path.str());
    out.u8(static_cast<uint8_t>(change.order));
    put_image(out, change.before);
    put_image(out, change.after);
  }
  return out.take();
}

Result<ChangePlan> decode_plan(std::string_view body) {
  WireReader in(body);
  ChangePlan plan;
  const uint32_t version = in.u32();
  if (!in.failed() && version > kJournalFormatVersion) {
    return make_error(ErrorCode::kUnsupported, "the journal was written by a newer stravinsky")
        .with_remedy("Run the newer version, which can read it.");
  }
  if (version < 1) in.fail();
  plan.facts = get_facts(in);
  if (!model::layout::is_transaction_id(plan.facts.id)) in.fail();
  for (uint32_t count = in.u32(); count > 0 && !in.failed(); --count) {
    std::string directory = in.text();
    plan.anchors.push_back({.directory = std::move(directory), .inode = in.u64()});
    if (!plan.anchors.back().directory.starts_with('/')) in.fail();
  }
  for (uint32_t count = in.u32(); count > 0 && !in.failed(); --count) {
    std::string directory = in.text();
    std::string name = in.text();
    plan.links.push_back({std::move(directory), std::move(name), in.text()});
  }
  for (uint32_t count = in.u32(); count > 0 && !in.failed(); --count) {
    const uint32_t anchor = in.u32();
    const auto path = fs::RelPath::parse(in.text());
    const uint8_t scope = in.u8();
    const auto logical_path = fs::RelPath::parse(in.text());
    const uint8_t order = in.u8();
    Image before = get_image(in, 0);
    Image after = get_image(in, 0);
    if (!path || !logical_path || scope > 1 || anchor >= plan.anchors.size()) in.fail();
    if (order < 1 || order > static_cast<uint8_t>(ChangeOrder::kDeletion)) in.fail();
    if (in.failed()) break;
    const model::LogicalPath logical{scope == 0 ? model::Scope::kUser : model::Scope::kProject,
                                     *logical_path};
    plan.changes.push_back({.anchor = anchor,
                            .path = *path,
                            .logical = logical,
                            .display = logical.display(),
                            .order = static_cast<ChangeOrder>(order),
                            .before = std::move(before),
                            .after = std::move(after)});
  }
  if (!in.finished()) return make_error(ErrorCode::kCorrupt, "the journal's plan is not readable");
  return plan;
}

Result<JournalWriter> JournalWriter::create(fs::FileSystem& fs, fs::Fd dir) {
  ASSIGN_OR_RETURN(fs::File file, fs::File::open(fs, dir, model::layout::journal_name(),
                                                 fs::OpenMode::kCreateExclusive));
  return JournalWriter(fs, dir, std::move(file), {}, 0);
}

Result<JournalWriter> JournalWriter::reopen(fs::FileSystem& fs, fs::Fd dir, std::string_view valid,
                                            uint64_t record_count) {
  JournalWriter writer(fs, dir, fs::File(), std::string(valid), record_count);
  if (MUTANT(journal_reopened_in_place)) {
    ASSIGN_OR_RETURN(writer.file_, fs::File::open(fs, dir, model::layout::journal_name(),
                                                  fs::OpenMode::kReadWrite));
    return writer;
  }
  RETURN_IF_ERROR(writer.replace());
  return writer;
}

Status JournalWriter::restart(fs::FileSystem& fs, fs::Fd dir, const JournalContent& content) {
  std::string records = make_record(0, Tag::kBegin, encode_plan(content.plan));
  if (content.reached != TransactionState::kBegun) records += make_record(1, Tag::kApplying, "");
  if (content.reached == TransactionState::kCommitted) records += make_record(2, Tag::kCommit, "");
  if (content.reached == TransactionState::kAborted) records += make_record(2, Tag::kAborted, "");
  return fs::write_atomically(fs, dir, model::layout::journal_name(), records);
}

Status JournalWriter::append(Tag tag, std::string_view body, Durable durable) {
  if (in_doubt_ && !MUTANT(journal_goes_on_after_failed_sync)) RETURN_IF_ERROR(replace());
  const std::string record = make_record(count_, tag, body);
  RETURN_IF_ERROR_WHILE(fs_->write(file_.fd(), records_.size(), as_byte_span(record)),
                        "while writing the journal");
  if (durable == Durable::kYes) {
    if (auto synced = fs_->sync(file_.fd(), fs::SyncKind::kData); !synced) {
      in_doubt_ = true;
      return Error(std::move(synced).error().with_context("while writing the journal"));
    }
  }
  records_ += record;
  ++count_;
  return {};
}

Status JournalWriter::replace() {
  RETURN_IF_ERROR_WHILE(fs::write_atomically(*fs_, dir_, model::layout::journal_name(), records_),
                        "while rewriting the journal");
  ASSIGN_OR_RETURN(
      file_, fs::File::open(*fs_, dir_, model::layout::journal_name(), fs::OpenMode::kReadWrite));
  in_doubt_ = false;
  return {};
}

Status JournalWriter::close() {
  return file_.close();
}

namespace {

// Whether a record may follow what is there. A decision is made once and not revised.
bool may_follow(const JournalContent& content, Tag tag) {
  using enum TransactionState;
  const TransactionState now = content.state;
  if (now == kEnded || now == kInconsistent) return false;
  switch (tag) {
    case Tag::kBegin:
      return now == kNothing;
    case Tag::kApplying:
      return now == kBegun;
    case Tag::kCommit:
      return now == kApplying;
    case Tag::kAborted:  // also after an APPLYING that could not be written
      return now == kApplying || now == kBegun;
    case Tag::kPhase:
    case Tag::kAttempt:
    case Tag::kInconsistent:
      return now != kNothing;
    case Tag::kEnd:
      return now == kBegun || now == kCommitted || now == kAborted;
  }
  return false;
}

Status take_record(JournalContent& content, Tag tag, std::string_view body) {
  if (!may_follow(content, tag))
    return make_error(ErrorCode::kCorrupt, "a record stands where it cannot stand");
  switch (tag) {
    case Tag::kBegin: {
      ASSIGN_OR_RETURN(content.plan, decode_plan(body));
      content.reached = TransactionState::kBegun;
      break;
    }
    case Tag::kApplying:
      content.reached = TransactionState::kApplying;
      break;
    case Tag::kCommit:
      content.reached = TransactionState::kCommitted;
      content.committed = true;
      break;
    case Tag::kAborted:
      content.reached = TransactionState::kAborted;
      break;
    case Tag::kPhase:
      content.phases.emplace_back(body);
      return {};
    case Tag::kAttempt:
      ++content.attempts;
      return {};
    case Tag::kEnd:
      content.state = TransactionState::kEnded;
      return {};
    case Tag::kInconsistent:
      content.state = TransactionState::kInconsistent;
      content.inconsistent_reason = body;
      return {};
  }
  content.state = content.reached;
  return {};
}

}  // namespace

Result<JournalContent> parse_journal(std::string_view bytes) {
  JournalContent content;
  const codec::FramedRecords records = codec::parse_records(bytes);
  content.valid = bytes.substr(0, records.valid_bytes);
  content.record_count = records.payloads.size();
  bool damaged = records.damaged;
  for (const std::string_view payload : records.payloads) {
    const Tag tag = payload.empty() ? Tag{} : static_cast<Tag>(payload[0]);
    auto taken = take_record(content, tag, payload.substr(payload.empty() ? 0 : 1));
    if (taken) continue;
    if (taken.error().code == ErrorCode::kUnsupported) return std::move(taken).error();
    damaged = true;
    break;
  }
  if (damaged) content.state = TransactionState::kDamaged;
  return content;
}

Result<JournalContent> read_journal(fs::FileSystem& fs, fs::Fd dir) {
  auto bytes = fs::read_file(fs, dir, model::layout::journal_name(), kJournalMaxBytes);
  if (!bytes) {
    if (is_not_found(bytes.error())) return JournalContent{};
    return std::move(bytes).error();
  }
  return parse_journal(*bytes);
}

}  // namespace stravinsky::txn
