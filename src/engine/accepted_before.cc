#include "engine/accepted_before.h"

namespace stravinsky::engine {

store::AcceptedSources& AcceptedBefore::sources() {
  if (!sources_) sources_ = store::AcceptedSources::load(fs_, store_);
  return *sources_;
}

Status AcceptedBefore::save() {
  return sources_ ? sources_->save(fs_, store_) : Status();
}

codec::Digest AcceptedBefore::digest_of(const checks::SourceParser& parser,
                                        const codec::Digest& source) {
  std::string text = parser.program + "\n";
  if (parser.program == "python3") text += python_version_().value_or("");
  return codec::sha256(text + "\n" + source.hex());
}

bool AcceptedBefore::contains(const checks::SourceParser& parser, const codec::Digest& source) {
  return sources().contains(digest_of(parser, source));
}

void AcceptedBefore::add(const checks::SourceParser& parser, const codec::Digest& source) {
  sources().add(digest_of(parser, source));
}

}  // namespace stravinsky::engine
