// archive: where the journals of finished and of abandoned transactions lie.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "txn/context.h"
#include "txn/journal.h"

namespace stravinsky::txn {

// Makes recovery/tx/<txid>; kAlreadyExists when there is one.
Result<fs::File> make_transaction_dir(const TransactionContext& context, const std::string& id);
// Moves recovery/tx/<txid> to done/, durably.
Status archive_transaction(const TransactionContext& context, const std::string& id);
// Moves it to inconsistent/, durably.
Status set_transaction_aside(const TransactionContext& context, const std::string& id);

// The ids in recovery/tx, done/ or inconsistent/, unordered.
enum class Shelf { kOpen, kDone, kInconsistent };
Result<std::vector<std::string>> list_transactions(fs::FileSystem& fs, fs::Fd store, Shelf shelf);
// The directory of one of them; kNotFound when it is not there.
Result<fs::File> open_transaction(fs::FileSystem& fs, fs::Fd store, Shelf shelf,
                                  const std::string& id);

}  // namespace stravinsky::txn
