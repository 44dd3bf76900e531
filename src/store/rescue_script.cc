#include "store/rescue_script.h"

#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

constexpr uint32_t kScriptMode = 0700;

bool is_written(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path, std::string_view text) {
  const auto found = fs::stat_if_present(fs, store, path);
  if (!found || !*found || (*found)->type != fs::NodeType::kFile || (*found)->mode != kScriptMode ||
      (*found)->size_bytes != text.size())
    return false;
  const auto bytes = fs::read_file(fs, store, path, text.size());
  return bytes && *bytes == text;
}

}  // namespace

Status write_rescue_script(const StoreDir& store) {
  namespace layout = model::layout;
  fs::FileSystem& fs = store.file_system();
  const std::string_view text = rescue_script_text();
  if (is_written(fs, store.fd(), layout::rescue_script(), text)) return {};
  RETURN_IF_ERROR(store.ensure(layout::recovery()));
  return write_derived(fs, store.fd(), layout::rescue_script(), text, kScriptMode);
}

}  // namespace stravinsky::store
