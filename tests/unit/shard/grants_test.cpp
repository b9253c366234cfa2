#include "syncrelay/shard/grants.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_transport.h"
#include "support/session_bench.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;
using testing::FakeClock;
using testing::FakeTransport;
using testing::SessionBench;
using Texts = std::vector<std::string>;

constexpr Duration kNever = std::chrono::hours(100'000);

// A shard whose clients have tokens.
class GrantsBench {
 public:
  GrantsBench()
      : shard({{},
               {1 << 20, 1000},
               {kNever, kNever, Duration::zero(), kNever},
               "e0",
               {ChannelRule({"room:*"}), 10, 100},
               {false, ChannelPatterns({""}), ChannelPatterns({"room:*"}), {1, 3}}},
              clock, stats, outbox, [] {}) {}
  ~GrantsBench() {
    for (Client& client : clients) shard.remove(*client.session);
  }

  struct Client {
    std::unique_ptr<FakeTransport> transport = std::make_unique<FakeTransport>();
    Session* session = nullptr;

    bool closed() const { return transport->closed().has_value(); }
  };

  // For so long.
  std::shared_ptr<Access> access(Duration time, std::string id = {}) const {
    auto made = std::make_shared<Access>();
    made->id = std::move(id);
    made->until = {clock.wall().microseconds +
                   std::chrono::duration_cast<std::chrono::microseconds>(time).count()};
    return made;
  }

  Client& connect(std::shared_ptr<const Access> granted, const Texts& channels = {""}) {
    ClientRequest request;
    request.subscriptions.clear();
    for (const std::string& channel : channels) request.subscriptions.push_back({channel});
    request.access = std::move(granted);
    Client& client = clients.emplace_back();
    client.session = &shard.add(ConnectionId{clients.size()}, *client.transport, request);
    return client;
  }

  Texts renew(Client& client, Result<std::shared_ptr<const Access>, RefusedMessage> granted) {
    TokenMessage message;
    message.ref = "r";
    client.transport->take_texts();
    if (shard.may_renew(*client.session, message))
      shard.hear(*client.session, message, std::move(granted));
    client.session->answer();
    return client.transport->take_texts();
  }

  void pass(Duration time) {
    clock.advance(time);
    shard.tick();
  }

  FakeClock clock;
  ShardStats stats;
  Outbox outbox{[] {}};
  Shard shard;
  std::deque<Client> clients;
};

bool has(const Texts& texts, std::string_view part) {
  return std::any_of(texts.begin(), texts.end(),
                     [part](const std::string& text) { return text.find(part) != text.npos; });
}

}  // namespace

TEST_CASE_FIXTURE(GrantsBench, "A client is warned up to a minute before its token ends") {
  Client& client = connect(access(seconds(100)));
  client.transport->take_texts();
  const Duration warning = Grants::warning_time(client.session->id());
  pass(seconds(100) - warning - seconds(1));
  CHECK(client.transport->take_texts().empty());
  pass(seconds(1));
  const auto left = std::chrono::ceil<seconds>(warning).count();
  CHECK(client.transport->take_texts() ==
        Texts{R"({"type":"sync:expiring","in":)" + std::to_string(left) + '}'});
  pass(warning - seconds(1));
  CHECK(client.transport->take_texts().empty());
  CHECK(!client.closed());
  pass(seconds(1));
  CHECK(client.closed());
}

TEST_CASE_FIXTURE(GrantsBench, "Clients whose tokens end together are not warned together") {
  constexpr int kMany = 600;
  for (int number = 0; number < kMany; ++number) connect(access(seconds(100)));
  for (Client& client : clients) client.transport->take_texts();
  int warned_before = 0;
  for (int second = 1; second <= 71; ++second) {
    pass(seconds(1));
    int warned = warned_before;
    for (Client& client : clients)
      warned += has(client.transport->take_texts(), "sync:expiring") ? 1 : 0;
    CHECK(warned - warned_before <= kMany / 30 + 5);
    if (second < 40) CHECK(warned == 0);
    warned_before = warned;
  }
  CHECK(warned_before == kMany);
}

TEST_CASE_FIXTURE(GrantsBench, "Who comes with less is warned at once, of what is left") {
  Client& client = connect(access(seconds(7)));
  pass(Duration::zero());
  CHECK(has(client.transport->take_texts(), R"("in":7})"));
  pass(seconds(7));
  CHECK(client.closed());
}

TEST_CASE_FIXTURE(GrantsBench, "A clock that is set meanwhile moves no end") {
  for (const std::int64_t by : {1'000'000'000, -1'000'000'000}) {
    Client& client = connect(access(seconds(100)));
    client.transport->take_texts();
    clock.set_wall({clock.wall().microseconds + by});
    pass(seconds(75));
    CHECK(client.transport->take_texts() == Texts{R"({"type":"sync:expiring","in":25})"});
    pass(seconds(24));
    CHECK(!client.closed());
    pass(seconds(1));
    CHECK(client.closed());
  }
}

TEST_CASE_FIXTURE(GrantsBench, "A newer token begins the time anew, also after the warning") {
  Client& client = connect(access(seconds(100)));
  pass(seconds(80));
  CHECK(renew(client, std::shared_ptr<const Access>(access(seconds(100)))) ==
        Texts{R"({"type":"sync:ack","ref":"r"})"});
  pass(seconds(39));
  CHECK(client.transport->take_texts().empty());
  pass(seconds(31));
  CHECK(has(client.transport->take_texts(), "sync:expiring"));
  pass(seconds(30));
  CHECK(client.closed());
}

TEST_CASE_FIXTURE(GrantsBench,
                  "Many clients end each at their own time, and those who left never") {
  for (int number = 0; number < 50; ++number) connect(access(seconds(100 + number)));
  shard.remove(*clients.front().session);
  clients.pop_front();
  for (int second = 1; second <= 150; ++second) pass(seconds(1));
  CHECK(std::all_of(clients.begin(), clients.end(), [](const Client& c) { return c.closed(); }));
}

TEST_CASE_FIXTURE(GrantsBench, "A client keeps its identity, or gets the first one") {
  Client& client = connect(access(seconds(100), "dev-1"));
  CHECK(has(client.transport->take_texts(), R"("channel":"@dev-1")"));
  CHECK(has(renew(client, std::shared_ptr<const Access>(access(seconds(100), "dev-2"))),
            "id_is_fixed"));
  CHECK(has(renew(client, std::shared_ptr<const Access>(access(seconds(100)))), "id_is_fixed"));
  CHECK(!has(renew(client, std::shared_ptr<const Access>(access(seconds(100), "dev-1"))), "error"));
  Client& other = connect(access(seconds(100)));
  CHECK(has(renew(other, std::shared_ptr<const Access>(access(seconds(100), "dev-3"))),
            R"("channel":"@dev-3")"));
  CHECK(stats.identities.get() == 2);
}

TEST_CASE_FIXTURE(GrantsBench, "What the newer token does not allow is followed no more") {
  auto first = access(seconds(100), "dev-1"), second = access(seconds(100), "dev-1");
  first->channels.emplace(Texts{"a", "b"});
  second->channels.emplace(Texts{"b"});
  Client& client = connect(first, {"a", "b", "room:1"});
  CHECK(has(client.transport->take_texts(), R"("sync:refused","channel":"room:1")"));
  const Texts told = renew(client, std::shared_ptr<const Access>(second));
  CHECK(has(told, R"("sync:refused","channel":"a","code":"forbidden")"));
  CHECK(!has(told, R"("channel":"b")"));
  CHECK(client.session->followers().size() == 2);  // "b" and its own
}

TEST_CASE_FIXTURE(GrantsBench,
                  "A token that is not taken leaves the one before, and so does none") {
  Client& client = connect(access(seconds(100)));
  CHECK(has(renew(client, RefusedMessage::token_invalid), "token_invalid"));
  CHECK(has(renew(client, std::shared_ptr<const Access>()), "sync:ack"));
  pass(seconds(100));
  pass(Duration::zero());
  CHECK(client.closed());
}

TEST_CASE_FIXTURE(GrantsBench, "Tokens are looked at no faster than a client may speak") {
  Client& client = connect(access(seconds(100)));
  TokenMessage message;
  message.ref = "r";
  int looked_at = 0;
  for (int count = 0; count < 100; ++count) looked_at += shard.may_renew(*client.session, message);
  CHECK(looked_at == 3);
  client.session->answer();
  CHECK(has(client.transport->take_texts(), "rate_limited"));
}

TEST_CASE_FIXTURE(GrantsBench, "A ref that is none is answered") {
  Client& client = connect(access(seconds(100)));
  TokenMessage message;
  message.fault = RefusedMessage::invalid_ref;
  client.transport->take_texts();
  CHECK(!shard.may_renew(*client.session, message));
  client.session->answer();
  CHECK(has(client.transport->take_texts(), "invalid_ref"));
}

TEST_CASE_FIXTURE(GrantsBench, "Without a token there is no end") {
  Client& client = connect(nullptr);
  client.transport->take_texts();
  pass(std::chrono::hours(1000));
  CHECK(client.transport->take_texts().empty());
  CHECK(!client.closed());
}

}  // namespace syncrelay
