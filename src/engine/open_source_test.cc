#include "engine/open_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/ed25519.h"
#include "engine/updater.h"
#include "store/bundle_pack.h"
#include "store/bundle_signature.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using ::testing::HasSubstr;
using testing::outcome;

const codec::Ed25519PrivateKey& author() {
  static const codec::Ed25519PrivateKey key(std::array<std::byte, 32>{std::byte{1}});
  return key;
}
const codec::Ed25519PrivateKey& stranger() {
  static const codec::Ed25519PrivateKey key(std::array<std::byte, 32>{std::byte{2}});
  return key;
}

class OpenSource : public ::testing::Test {
 protected:
  OpenSource() {
    e_.bundle("1.0.0", {{"commands/a.md", "a\n"}});
    const auto bundle =
        store::Bundle::open(e_.disk(), "/bundles/1.0.0", {.sources = store::Sources::kKeep});
    archive_ = store::pack_bundle(*bundle).value();
    e_.disk().write_file("/in/b.tgz", archive_);
  }

  Result<store::Bundle> open(const std::string& source,
                             std::optional<std::string> sha256 = std::nullopt) {
    const auto session = e_.open(e_.disk());
    return open_source(**session, {.source = source, .sha256 = std::move(sha256)});
  }
  void require_signature() {
    e_.variable("STRAVINSKY_UPDATE_REQUIRE_SIGNATURE", "true");
    e_.variable("STRAVINSKY_UPDATE_TRUSTED_KEYS", author().public_key().text());
  }
  std::string signed_by(const codec::Ed25519PrivateKey& key) {
    return store::make_signature(archive_, key);
  }

  EngineFixture e_;
  std::string archive_;
};

TEST_F(OpenSource, DirectoriesFilesAndAddresses) {
  e_.downloads().answer("https://a.example/b.tgz", {.status = 200, .body = archive_});
  for (const char* source : {"/bundles/1.0.0", "/in/b.tgz", "https://a.example/b.tgz"}) {
    const auto bundle = open(source);
    ASSERT_TRUE(bundle) << source << bundle.error().to_string();
    EXPECT_EQ(bundle->files().size(), 1U) << source;
  }
  EXPECT_EQ(outcome(open("ftp://a.example/b.tgz")), "usage");
  EXPECT_EQ(outcome(open("/in/absent.tgz")), "not_found");
}

TEST_F(OpenSource, TheHashIsHeld) {
  EXPECT_EQ(outcome(open("/in/b.tgz", codec::sha256(archive_).hex())), "ok");
  EXPECT_EQ(outcome(open("/in/b.tgz", codec::sha256("x").hex())), "corrupt");
  EXPECT_EQ(outcome(open("/in/b.tgz", "12")), "usage");
  EXPECT_EQ(outcome(open("/bundles/1.0.0", codec::sha256(archive_).hex())), "usage");
}

TEST_F(OpenSource, WhereSignaturesAreRequiredOnlyTrustedOnesPass) {
  require_signature();
  EXPECT_EQ(outcome(open("/bundles/1.0.0")), "checks_refused");
  EXPECT_EQ(outcome(open("npm:some-package")), "checks_refused");
  EXPECT_EQ(outcome(open("/in/b.tgz")), "checks_refused");
  e_.disk().write_file("/in/b.tgz.sig", signed_by(stranger()));
  const auto strange = open("/in/b.tgz");
  ASSERT_EQ(outcome(strange), "checks_refused");
  EXPECT_THAT(strange.error().message, HasSubstr("a key that is not trusted: ed25519:"));
  e_.disk().write_file("/in/b.tgz.sig", signed_by(author()));
  EXPECT_EQ(outcome(open("/in/b.tgz")), "ok");

  e_.downloads().answer("https://a.example/b.tgz?v=1", {.status = 200, .body = archive_});
  e_.downloads().answer("https://a.example/b.tgz.sig?v=1", {.status = 404});
  EXPECT_EQ(outcome(open("https://a.example/b.tgz?v=1")), "checks_refused");
  e_.downloads().answer("https://a.example/c.tgz", {.status = 200, .body = archive_});
  e_.downloads().answer("https://a.example/c.tgz.sig",
                        {.status = 200, .body = signed_by(author())});
  EXPECT_EQ(outcome(open("https://a.example/c.tgz")), "ok");
}

TEST_F(OpenSource, ASignatureThatDoesNotHoldIsRefusedAlways) {
  std::string bad = signed_by(author());
  bad[bad.find("\"signature\":\"") + 14] ^= 1;
  for (const std::string& text : {bad, std::string("{}"), std::string("no signature"),
                                  store::make_signature("other bytes", author())}) {
    e_.disk().write_file("/in/b.tgz.sig", text);
    EXPECT_EQ(outcome(open("/in/b.tgz")), "checks_refused") << text;
  }
}

class DowngradeTest : public ::testing::Test {
 protected:
  DowngradeTest() {
    package("old", "0.3.9", "p");
    package("new", "0.3.10", "p");
    package("other", "0.1.0", "q");
    package("nameless", "0.1.0", "");
  }
  void package(const std::string& dir, const std::string& version, const std::string& name) {
    const std::string described = name.empty() ? "" : R"("name": ")" + name + R"(", )";
    e_.bundle(dir, {{"commands/" + dir + ".md", "text\n"}});
    e_.disk().write_file("/bundles/" + dir + "/package.json",
                         "{" + described + R"("version": ")" + version + "\"}");
  }
  Result<OperationResult> update(const std::string& dir, Downgrade downgrade = Downgrade::kRefuse) {
    const auto session = e_.open(e_.disk());
    return engine::update(**session, {.source = "/bundles/" + dir, .downgrade = downgrade});
  }
  EngineFixture e_;
};

TEST_F(DowngradeTest, AnOlderVersionOfThePackageNeedsToBeAskedFor) {
  ASSERT_EQ(outcome(update("old")), "ok");
  ASSERT_EQ(outcome(update("new")), "ok");
  const auto tree = e_.tree();
  const auto refused = update("old");
  ASSERT_EQ(outcome(refused), "checks_refused");
  EXPECT_THAT(refused.error().message, HasSubstr("v0.3.9 is older than v0.3.10"));
  EXPECT_EQ(e_.tree(), tree);
  EXPECT_EQ(outcome(update("old", Downgrade::kAllow)), "ok");
}

TEST_F(DowngradeTest, OtherPackagesAndUnknownOnesAreNoDowngrade) {
  ASSERT_EQ(outcome(update("new")), "ok");
  EXPECT_EQ(outcome(update("other")), "ok");
  ASSERT_EQ(outcome(update("new")), "ok");
  EXPECT_EQ(outcome(update("nameless")), "ok");
}

}  // namespace
}  // namespace stravinsky::engine
