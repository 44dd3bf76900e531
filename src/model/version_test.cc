#include "model/version.h"

#include <gtest/gtest.h>

namespace stravinsky::model {
namespace {

Version version(std::string_view text) {
  return Version::parse(text).value();
}

TEST(Version, TheLeadingVIsOptionalAndShown) {
  EXPECT_EQ(version("0.3.8"), version("v0.3.8"));
  EXPECT_EQ(version("v0.3.8").str(), "0.3.8");
  EXPECT_EQ(version("0.3.8").display(), "v0.3.8");
}

TEST(Version, UnknownIsAVersion) {
  EXPECT_TRUE(version("unknown").is_unknown());
  EXPECT_EQ(version("unknown").display(), "unknown");
}

TEST(Version, HostileTextIsRefused) {
  for (const char* text : {"", "v", "../../etc", "1/2", "1 2", "1\n2", "-1", ".1", "latest",
                           "1.json", "1\xff", "1;rm"})
    EXPECT_FALSE(Version::parse(text)) << text;
  EXPECT_FALSE(Version::parse(std::string(65, '1')));
  EXPECT_FALSE(Version::parse(std::string_view("1\0", 2)));
}

TEST(Version, OrderIsThatOfNumbersNotOfText) {
  EXPECT_TRUE(compare(version("0.3.9"), version("0.3.10")) < 0);
  EXPECT_TRUE(compare(version("1.0"), version("1.0.0")) == 0);
  EXPECT_TRUE(compare(version("1.0.0-rc.1"), version("1.0.0")) < 0);
  EXPECT_TRUE(compare(version("1.0.0-rc.2"), version("1.0.0-rc.10")) < 0);
  EXPECT_TRUE(compare(version("1.0.0-rc"), version("1.0.0-rc.1")) < 0);
  EXPECT_TRUE(compare(version("1.0.0+a"), version("1.0.0+b")) == 0);
  EXPECT_TRUE(compare(version("unknown"), version("0.0.1")) < 0);
  EXPECT_TRUE(compare(version("99999999999999999999"), version("100000000000000000000")) < 0);
}

}  // namespace
}  // namespace stravinsky::model
