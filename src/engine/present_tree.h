// The managed trees as they are now: listed, hashed, read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/tree_edit.h"
#include "model/hook_reference.h"
#include "store/snapshot.h"

namespace stravinsky::engine {

inline constexpr uint64_t kSettingsMaxBytes = 64U << 20U;

// Lists both trees, with the files that their settings name and those named besides. A
// settings file that cannot be understood names nothing; that is for the checks to report.
Result<store::Snapshot> list_tree(fs::FileSystem& fs, const store::Roots& roots,
                                  const model::HookRoots& hook_roots,
                                  store::OutsideLinks outside_links,
                                  std::vector<model::LogicalPath> named_besides = {});

// The image of one path, its bytes read and hashed; absent when nothing stands there
// or what stands there is not kept.
Result<model::Image> image_now(fs::FileSystem& fs, const store::Snapshot& snapshot,
                               const model::LogicalPath& path);

// The images of what the snapshot lists, each file read and hashed. For a dry run
// and for comparing; an operation takes them from the manifest of its backup.
Result<KnownTree> hash_tree(fs::FileSystem& fs, const store::Snapshot& snapshot);

// The bytes of one file of the snapshot as they are now.
Status read_managed(fs::FileSystem& fs, const store::Snapshot& snapshot,
                    const model::LogicalPath& path, const codec::Sink& sink);
// The same as one text; nullopt when there is no such file.
Result<std::optional<std::string>> read_managed_text(fs::FileSystem& fs,
                                                     const store::Snapshot& snapshot,
                                                     const model::LogicalPath& path);

}  // namespace stravinsky::engine
