// What the codec costs: hashing, compressing, writing, verifying and seeking in an
// archive of 2,000 files and 21 MB of text like Markdown.
//
// The tree is made anew in a private directory beneath /tmp at the start and
// removed at the end. The page cache is warm: this measures work, not disks.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "codec/gzip_member.h"
#include "codec/sha256.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "fs/posix_fs.h"

namespace stravinsky::codec {
namespace {

// A fixed sequence (xorshift64), so that every run measures the same text.
class Sequence {
 public:
  uint64_t below(uint64_t bound) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return (state_ >> 11U) % bound;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

std::vector<std::string> make_words(Sequence& sequence) {
  constexpr std::array kSyllables = {"ta", "re", "con", "mi",  "sion", "le", "ver", "do", "pro",
                                     "li", "an", "ter", "ing", "ous",  "ca", "be",  "st", "ment"};
  std::vector<std::string> words(6000);
  for (std::string& word : words)
    for (uint64_t i = 1 + sequence.below(4); i > 0; --i)
      word += kSyllables[sequence.below(kSyllables.size())];
  return words;
}

// Headings, lists, code and prose; few words are frequent and most are rare.
std::string make_text(Sequence& sequence, const std::vector<std::string>& words, size_t size) {
  std::string text;
  const auto word = [&]() -> const std::string& {
    const double uniform = static_cast<double>(sequence.below(1U << 20U)) / (1U << 20U);
    return words[static_cast<size_t>(std::pow(static_cast<double>(words.size()), uniform)) - 1];
  };
  while (text.size() < size) {
    const uint64_t kind = sequence.below(10);
    if (kind == 0) text += "\n## ";
    if (kind == 1) text += "- `" + word() + "." + word() + "`: ";
    if (kind == 2) text += "\n```python\ndef " + word() + "_" + word() + "(" + word() + "):\n    ";
    for (uint64_t i = 4 + sequence.below(20); i > 0; --i)
      text += word() + (i % 9 == 0 ? ", " : " ");
    text += kind == 2 ? "\n```\n" : ".\n";
  }
  text.resize(size);
  return text;
}

template <typename T>
T must(Result<T> result) {
  CHECK(result.has_value());
  return std::move(*result);
}

void must(const Status& status) {
  CHECK(status.has_value());
}

class Tree {
 public:
  static constexpr size_t kFiles = 2000;
  static constexpr size_t kFileBytes = 10'500;

  Tree() {
    std::string path = "/tmp/codec_bench.XXXXXX";
    CHECK(mkdtemp(path.data()) != nullptr);
    root_ = must(fs::File::open_root(fs_, path));
    parent_ = must(fs::File::open_root(fs_, "/tmp"));
    name_ = path.substr(5);
    Sequence sequence;
    const std::vector<std::string> words = make_words(sequence);
    must(fs_.make_dir(root_.fd(), fs::RelPath::of("commands"), 0755));
    for (size_t i = 0; i < kFiles; ++i) {
      const size_t size = kFileBytes / 4 + sequence.below(kFileBytes * 3 / 2);
      ArchiveMember member;
      member.path = "commands/" + std::to_string(i) + ".md";
      fs::File file = must(fs::File::open(fs_, root_.fd(), fs::RelPath::of(member.path),
                                          fs::OpenMode::kCreateExclusive));
      const std::string text = make_text(sequence, words, size);
      must(fs_.write(file.fd(), 0, as_byte_span(text)));
      must(file.close());
      members_.push_back(member);
      size_bytes_ += size;
    }
  }
  ~Tree() { (void)fs::remove_tree(fs_, parent_.fd(), fs::RelPath::of(name_)); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  fs::PosixFs& fs() { return fs_; }
  int64_t size_bytes() const { return static_cast<int64_t>(size_bytes_); }
  std::span<const ArchiveMember> members() const { return members_; }

  fs::File new_archive(const std::string& name) {
    const fs::RelPath path = fs::RelPath::of(name);
    (void)fs_.unlink(root_.fd(), path);
    return must(fs::File::open(fs_, root_.fd(), path, fs::OpenMode::kCreateExclusive));
  }

  Archive write(fs::Fd out, const WriteOptions& options) {
    const OpenContent open = [this](size_t index) {
      return fs::File::open(fs_, root_.fd(), fs::RelPath::of(members_[index].path),
                            fs::OpenMode::kRead);
    };
    return must(write_tar_gz(fs_, out, members_, open, options));
  }

  // All contents behind each other.
  std::string contents() {
    std::string all;
    for (const ArchiveMember& member : members_)
      all += must(fs::read_file(fs_, root_.fd(), fs::RelPath::of(member.path), 1U << 20U));
    return all;
  }

 private:
  fs::PosixFs fs_;
  fs::File root_;
  fs::File parent_;
  std::string name_;
  std::vector<ArchiveMember> members_;
  uint64_t size_bytes_ = 0;
};

Tree& tree() {
  static Tree the_tree;
  return the_tree;
}

// NOLINTBEGIN(clang-analyzer-deadcode.DeadStores): the loop variable of Google Benchmark
void BM_Hash(benchmark::State& state) {
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_Hash)->Arg(100)->Arg(10'000)->Arg(1'000'000);

// Argument: level. The counter is the compressed size in percent.
void BM_Compress(benchmark::State& state) {
  const std::string text = tree().contents();
  GzipCompressor gzip(static_cast<int>(state.range(0)));
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    for (size_t at = 0; at < text.size(); at += Tree::kFileBytes)
      gzip.append(as_byte_span(text).subspan(at, std::min(Tree::kFileBytes, text.size() - at)),
                  out);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * tree().size_bytes());
  state.counters["percent"] =
      100.0 * static_cast<double>(out.size()) / static_cast<double>(text.size());
}
BENCHMARK(BM_Compress)->DenseRange(1, 9)->Arg(12)->Unit(benchmark::kMillisecond);

// Arguments: level, threads.
void BM_Write(benchmark::State& state) {
  WriteOptions options;
  options.level = static_cast<int>(state.range(0));
  options.threads = static_cast<int>(state.range(1));
  uint64_t size_bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const fs::File out = tree().new_archive("write.tar.gz");
    state.ResumeTiming();
    size_bytes = tree().write(out.fd(), options).size_bytes;
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * tree().size_bytes());
  state.counters["MB"] = static_cast<double>(size_bytes) / 1e6;
}
BENCHMARK(BM_Write)
    ->ArgsProduct({{1, 2, 3, 4, 6, 9}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_WriteUnchanged(benchmark::State& state) {
  const fs::File previous = tree().new_archive("previous.tar.gz");
  const Archive archive = tree().write(previous.fd(), {});
  WriteOptions options;
  options.threads = static_cast<int>(state.range(0));
  options.previous = &previous;
  options.previous_members = archive.members;
  for (auto _ : state) {
    state.PauseTiming();
    const fs::File out = tree().new_archive("write.tar.gz");
    state.ResumeTiming();
    CHECK(tree().write(out.fd(), options).sha256 == archive.sha256);
  }
}
BENCHMARK(BM_WriteUnchanged)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_Verify(benchmark::State& state) {
  const fs::File file = tree().new_archive("verify.tar.gz");
  const Archive archive = tree().write(file.fd(), {});
  for (auto _ : state) {
    CHECK(must(verify_members(tree().fs(), file.fd(), archive.members,
                              static_cast<int>(state.range(0))))
              .empty());
  }
}
BENCHMARK(BM_Verify)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ReadIndex(benchmark::State& state) {
  const fs::File file = tree().new_archive("index.tar.gz");
  (void)tree().write(file.fd(), {});
  for (auto _ : state) (void)must(read_index(tree().fs(), file.fd(), {}));
}
BENCHMARK(BM_ReadIndex)->Unit(benchmark::kMillisecond);

void BM_ReadOneFile(benchmark::State& state) {
  const fs::File file = tree().new_archive("one.tar.gz");
  const Archive archive = tree().write(file.fd(), {});
  size_t index = 0;
  for (auto _ : state) {
    index = (index + 997) % archive.members.size();
    must(read_member(tree().fs(), file.fd(), archive.members[index],
                     [](std::span<const std::byte> content) {
                       benchmark::DoNotOptimize(content.data());
                       return Status();
                     }));
  }
}
BENCHMARK(BM_ReadOneFile)->Unit(benchmark::kMicrosecond);

void BM_HashArchive(benchmark::State& state) {
  const fs::File file = tree().new_archive("hash.tar.gz");
  (void)tree().write(file.fd(), {});
  for (auto _ : state) benchmark::DoNotOptimize(must(hash_file(tree().fs(), file.fd())));
}
BENCHMARK(BM_HashArchive)->Unit(benchmark::kMillisecond);
// NOLINTEND(clang-analyzer-deadcode.DeadStores)

}  // namespace
}  // namespace stravinsky::codec

BENCHMARK_MAIN();
