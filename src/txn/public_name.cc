#include "txn/public_name.h"

#include <algorithm>

#include "base/strings.h"
#include "model/store_layout.h"

namespace stravinsky::txn {

Error with_public_name(Error error, const model::Change& change) {
  if (error.path == escape(change.path.name())) {
    error.path = change.display;
    return error;
  }
  size_t start = 0;
  while (start < error.path.size()) {
    const size_t end = std::min(error.path.find('/', start), error.path.size());
    if (model::layout::is_reserved_name(std::string_view(error.path).substr(start, end - start))) {
      error.path = change.display + error.path.substr(end);
      return error;
    }
    start = end + 1;
  }
  return error;
}

Status with_public_name(Status status, const model::Change& change) {
  if (status) return status;
  return with_public_name(std::move(status).error(), change);
}

}  // namespace stravinsky::txn
