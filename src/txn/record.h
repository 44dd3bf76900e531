// Record: a committed transaction for a change that somebody else carried out.
//
// A package that installs by itself changes the tree between `update begin` and
// `update finish`. So that this can be undone like any other change, the transaction
// that would have done the same is put on the shelf of the done ones: the plan with
// its before- and after-images, and the old bytes. No target is touched.
//
// The journal appears whole, COMMIT included, or not at all: a crash before leaves a
// directory without BEGIN, which recovery discards; one after it is completed like
// any committed transaction.
#pragma once

#include "base/error.h"
#include "txn/content.h"
#include "txn/context.h"
#include "txn/journal.h"

namespace stravinsky::txn {

class Record {
 public:
  // before hands out the bytes of the plan's before-images; kCorrupt when they are not
  // those that the plan names. Durable when it returns.
  static Result<Record> write(const TransactionContext& context, const model::ChangePlan& plan,
                              const Content& before);
  // Once the outcome is told: END, and to the done ones.
  Status close();

 private:
  Record(const TransactionContext& context, std::string id, fs::File dir)
      : context_(context), id_(std::move(id)), dir_(std::move(dir)) {}
  TransactionContext context_;
  std::string id_;
  fs::File dir_;
};

}  // namespace stravinsky::txn
