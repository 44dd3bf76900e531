#include "engine/fetch_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::outcome;

class FetchUrl : public ::testing::Test {
 protected:
  FetchUrl() : session_(e_.open(e_.disk()).value()) {}

  Result<std::string> fetch(const std::string& url,
                            std::optional<codec::Digest> sha256 = std::nullopt) {
    return fetch_url(*session_, {.url = url, .sha256 = sha256, .size_max_bytes = 100});
  }
  void answer(const std::string& url, DownloadResponse response) {
    e_.downloads().answer(url, std::move(response));
  }
  void redirect(const std::string& from, const std::string& to) {
    answer(from, {.status = 302, .body = "elsewhere", .redirect_to = to});
  }
  std::vector<DownloadRequest>& requests() { return e_.downloads().requests; }

  testing::EngineFixture e_;
  std::unique_ptr<Session> session_;
};

TEST_F(FetchUrl, TheBytesOfTheAnswerAreReturned) {
  answer("https://a.example/x.tgz", {.status = 200, .body = "bytes"});
  EXPECT_EQ(fetch("https://a.example/x.tgz#part").value(), "bytes");
  EXPECT_EQ(requests().front().stall_timeout_seconds, 30);
}

TEST_F(FetchUrl, AddressesThatAreRefused) {
  for (const char* url : {"http://a.example/x", "http://127.0.0.1.example/x", "https:///x",
                          "https://user:secret@a.example/x", "https://a.example:port/x",
                          "https://a.example\\@b.example/x", "https://a example/x",
                          "https://a.example/x\ny", "https://[::1/x y"}) {
    const auto got = fetch(url);
    EXPECT_EQ(outcome(got), "usage") << url;
    if (!got) {
      EXPECT_THAT(got.error().to_string(), Not(HasSubstr("secret")));
    }
  }
  EXPECT_TRUE(requests().empty());
  for (const char* url : {"http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:1/x"}) {
    answer(url, {.status = 200, .body = "b"});
    EXPECT_EQ(outcome(fetch(url)), "ok") << url;
  }
}

TEST_F(FetchUrl, WhatIsNotThereSaysSo) {
  answer("https://a.example/x?token=secret", {.status = 404, .body = "<html>"});
  const auto got = fetch("https://a.example/x?token=secret");
  ASSERT_EQ(outcome(got), "not_found");
  EXPECT_THAT(got.error().to_string(), HasSubstr("https://a.example/x: the server has no"));
  EXPECT_THAT(got.error().to_string(), Not(HasSubstr("secret")));
  answer("https://a.example/y", {.status = 500});
  EXPECT_EQ(outcome(fetch("https://a.example/y")), "io");
  EXPECT_EQ(outcome(fetch("https://nowhere.example/")), "io");
}

TEST_F(FetchUrl, RedirectsStayOnTheHostUnlessTheHashIsKnown) {
  redirect("https://a.example/x", "https://a.example/y");
  answer("https://a.example/y", {.status = 200, .body = "bytes"});
  EXPECT_EQ(fetch("https://a.example/x").value(), "bytes");
  redirect("https://a.example/out", "https://b.example/y");
  answer("https://b.example/y", {.status = 200, .body = "bytes"});
  const auto refused = fetch("https://a.example/out");
  ASSERT_EQ(outcome(refused), "usage");
  EXPECT_THAT(refused.error().message, HasSubstr("another host, b.example"));
  EXPECT_EQ(fetch("https://a.example/out", codec::sha256("bytes")).value(), "bytes");
  for (const char* to : {"http://a.example/y", "http://127.0.0.1/y", "file:///etc/passwd",
                         "https://u:p@a.example/"}) {
    redirect(std::string("https://a.example/to/") + to, to);
    EXPECT_NE(outcome(fetch(std::string("https://a.example/to/") + to, codec::sha256("x"))), "ok")
        << to;
  }
}

TEST_F(FetchUrl, RedirectsEnd) {
  redirect("https://a.example/loop", "https://a.example/loop");
  EXPECT_EQ(outcome(fetch("https://a.example/loop")), "io");
  EXPECT_EQ(requests().size(), static_cast<size_t>(kRedirectsMax) + 1);
}

TEST_F(FetchUrl, ABrokenTransferIsTakenUpWhereItEnded) {
  const std::string url = "https://a.example/x";
  answer(url, {.status = 200, .body = "abc", .validator = "\"1\"", .transfer = Transfer::kBroken});
  answer(url, {.status = 206, .body = "def", .body_from = 3, .validator = "\"1\""});
  EXPECT_EQ(fetch(url).value(), "abcdef");
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[1].from_byte, 3U);
  EXPECT_EQ(requests()[1].validator, "\"1\"");
}

TEST_F(FetchUrl, ContentThatChangedMeanwhileIsFetchedAnew) {
  const std::string url = "https://a.example/x";
  answer(url, {.status = 200, .body = "abc", .validator = "\"1\"", .transfer = Transfer::kBroken});
  answer(url, {.status = 200, .body = "uvwxyz", .validator = "\"2\""});
  EXPECT_EQ(fetch(url).value(), "uvwxyz");
  const std::string other = "https://a.example/y";
  answer(other,
         {.status = 200, .body = "abc", .validator = "\"1\"", .transfer = Transfer::kBroken});
  answer(other, {.status = 206, .body = "ef", .body_from = 4, .validator = "\"1\""});
  answer(other, {.status = 200, .body = "abcdef", .validator = "\"1\""});
  EXPECT_EQ(fetch(other).value(), "abcdef");
}

TEST_F(FetchUrl, WithoutAValidatorNothingIsPieced) {
  const std::string url = "https://a.example/x";
  answer(url, {.status = 200, .body = "abc", .transfer = Transfer::kBroken});
  answer(url, {.status = 200, .body = "abcdef"});
  EXPECT_EQ(fetch(url).value(), "abcdef");
  EXPECT_EQ(requests()[1].from_byte, 0U);
}

TEST_F(FetchUrl, AServerThatAlwaysEndsEarlyOrHangsIsGivenUp) {
  const std::string url = "https://a.example/x";
  answer(url, {.status = 200, .body = "abc", .transfer = Transfer::kBroken});
  const auto early = fetch(url);
  ASSERT_EQ(outcome(early), "io");
  EXPECT_THAT(early.error().message, HasSubstr("ended early, after 3 bytes, 4 times"));
  answer("https://a.example/hangs", {.status = 0, .transfer = Transfer::kStalled});
  const auto hangs = fetch("https://a.example/hangs");
  ASSERT_EQ(outcome(hangs), "io");
  EXPECT_THAT(hangs.error().message, HasSubstr("nothing came for 30 seconds"));
}

TEST_F(FetchUrl, TheHashAndTheSizeAreHeld) {
  answer("https://a.example/x", {.status = 200, .body = "bytes"});
  EXPECT_EQ(outcome(fetch("https://a.example/x", codec::sha256("others"))), "corrupt");
  answer("https://a.example/large", {.status = 200, .body = std::string(101, 'x')});
  const auto large = fetch("https://a.example/large");
  ASSERT_EQ(outcome(large), "usage");
  EXPECT_THAT(large.error().message, HasSubstr("larger than 100 bytes"));
}

}  // namespace
}  // namespace stravinsky::engine
