#include "syncrelay/base/redis_url.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

RedisUrl parsed(std::string_view text) {
  const auto url = RedisUrl::parse(text);
  REQUIRE_MESSAGE(url.ok(), text);
  return url.value();
}

TEST_CASE("A Redis is named by host, port, database and prefix, most of which can be left out") {
  struct Case {
    const char* text;
    const char* host;
    std::uint16_t port;
    std::uint32_t database;
    const char* prefix;
  };
  for (const Case& expected :
       {Case{"redis://redis", "redis", 6379, 0, "syncrelay"},
        Case{"redis://redis/", "redis", 6379, 0, "syncrelay"},
        Case{"redis://10.0.0.1:7000/3", "10.0.0.1", 7000, 3, "syncrelay"},
        Case{"redis://a?prefix=b:c-d_e.f", "a", 6379, 0, "b:c-d_e.f"},
        Case{"redis://a/7?prefix=x", "a", 6379, 7, "x"},
        Case{"redis://[::1]", "::1", 6379, 0, "syncrelay"},
        Case{"redis://[fe80::1]:1/65535", "fe80::1", 1, 65535, "syncrelay"}}) {
    CAPTURE(expected.text);
    const RedisUrl url = parsed(expected.text);
    REQUIRE(url.hosts.size() == 1);
    CHECK(url.hosts[0] == RedisUrl::Host{expected.host, expected.port});
    CHECK(url.database == expected.database);
    CHECK(url.prefix == expected.prefix);
    CHECK(url.master.empty());
    CHECK_FALSE(url.tls);
  }
}

TEST_CASE("User and password may be percent-encoded, and each may be left out") {
  const RedisUrl both = parsed("redis://re%6cay:p%40ss%2Fw%3Ford@h");
  CHECK(both.user == "relay");
  CHECK(both.password == "p@ss/w?ord");
  const RedisUrl one = parsed("redis://:secret@h");
  CHECK(one.user.empty());
  CHECK(one.password == "secret");
  CHECK(parsed("redis://:a:b@h").password == "a:b");
  CHECK(parsed("redis://u:a@b@h").password == "a@b");
}

TEST_CASE("Sentinels are a list, with the name of their master") {
  const RedisUrl url = parsed("redis+sentinel://u:p@one,two:7,[::1]:8/mymaster/2?prefix=x");
  CHECK(url.hosts == std::vector<RedisUrl::Host>{{"one", 26379}, {"two", 7}, {"::1", 8}});
  CHECK(url.master == "mymaster");
  CHECK(url.database == 2);
  CHECK(url.password == "p");
  CHECK(url.shown() == "redis+sentinel://one:26379,two:7,[::1]:8/mymaster/2?prefix=x");
}

TEST_CASE("TLS is asked for by the scheme") {
  CHECK(parsed("rediss://h").tls);
  CHECK(parsed("rediss://h").shown() == "rediss://h:6379/0?prefix=syncrelay");
}

TEST_CASE("What names no Redis is refused with a reason") {
  struct Case {
    const char* text;
    const char* reason;
  };
  for (const Case& expected : {Case{"", "begin with redis://"},
                               Case{"host:6379", "begin with redis://"},
                               Case{"http://h", "begin with redis://"},
                               Case{"redis://", "host name"},
                               Case{"redis://h:0", "port"},
                               Case{"redis://h:65536", "port"},
                               Case{"redis://h:", "port"},
                               Case{"redis://h:1x", "port"},
                               Case{"redis://[::1", "IPv6"},
                               Case{"redis://[x]", "IPv6"},
                               Case{"redis://[::1]6379", "port"},
                               Case{"redis://a,b", "host name"},
                               Case{"redis://a b", "host name"},
                               Case{"redis://user@h", "user:password"},
                               Case{"redis://u:@h", "password is empty"},
                               Case{"redis://u:%4@h", "%25"},
                               Case{"redis://u:%zz@h", "%25"},
                               Case{"redis://u:a/b@h", "%2F"},
                               Case{"redis://u:1/b@h:6379/0", "%2F"},
                               Case{"redis://u:1?b@h:6379/0", "%3F"},
                               Case{"redis://h/x", "database"},
                               Case{"redis://h/65536", "database"},
                               Case{"redis://h/-1", "database"},
                               Case{"redis://h/1/2", "database"},
                               Case{"redis://h?prefix=", "prefix"},
                               Case{"redis://h?prefix={x}", "prefix"},
                               Case{"redis://h?db=1", "prefix"},
                               Case{"redis+sentinel://h", "master"},
                               Case{"redis+sentinel://h/", "master"},
                               Case{"redis+sentinel://,h/m", "host name"}}) {
    CAPTURE(std::string(expected.text));
    const auto url = RedisUrl::parse(expected.text);
    REQUIRE_FALSE(url.ok());
    CAPTURE(url.error());
    CHECK(url.error().find(expected.reason) != std::string::npos);
  }
  CHECK_FALSE(RedisUrl::parse("redis://h?prefix=" + std::string(65, 'x')).ok());
  std::string many = "redis+sentinel://h";
  for (int count = 0; count < 16; ++count) many += ",h";
  CHECK_FALSE(RedisUrl::parse(many + "/m").ok());
}

TEST_CASE("Nothing that is shown has a piece of the password, wherever it was cut off") {
  for (const char* text : {"redis://u:se/cret@h", "redis://:se?cret@h", "redis://se/cret@h",
                           "redis://u:se%cret@h", "redis://u:secret@h h", "redis://secret@h",
                           "redis://u:se#cret@h:x", "redis+sentinel://u:se,cret@/x"}) {
    CAPTURE(text);
    const auto url = RedisUrl::parse(text);
    const std::string shown = url ? url.value().shown() : url.error();
    CHECK(shown.find("cret") == std::string::npos);
    CHECK(shown.find("se/") == std::string::npos);
  }
}

}  // namespace
}  // namespace syncrelay
