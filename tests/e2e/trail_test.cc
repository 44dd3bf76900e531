// A damaged audit trail, seen from outside: it is told, and nothing waits for it.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Trail, ADamagedHeadStandsInTheWayOfNothing) {
  const Home home;
  home.install(1);
  const Tree first = home.tree();
  home.install(2);
  const std::string head = home.text(home.store("audit/head.json"));
  home.file(home.store("audit/head.json"), "", 0600);
  const Ended undone = home.expect(0, {"rollback", "undo"});
  EXPECT_THAT(undone.err, HasSubstr("the audit trail could not be written"));
  EXPECT_THAT(undone.err, HasSubstr("stravinsky audit verify"));
  EXPECT_TRUE(same_tree(home.tree(), first));
  EXPECT_THAT(home.litter(), IsEmpty());
  home.install(2);
  home.expect(0, {"recovery", "resume"});
  const Ended backup = home.expect(0, {"backup", "create"});
  EXPECT_THAT(backup.err, HasSubstr("the audit trail could not be written"));
  EXPECT_THAT(home.run({"status"}).out, HasSubstr("events are not on record yet"));
  home.expect(7, {"audit", "verify"});
  home.file(home.store("audit/head.json"), head, 0600);
  EXPECT_THAT(home.expect(0, {"backup", "create"}).err, Not(HasSubstr("audit trail")));
  home.expect(0, {"audit", "verify"});
  EXPECT_THAT(home.names(home.store("recovery/unrecorded")), IsEmpty());
  EXPECT_THAT(home.run({"audit", "log"}).out, HasSubstr("UNDO"));
}

TEST(Trail, RemovedAndBegunAnewItIsNotWhole) {
  const Home home;
  home.install(1);
  home.install(2);
  home.erase(home.store("audit"));
  EXPECT_THAT(home.expect(0, {"backup", "create"}).err, HasSubstr("begins anew"));
  const Ended verified = home.expect(7, {"audit", "verify"});
  EXPECT_THAT(verified.err, HasSubstr("the update that is transaction"));
}

}  // namespace
}  // namespace stravinsky::e2e
