#include "engine/downgrade.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace stravinsky::engine {

Status refuse_downgrade(Session& session, const store::TreeState& installed,
                        const store::Bundle& bundle, const model::Version& version) {
  if (installed.bundle.empty() || bundle.name().empty() || !session.has_store()) return {};
  const auto base = session.bundles().load(installed.bundle);
  // Who goes on without the base says so; here it only means that nothing is known.
  if (!base || base->name != bundle.name()) return {};
  const auto present = model::Version::parse(installed.version);
  if (!present || present->is_unknown() || version.is_unknown()) return {};
  if (compare(version, *present) >= 0) return {};
  return make_error(ErrorCode::kChecksRefused,
                    fmt::format("{} is older than {}, which is installed", version.display(),
                                present->display()),
                    escape(bundle.name()))
      .with_untouched("Nothing was changed.")
      .with_remedy(
          "Give --allow-downgrade if you mean it; or go back to what you had: "
          "stravinsky rollback list");
}

}  // namespace stravinsky::engine
