#include "txn/record.h"

#include "model/store_layout.h"
#include "txn/archive.h"
#include "txn/before_images.h"

namespace stravinsky::txn {

namespace layout = model::layout;

Result<Record> Record::write(const TransactionContext& context, const model::ChangePlan& plan,
                             const Content& before) {
  const std::string& id = plan.facts.id;
  ASSIGN_OR_RETURN(fs::File dir, make_transaction_dir(context, id));
  JournalContent content;
  content.plan = plan;
  content.reached = TransactionState::kCommitted;
  Status written = write_before_images_of(context.fs, dir.fd(), plan, before);
  if (written) written = JournalWriter::restart(context.fs, dir.fd(), content);
  if (written) written = fs::sync_path(context.fs, context.store, layout::transactions());
  if (!written) {
    (void)fs::remove_tree(context.fs, context.store, layout::transaction(id));
    return Error(std::move(written).error().with_context("while recording what was installed"));
  }
  return Record(context, id, std::move(dir));
}

Status Record::close() {
  ASSIGN_OR_RETURN(const JournalContent journal, read_journal(context_.fs, dir_.fd()));
  ASSIGN_OR_RETURN(
      JournalWriter writer,
      JournalWriter::reopen(context_.fs, dir_.fd(), journal.valid, journal.record_count));
  RETURN_IF_ERROR(writer.append(Tag::kEnd, "", Durable::kYes));
  RETURN_IF_ERROR(writer.close());
  return archive_transaction(context_, id_);
}

}  // namespace stravinsky::txn
