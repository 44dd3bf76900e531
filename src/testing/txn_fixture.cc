#include "testing/txn_fixture.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "fs/file.h"
#include "model/store_layout.h"
#include "txn/archive.h"
#include "txn/before_images.h"
#include "txn/inspect.h"
#include "txn/journal.h"

namespace stravinsky::testing {

namespace layout = model::layout;
using model::ChangeOrder;
using model::Image;
using model::ImageKind;

namespace {

std::string content_key(const std::string& path, const std::string& inner_path) {
  return path + "|" + inner_path;
}

// What inspect sees is what the sweep compares: type, mode, bytes and link text.
void describe(const Image& image, const std::string& absolute,
              const std::map<std::string, std::string>& bytes, const std::string& path,
              Snapshot& into) {
  model::visit_image(image, "", [&](const std::string& inner_path, const Image& node) {
    if (node.is_absent()) return;
    NodeDescription& described = into[inner_path.empty() ? absolute : absolute + "/" + inner_path];
    described.mode = node.mode;
    described.link_text = node.link_text;
    described.type = node.kind == ImageKind::kFile      ? fs::NodeType::kFile
                     : node.kind == ImageKind::kSymlink ? fs::NodeType::kSymlink
                                                        : fs::NodeType::kDirectory;
    if (node.kind == ImageKind::kFile) described.bytes = bytes.at(content_key(path, inner_path));
  });
}

void sort_children(Image& image) {
  std::ranges::sort(image.children, {}, &model::NamedImage::name);
  for (auto& [name, child] : image.children) sort_children(child);
}

void erase_beneath(Snapshot& tree, const std::string& absolute) {
  std::erase_if(tree, [&](const auto& entry) {
    return entry.first == absolute || entry.first.starts_with(absolute + "/");
  });
}

}  // namespace

TxnFixture::TxnFixture(MemFsOptions options)
    : disk_(std::make_unique<MemFs>(options)), options_(std::move(options)) {
  disk_->make_dirs(kTreeRoot);
  disk_->make_dirs(kStoreRoot, 0700);
  plan_.facts.id = kTxId;
  plan_.facts.sequence = 7;
  plan_.facts.started_ns = clock_.now_ns();
  plan_.facts.from_version = "0.3.9";
  plan_.facts.to_version = "0.3.10";
  plan_.facts.backup_id = "v0.3.9.pre_update.12";
  plan_.facts.user_root = kTreeRoot;
}

// --- the tree

TxnFixture& TxnFixture::file(const std::string& path, std::string_view bytes, uint32_t mode) {
  disk_->write_file(absolute(path), bytes, mode);
  return *this;
}

TxnFixture& TxnFixture::dir(const std::string& path, uint32_t mode) {
  disk_->make_dirs(absolute(path));
  disk_->set_mode(absolute(path), mode);
  return *this;
}

TxnFixture& TxnFixture::link(const std::string& path, const std::string& text) {
  disk_->symlink(text, absolute(path));
  return *this;
}

TxnFixture& TxnFixture::anchor(const std::string& directory) {
  if (std::ranges::find(roots_, directory) == roots_.end()) {
    disk_->make_dirs(directory);
    roots_.push_back(directory);
  }
  anchor_ = directory;
  return *this;
}

TxnFixture& TxnFixture::settle() {
  disk_->sync_everything();
  settled_ = disk_->crashed({});
  old_tree_ = tree(*disk_);
  return *this;
}

// --- the plan

uint32_t TxnFixture::anchor_number() {
  const auto found = std::ranges::find(plan_.anchors, anchor_, &model::Anchor::directory);
  const auto number = static_cast<uint32_t>(found - plan_.anchors.begin());
  if (found == plan_.anchors.end())
    plan_.anchors.push_back(
        {.directory = anchor_, .inode = disk_->snapshot(anchor_).at(anchor_).inode});
  return number;
}

Image TxnFixture::image_at(const std::string& path) {
  const auto root = fs::File::open_root(*disk_, anchor_);
  CHECK(root);
  const fs::RelPath place = fs::RelPath::of(path);
  fs::File parent;
  fs::Fd fd = root->fd();
  if (place.has_parent()) {
    auto opened = fs::File::open(*disk_, fd, place.parent(), fs::OpenMode::kDirectory);
    CHECK(opened);
    parent = std::move(*opened);
    fd = parent.fd();
  }
  auto image = txn::inspect(*disk_, fd, fs::RelPath::of(place.name()));
  CHECK(image);
  return *image;
}

TxnFixture& TxnFixture::change(const std::string& path, Image after, ChangeOrder order) {
  CHECK(settled_ != nullptr && !is_ordered_);
  const model::LogicalPath logical{model::Scope::kUser, fs::RelPath::of(path)};
  plan_.changes.push_back({.anchor = anchor_number(),
                           .path = logical.path,
                           .logical = logical,
                           .display = logical.display(),
                           .order = order,
                           .before = image_at(path),
                           .after = std::move(after)});
  return *this;
}

Image TxnFixture::file_image(const std::string& path, const std::string& inner_path,
                             const std::string& bytes, uint32_t mode) {
  new_bytes_[content_key(path, inner_path)] = bytes;
  Image image;
  image.kind = ImageKind::kFile;
  image.mode = mode;
  image.uid = options_.uid;
  image.gid = options_.gid;
  image.size_bytes = bytes.size();
  codec::Sha256 hash;
  hash.update(as_byte_span(bytes));
  image.sha256 = hash.finish();
  return image;
}

Image TxnFixture::dir_image(const std::string& path, const DirContents& contents, uint32_t mode) {
  const auto directory = [&](uint32_t its_mode) {
    Image image;
    image.kind = ImageKind::kDirectory;
    image.mode = its_mode;
    image.uid = options_.uid;
    image.gid = options_.gid;
    return image;
  };
  Image top = directory(mode);
  for (const auto& [inner_path, bytes] : contents) {
    Image* into = &top;
    const bool is_directory = inner_path.ends_with('/');
    std::string left = is_directory ? inner_path.substr(0, inner_path.size() - 1) : inner_path;
    for (size_t slash = left.find('/'); slash != std::string::npos; slash = left.find('/')) {
      const std::string name = left.substr(0, slash);
      left = left.substr(slash + 1);
      auto found = std::ranges::find(into->children, name, &model::NamedImage::name);
      if (found == into->children.end()) {
        into->children.emplace_back(name, directory(0755));
        found = into->children.end() - 1;
      }
      into = &found->image;
    }
    into->children.emplace_back(
        left, is_directory ? directory(0755) : file_image(path, inner_path, bytes, 0644));
  }
  sort_children(top);
  return top;
}

TxnFixture& TxnFixture::replace(const std::string& path, const std::string& bytes) {
  const Image before = image_at(path);
  return replace(path, bytes, before.kind == ImageKind::kFile ? before.mode : 0644);
}
TxnFixture& TxnFixture::replace(const std::string& path, const std::string& bytes, uint32_t mode) {
  return change(path, file_image(path, "", bytes, mode), ChangeOrder::kContent);
}
TxnFixture& TxnFixture::replace_by_dir(const std::string& path, const DirContents& contents) {
  return change(path, dir_image(path, contents, 0755), ChangeOrder::kContent);
}
TxnFixture& TxnFixture::replace_by_link(const std::string& path, const std::string& text) {
  return add_link(path, text);
}
TxnFixture& TxnFixture::settings(const std::string& path, const std::string& bytes) {
  return change(path, file_image(path, "", bytes, 0600), ChangeOrder::kSettings);
}
TxnFixture& TxnFixture::add(const std::string& path, const std::string& bytes, uint32_t mode) {
  return replace(path, bytes, mode);
}
TxnFixture& TxnFixture::add_dir(const std::string& path, const DirContents& contents,
                                uint32_t mode) {
  return change(path, dir_image(path, contents, mode), ChangeOrder::kContent);
}
TxnFixture& TxnFixture::add_link(const std::string& path, const std::string& text) {
  Image image;
  image.kind = ImageKind::kSymlink;
  image.mode = 0777;
  image.link_text = text;
  return change(path, image, ChangeOrder::kContent);
}
TxnFixture& TxnFixture::remove(const std::string& path) {
  return change(path, Image{}, ChangeOrder::kDeletion);
}

TxnFixture& TxnFixture::through_link(const std::string& directory, const std::string& name) {
  const std::string text = disk_->snapshot(directory).at(directory + "/" + name).link_text;
  plan_.links.push_back({.directory = directory, .name = name, .text = text});
  return *this;
}

model::ChangePlan& TxnFixture::plan() {
  if (!is_ordered_) CHECK(model::order_plan(plan_));
  is_ordered_ = true;
  return plan_;
}

size_t TxnFixture::change_of(const std::string& path) {
  const auto& changes = plan().changes;
  const auto found = std::ranges::find_if(
      changes, [&](const model::Change& change) { return change.path.str() == path; });
  CHECK(found != changes.end());
  return static_cast<size_t>(found - changes.begin());
}

txn::Content TxnFixture::content() {
  return [this](size_t change, const std::string& inner_path, const codec::Sink& sink) -> Status {
    const auto found = new_bytes_.find(content_key(plan_.changes[change].path.str(), inner_path));
    CHECK(found != new_bytes_.end());
    return sink(as_byte_span(found->second));
  };
}

const Snapshot& TxnFixture::new_tree() {
  if (!new_tree_.empty()) return new_tree_;
  new_tree_ = old_tree_;
  for (const model::Change& change : plan().changes) {
    const std::string at = plan_.anchors[change.anchor].directory + "/" + change.path.str();
    erase_beneath(new_tree_, at);
    describe(change.after, at, new_bytes_, change.path.str(), new_tree_);
  }
  return new_tree_;
}

// --- the steps

TxnFixture::Opened TxnFixture::open(fs::FileSystem& fs) {
  auto store = fs::File::open_root(fs, kStoreRoot);
  fs::File file = store ? std::move(*store) : fs::File();
  const fs::Fd fd = file.fd();
  return {.store = std::move(file), .context = {.fs = fs, .store = fd, .clock = clock_}};
}

Result<txn::Transaction> TxnFixture::prepare(Opened& opened) {
  return txn::Transaction::prepare(opened.context, plan(), content());
}

Status TxnFixture::update(fs::FileSystem& fs) {
  return update_until(fs, StopAfter::kFinish);
}

Status TxnFixture::update_until(fs::FileSystem& fs, StopAfter last) {
  Opened opened = open(fs);
  if (!opened.store.is_open()) return make_error(ErrorCode::kIo, "the store cannot be opened");
  ASSIGN_OR_RETURN(txn::Transaction transaction, prepare(opened));
  if (last == StopAfter::kPrepare) return {};
  transaction.note_phase("applying");
  Status done = transaction.apply();
  if (done && last == StopAfter::kApply) return {};
  transaction.note_phase("verifying");
  if (done) done = transaction.verify();
  if (done && last == StopAfter::kVerify) return {};
  if (done && last == StopAfter::kRollBack)
    done = make_error(ErrorCode::kChecksRefused, "the health check says no");
  if (done) done = transaction.commit();
  if (done && last == StopAfter::kCommit) return {};
  if (!done) {
    if (done.error().code == ErrorCode::kRecoveryRequired) return done;
    RETURN_IF_ERROR(transaction.roll_back());
  }
  (void)transaction.finish();
  return done;
}

Result<std::vector<txn::Recovered>> TxnFixture::recover_all(fs::FileSystem& fs,
                                                            const txn::RecoveryOptions& options) {
  const Opened opened = open(fs);
  if (!opened.store.is_open()) return make_error(ErrorCode::kIo, "the store cannot be opened");
  return txn::recover_all(opened.context, options);
}

Status TxnFixture::recover(fs::FileSystem& fs) {
  txn::RecoveryOptions options;
  options.on_outcome = [this](const txn::Recovered& recovered) -> Status {
    told_.emplace_back(txn::recovery_action_name(recovered.action));
    return {};
  };
  ASSIGN_OR_RETURN(std::vector<txn::Recovered> answers, recover_all(fs, options));
  for (txn::Recovered& answer : answers) {
    if (answer.error) return std::move(*answer.error);
  }
  return {};
}

// --- looking

std::string TxnFixture::contents(const MemFs& disk, const std::string& path) const {
  return disk.contents(absolute(path)).value_or("<absent>");
}

Snapshot TxnFixture::tree(const MemFs& disk) const {
  Snapshot whole;
  for (const std::string& root : roots_) whole.merge(disk.snapshot(root));
  return whole;
}

std::vector<std::string> TxnFixture::broken_rules(MemFs& disk, bool acknowledged) {
  std::vector<std::string> broken;
  const Snapshot now = tree(disk);
  const std::string from_new = difference(new_tree(), now);
  const std::string from_old = difference(old_tree_, now);
  if (acknowledged && !from_new.empty())
    broken.push_back("acknowledged, and not the new tree:\n" + from_new);
  if (!from_new.empty() && !from_old.empty())
    broken.push_back("neither the old tree:\n" + from_old + "nor the new one:\n" + from_new);

  const std::string store = kStoreRoot;
  const std::string done = store + "/" + layout::done_transaction(kTxId).str();
  const std::string conflicts = store + "/" + layout::conflicts().str();
  for (const auto& [path, node] : disk.snapshot(store)) {
    if (path.starts_with(store + "/" + layout::transaction(kTxId).str()))
      broken.push_back("still open: " + path);
    if (path.starts_with(conflicts)) broken.push_back("set aside, but nobody edited: " + path);
  }
  const auto journal = disk.contents(done + "/" + layout::journal_name().str());
  if (!journal) return broken;
  const auto journal_content = txn::parse_journal(*journal);
  if (!journal_content || journal_content->state != txn::TransactionState::kEnded)
    broken.push_back("an archived journal does not say END");
  if (!from_new.empty()) return broken;

  // Undo reads them later.
  const Opened opened = open(disk);
  const auto tx_dir = txn::open_transaction(disk, opened.store.fd(), txn::Shelf::kDone, kTxId);
  const txn::BeforePlaces places(plan_);
  for (size_t i = 0; i < plan_.changes.size(); ++i) {
    model::visit_image(plan_.changes[i].before, "", [&](const std::string& inner, const Image& it) {
      if (it.kind != ImageKind::kFile) return;
      codec::Sha256 hash;
      const Status read = txn::read_before_image(disk, tx_dir->fd(), places, i, inner,
                                                 [&](std::span<const std::byte> piece) -> Status {
                                                   hash.update(piece);
                                                   return {};
                                                 });
      if (!read || hash.finish() != it.sha256)
        broken.push_back("the saved bytes are gone: " + plan_.changes[i].display);
    });
  }
  return broken;
}

}  // namespace stravinsky::testing
