// BeforeImages: the bytes of everything that a transaction will displace.
//
// recovery/tx/<txid>/before holds, in the order of the plan, the content of every
// file of every before-image, one behind the other; the plan's sizes give the
// offsets and its hashes prove the bytes. Recovery reads it when a displaced file
// is gone; undo reads it when the transaction is to be inverted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "model/change_plan.h"
#include "txn/content.h"
#include "txn/targets.h"

namespace stravinsky::txn {

// Copies what stands at each target now and demands that it is the plan's
// before-image (kChanged otherwise); syncs the file.
Status write_before_images(fs::FileSystem& fs, fs::Fd tx_dir, const model::ChangePlan& plan,
                           const Targets& targets);

// The same, of a change that has happened already: the bytes come from before, and
// kCorrupt is what they are when they are not the plan's.
Status write_before_images_of(fs::FileSystem& fs, fs::Fd tx_dir, const model::ChangePlan& plan,
                              const Content& before);

// Where each file lies, found once for all of them: a directory that went may hold ten
// thousands, and whoever reads them all would go through the plan for each.
class BeforePlaces {
 public:
  explicit BeforePlaces(const model::ChangePlan& plan);

  struct Place {
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
  };
  // nullopt when the transaction displaced no such file.
  std::optional<Place> find(size_t change, const std::string& inner_path) const;

 private:
  std::vector<std::unordered_map<std::string, Place>> by_change_;
};

// Hands out one file of changes[change].before; inner_path as in txn/content.h.
// The reader of the bytes checks their hash.
Status read_before_image(fs::FileSystem& fs, fs::Fd tx_dir, const BeforePlaces& places,
                         size_t change, const std::string& inner_path, const codec::Sink& sink);

}  // namespace stravinsky::txn
