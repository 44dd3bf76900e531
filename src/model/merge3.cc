#include "model/merge3.h"

#include <dlfcn.h>
#include <git2.h>

#include <algorithm>

namespace stravinsky::model {
namespace {

constexpr uint32_t kExecBits = 0111;

// The functions of libgit2 that are used. Loaded once and never unloaded.
struct Library {
  decltype(&git_libgit2_init) init = nullptr;
  decltype(&git_merge_file) merge_file = nullptr;
  decltype(&git_merge_file_result_free) result_free = nullptr;

  bool is_complete() const {
    return init != nullptr && merge_file != nullptr && result_free != nullptr;
  }
};

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
}

std::optional<Library> load() {
  // The version whose structures were compiled in, and no other.
  void* handle = dlopen("libgit2.so." LIBGIT2_SOVERSION, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::nullopt;
  Library library;
  find(handle, "git_libgit2_init", library.init);
  find(handle, "git_merge_file", library.merge_file);
  find(handle, "git_merge_file_result_free", library.result_free);
  if (!library.is_complete() || library.init() < 0) return std::nullopt;
  return library;
}

const std::optional<Library>& library() {
  static const std::optional<Library> loaded = load();
  return loaded;
}

git_merge_file_input input_of(std::string_view text) {
  git_merge_file_input input = {};
  input.version = GIT_MERGE_FILE_INPUT_VERSION;
  input.ptr = text.data();
  input.size = text.size();
  return input;
}

// Every line of both changes, or nothing.
std::optional<std::string> merge_lines(const Library& git, std::string_view base,
                                       std::string_view mine, std::string_view theirs) {
  if (base == mine || mine == theirs) return std::string(theirs);
  if (base == theirs) return std::string(mine);
  const git_merge_file_input from = input_of(base);
  const git_merge_file_input ours = input_of(mine);
  const git_merge_file_input other = input_of(theirs);
  // Not the smallest difference: to find that takes minutes where nothing is alike.
  git_merge_file_options options = {};
  options.version = GIT_MERGE_FILE_OPTIONS_VERSION;
  git_merge_file_result result = {};
  if (git.merge_file(&result, &from, &ours, &other, &options) != 0) return std::nullopt;
  std::optional<std::string> text;
  if (result.automergeable != 0) text.emplace(result.len == 0 ? "" : result.ptr, result.len);
  git.result_free(&result);
  return text;
}

bool is_text(std::string_view bytes) {
  return bytes.find('\0') == std::string_view::npos;
}

bool is_small(std::string_view text) {
  return text.size() <= kMergeSizeMaxBytes &&
         static_cast<size_t>(std::ranges::count(text, '\n')) <= kMergeLinesMax;
}

}  // namespace

TextMerge merge3(std::string_view base, std::string_view mine, std::string_view theirs) {
  if (base == mine || mine == theirs) return {.text = std::string(theirs), .why = {}};
  if (base == theirs) return {.text = std::string(mine), .why = {}};
  for (const std::string_view one : {base, mine, theirs}) {
    if (!is_text(one)) return {.text = {}, .why = "it is no text"};
    if (!is_small(one)) return {.text = {}, .why = "it is too large to be merged"};
  }
  if (!library()) return {.text = {}, .why = "libgit2, which merges lines, is not installed"};
  std::optional<std::string> merged = merge_lines(*library(), base, mine, theirs);
  if (!merged) return {.text = {}, .why = "the same lines were changed"};
  // Lines that occur more than once can be matched in more than one way, and then
  // a change may land where nobody made it.
  const bool is_stable = merge_lines(*library(), base, *merged, theirs) == merged &&
                         merge_lines(*library(), base, mine, *merged) == merged;
  if (!is_stable) return {.text = {}, .why = "the changes can be put together in two ways"};
  return {.text = std::move(merged), .why = {}};
}

uint32_t merge3_exec_bits(uint32_t base, uint32_t mine, uint32_t theirs) {
  const bool is_mine_changed = ((mine & kExecBits) != 0) != ((base & kExecBits) != 0);
  return (is_mine_changed ? mine : theirs) & kExecBits;
}

}  // namespace stravinsky::model
