// TarNames: looks at a tar stream as it goes by, for what libarchive does not tell.
//
// libarchive keeps names as C strings, so a name with a NUL byte comes out cut: a
// member could be shown under one name and unpacked under another. It also lets
// later headers rename a member or give it another size, and takes a stream that
// stops between two members for a whole one. What no honest archiver of a package
// writes is refused here, before libarchive has seen it: a NUL byte in an extended
// header, sparse files, directories, links and devices with content, kinds that are
// not of POSIX or GNU tar. The walk itself follows POSIX pax (ustar) with the
// extensions x, g, L and K; a header that it cannot follow ends it with kCorrupt, so
// that it never reads other members than libarchive does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stravinsky::store {

class TarNames {
 public:
  // The next bytes of the stream; kCorrupt names the member.
  Status feed(std::string_view bytes);
  // Whether the blocks of zeros that end a tar went by: without them it was cut.
  bool has_ended() const { return at_ == At::kEnd; }

 private:
  enum class At { kHeader, kBody, kContent, kEnd };

  Status on_header();
  Status on_body();
  Status on_pax_body();
  Status on_record(std::string_view key, std::string_view value);
  Status start_content(uint64_t size);
  Status start_nothing(uint64_t size);
  std::string name() const;

  At at_ = At::kHeader;
  bool is_first_ = true;     // no header was read yet
  std::string block_;        // a header that is not whole yet
  char type_ = 0;            // of the header before the body
  std::string body_;         // of an extended header
  uint64_t body_bytes_ = 0;  // that it shall have
  uint64_t left_ = 0;        // until the next header, padding included
  // What extended headers say of the next member.
  std::string next_name_;
  std::optional<uint64_t> next_size_;
  std::string header_name_;
};

}  // namespace stravinsky::store
