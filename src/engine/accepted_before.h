// AcceptedBefore: what parsers accepted in earlier runs, kept in the store.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "checks/source_judge.h"
#include "store/accepted_sources.h"

namespace stravinsky::engine {

class AcceptedBefore final : public checks::AcceptedMemory {
 public:
  // python_version: of python3; a script was accepted by that version and no other.
  AcceptedBefore(fs::FileSystem& fs, fs::Fd store,
                 std::function<std::optional<std::string>()> python_version)
      : fs_(fs), store_(store), python_version_(std::move(python_version)) {}

  bool contains(const checks::SourceParser& parser, const codec::Digest& source) override;
  void add(const checks::SourceParser& parser, const codec::Digest& source) override;
  // What was added, for later runs. The store's lock is held.
  Status save();

 private:
  codec::Digest digest_of(const checks::SourceParser& parser, const codec::Digest& source);

  // Read when they are first asked for.
  store::AcceptedSources& sources();

  fs::FileSystem& fs_;
  fs::Fd store_;
  std::optional<store::AcceptedSources> sources_;
  std::function<std::optional<std::string>()> python_version_;
};

}  // namespace stravinsky::engine
