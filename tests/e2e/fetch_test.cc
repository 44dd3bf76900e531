// Bundles from the network: a server of our own on the loopback, with TLS and without,
// and an npm of our own in PATH.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// tests/e2e/serve.py, which ends with its input.
class Server {
 public:
  explicit Server(std::vector<std::string> arguments) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    arguments.insert(arguments.begin(), {"python3", STRAVINSKY_SOURCE "/tests/e2e/serve.py"});
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      std::vector<char*> words;
      for (std::string& word : arguments) words.push_back(word.data());
      words.push_back(nullptr);
      execvp(words[0], words.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    // To the end of the line: whoever writes it in pieces must find a reader for each.
    std::string text;
    for (char c = 0; c != '\n' && read(out[0], &c, 1) == 1;) text += c;
    close(out[0]);
    port_ = std::atoi(text.c_str());
    EXPECT_GT(port_, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    close(input_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::string url(const std::string& path, const std::string& scheme = "http",
                  const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(port_) + "/" + path;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int port_ = 0;
};

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    home_.make_bundle("net",
                      {{"hooks/x.sh", hook("net")}, {"settings.json", settings_with({"x.sh"})}});
    home_.dir("www");
    home_.expect(0, {"bundle", "create", home_.bundle("net"), "-o", home_.at("www/b.tgz")});
  }
  // Refused, with this code and these words, and nothing changed.
  void refused(int exit, const std::vector<std::string>& from, const std::string& words,
               const Variables& variables = {}) {
    const Tree tree = home_.tree();
    std::vector<std::string> args = {"update", "1.0.0", "--from"};
    args.insert(args.end(), from.begin(), from.end());
    const Ended ended = home_.run(args, {.env = variables});
    EXPECT_EQ(ended.exit, exit) << from.front() << "\n" << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(words));
    EXPECT_THAT(ended.err, HasSubstr("Nothing was changed."));
    EXPECT_TRUE(same_tree(home_.tree(), tree));
    EXPECT_FALSE(home_.exists(home_.store("bundles/1.0.0")));
  }
  std::string sha256(const std::string& path) {
    return home_.run_program({"sha256sum", home_.at(path)}).out.substr(0, 64);
  }
  void installed() {
    EXPECT_EQ(home_.text(".claude/hooks/x.sh"), hook("net"));
    home_.expect(0, {"rollback", "undo"});
  }
  Home home_;
};

TEST_F(Fetch, AnAddressIsInstalledAndTakenBack) {
  const Server server({home_.at("www")});
  home_.expect(0, {"update", "1.0.0", "--from", server.url("b.tgz"), "--dry-run"});
  EXPECT_FALSE(home_.exists(".claude/hooks"));
  home_.expect(0,
               {"update", "1.0.0", "--from", server.url("b.tgz"), "--sha256", sha256("www/b.tgz")});
  installed();
  home_.expect(0, {"update", "1.0.0", "--from", server.url("once/b.tgz")});
  installed();
}

TEST_F(Fetch, ABrokenTransferGoesOnWhereItEnded) {
  // Each answer brings half of the rest, so that a small file is there after a few; a
  // large one is not.
  home_.file("www/large", std::string(1 << 20, 'x'));
  const Server server({home_.at("www")});
  refused(1, {server.url("broken/large")}, "the transfer ended early, after 983 KB, 4 times");
  refused(1, {server.url("weak/b.tgz")}, "the transfer ended early");
}

TEST_F(Fetch, WhatServersDoWrong) {
  home_.file("www/page", "<html>not a bundle</html>");
  const Server server({home_.at("www")});
  const Server other({home_.at("www")});
  refused(5, {server.url("404")}, "the server has no such file (404)");
  refused(7, {server.url("page")}, "not a .tar.gz, .tar.zst or .zip archive");
  refused(7, {server.url("b.tgz"), "--sha256", std::string(64, '0')},
          "not what --sha256 says: its hash is " + sha256("www/b.tgz"));
  refused(1, {server.url("hang")}, "nothing came for 1 seconds",
          {{"STRAVINSKY_UPDATE_DOWNLOAD_TIMEOUT_SECONDS", "1"}});
  refused(2, {server.url("to?" + other.url("b.tgz"))}, "it leads on to another host");
  refused(1, {server.url("to?file:///etc/passwd")}, "it leads on to what is no https://");
  refused(1, {server.url("to?/to?/to?/to?/to?/to?/to?/b.tgz")}, "more than 5 times");
  refused(2, {"http://192.0.2.1/b.tgz"}, "http:// is not protected");
  refused(1, {"http://127.0.0.1:1/b.tgz"}, "cannot be fetched");
  home_.expect(0, {"update", "1.0.0", "--from", server.url("to?" + other.url("b.tgz")), "--sha256",
                   sha256("www/b.tgz")});
  installed();
}

TEST_F(Fetch, TlsIsVerified) {
  ASSERT_EQ(home_
                .run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                              "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                              home_.at("key.pem"), "-out", home_.at("cert.pem")})
                .exit,
            0);
  const Server server({home_.at("www"), home_.at("cert.pem"), home_.at("key.pem")});
  refused(1, {server.url("b.tgz", "https")}, "cannot be fetched: SSL peer certificate");
  const Variables trusting{{"CURL_CA_BUNDLE", home_.at("cert.pem")}};
  refused(1, {server.url("to?http://127.0.0.1/b.tgz", "https")}, "from https:// to http://",
          trusting);
  home_.expect(0, {"update", "1.0.0", "--from", server.url("b.tgz", "https")}, {.env = trusting});
  installed();
}

TEST_F(Fetch, TheProxyOfTheEnvironmentIsAsked) {
  const Server proxy({home_.at("www")});
  // It answers like any server: the path of a request to a proxy is the whole address.
  const Ended ended = home_.run({"update", "1.0.0", "--from", "http://localhost:1/b.tgz"},
                                {.env = {{"http_proxy", proxy.url("")}, {"no_proxy", ""}}});
  EXPECT_EQ(ended.exit, 5) << ended.err;
}

TEST_F(Fetch, SignaturesComeFromBesideTheBundle) {
  home_.expect(0, {"bundle", "keygen", "-o", home_.at("key.pem")});
  const std::string key = home_.text("key.pem.pub").substr(0, 72);
  const Variables requiring{{"STRAVINSKY_UPDATE_REQUIRE_SIGNATURE", "true"},
                            {"STRAVINSKY_UPDATE_TRUSTED_KEYS", key}};
  const Server server({home_.at("www")});
  refused(3, {server.url("b.tgz")}, "the bundle has no signature", requiring);
  home_.expect(0, {"bundle", "sign", home_.at("www/b.tgz"), "--key", home_.at("key.pem")});
  home_.expect(0, {"update", "1.0.0", "--from", server.url("b.tgz")}, {.env = requiring});
  installed();
}

// An npm that packs ~/npm.tgz, or fails as ~/npm-error says.
class Npm : public Fetch {
 protected:
  Npm() {
    home_.file("bin/npm",
               "#!/bin/sh\nprintf '%s\\n' \"$@\" > ~/npm-argv\n"
               "if [ -f ~/npm-error ]; then cat ~/npm-error >&2; exit 1; fi\n"
               "for word; do case $word in --pack-destination=*)\n"
               "  cp ~/www/b.tgz \"${word#*=}/p-1.0.0.tgz\";; esac; done\n",
               0755);
    path_ = {{"PATH", home_.at("bin") + ":/usr/bin:/bin"}};
  }
  Variables path_;
};

TEST_F(Npm, APackageIsInstalledAndNothingStays) {
  home_.expect(0, {"update", "1.0.0", "--from", "npm:@scope/p@1.0.0"}, {.env = path_});
  EXPECT_THAT(home_.text("npm-argv"), HasSubstr("--ignore-scripts\n"));
  EXPECT_THAT(home_.text("npm-argv"), HasSubstr("--\n@scope/p@1.0.0\n"));
  EXPECT_TRUE(home_.names(home_.store("recovery/staging")).empty());
  installed();
}

// plugin.json beside package.json is often stale.
TEST_F(Npm, TheVersionIsTheOneAskedForOrThePackages) {
  home_.files("pack", {{".claude-plugin/plugin.json", R"({"name": "p", "version": "0.2.0"})"},
                       {"package.json", R"({"name": "p", "version": "0.3.0"})"},
                       {"commands/c.md", "x"}});
  ASSERT_EQ(
      home_.run_program({"tar", "czf", home_.at("www/b.tgz"), "-C", home_.at("pack"), "."}).exit,
      0);
  const Ended exact = home_.expect(0, {"update", "--from", "npm:p@0.3.1"}, {.env = path_});
  EXPECT_THAT(exact.out, HasSubstr("Now at v0.3.1"));
  EXPECT_THAT(exact.err, HasSubstr("package.json says version 0.3.0, "
                                   ".claude-plugin/plugin.json says 0.2.0"));
  home_.expect(0, {"rollback", "undo"});
  for (const char* inexact : {"npm:p", "npm:p@next", "npm:p@0.3"})
    EXPECT_EQ(home_.expect(0, {"check", inexact, "--json"}, {.env = path_}).json()["to_version"],
              "v0.3.0")
        << inexact;
  const auto own = home_.expect(0, {"check", home_.at("www/b.tgz"), "--json"}).json();
  EXPECT_EQ(own["to_version"], "v0.2.0");
}

TEST_F(Npm, CheckAndDryRunFetchItAndLeaveNothing) {
  home_.dir("tmp");
  Variables variables = path_;
  variables["TMPDIR"] = home_.at("tmp");
  const Tree with_tmp = home_.tree("");
  home_.expect(0, {"check", "npm:p"}, {.env = variables});
  home_.expect(0, {"update", "1.0.0", "--from", "npm:p", "--dry-run"}, {.env = variables});
  home_.expect(0, {"bundle", "inspect", "npm:p", "--dry-run"}, {.env = variables});
  home_.erase("npm-argv");
  EXPECT_TRUE(same_tree(home_.tree(""), with_tmp));
  EXPECT_FALSE(home_.exists(".claude/hooks"));
}

TEST_F(Npm, FailuresSayWhatTheyAre) {
  refused(2, {"npm:--registry=http://evil"}, "not a name that a package can have", path_);
  home_.file("npm-error", "npm error code E404\nnpm error 404 secret-token\n");
  refused(5, {"npm:absent"}, "npm knows no such package or version", path_);
  home_.file("npm-error", "npm error code ENOTFOUND\n");
  refused(1, {"npm:absent"}, "npm cannot reach the registry", path_);
  home_.dir("empty");
  refused(1, {"npm:absent"}, "npm is not installed", {{"PATH", home_.at("empty")}});
  EXPECT_TRUE(home_.names(home_.store("recovery/staging")).empty());
}

}  // namespace
}  // namespace stravinsky::e2e
