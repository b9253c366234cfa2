#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "syncrelay/json/json_text.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/protocol/refused_subscription.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {
namespace {

template <typename Names>
void check_names(const Names& names) {
  std::set<std::string_view> seen;
  for (const std::string_view name : names) {
    CHECK_FALSE(name.empty());
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_8") == std::string_view::npos);
    CHECK_MESSAGE(seen.insert(name).second, name);
  }
}

TEST_CASE("Every name is there once and is fit for a label") {
  check_names(kRejectReasonNames);
  check_names(kOpNames);
  check_names(kSnapshotReasonNames);
  check_names(kWillOutcomeNames);
  check_names(kRefusalReasonNames);
  check_names(kInboxRefusalNames);
  check_names(kClientMessageKindNames);
}

TEST_CASE("Every refusal of a message stands in its place, with a code and a message of its own") {
  std::set<std::string_view> names;
  for (std::size_t index = 0; index < kRefusedMessages.size(); ++index) {
    CHECK(static_cast<std::size_t>(kRefusedMessages[index].why) == index);
    CHECK(names.insert(kRefusedMessages[index].name).second);
    CHECK(names.insert(kRefusedMessages[index].message).second);
    CHECK(json_string(kRefusedMessages[index].message).size() ==
          kRefusedMessages[index].message.size() + 2);
  }
}

TEST_CASE("The names stand in the order of their enums") {
  CHECK(name(RejectReason::invalid_json) == "invalid_json");
  CHECK(name(RejectReason::not_a_number) == "not_a_number");
  CHECK(name(RejectReason::invalid_utf8) == "invalid_utf8");
  CHECK(name(RejectReason::lone_surrogate) == "lone_surrogate");
  CHECK(name(RejectReason::trailing_bytes) == "trailing_bytes");
  CHECK(name(RejectReason::too_large) == "too_large");
  CHECK(name(RejectReason::too_deep) == "too_deep");
  CHECK(name(RejectReason::not_an_object) == "not_an_object");
  CHECK(name(RejectReason::missing_member) == "missing_member");
  CHECK(name(RejectReason::unknown_member) == "unknown_member");
  CHECK(name(RejectReason::duplicate_member) == "duplicate_member");
  CHECK(name(RejectReason::wrong_type) == "wrong_type");
  CHECK(name(RejectReason::unknown_op) == "unknown_op");
  CHECK(name(RejectReason::invalid_key) == "invalid_key");
  CHECK(name(RejectReason::invalid_type) == "invalid_type");
  CHECK(name(RejectReason::reserved_type) == "reserved_type");
  CHECK(name(RejectReason::invalid_id) == "invalid_id");
  CHECK(name(RejectReason::multipart) == "multipart");
  CHECK(name(RejectReason::state_full) == "state_full");
  CHECK(name(RejectReason::storage_full) == "storage_full");
  CHECK(name(RejectReason::storage_failed) == "storage_failed");
  CHECK(name(RejectReason::busy) == "busy");
  CHECK(name(RejectReason::storage_uncertain) == "storage_uncertain");
  CHECK(name(RejectReason::no_storage) == "no_storage");
  CHECK(name(RejectReason::invalid_channel) == "invalid_channel");
  CHECK(name(RejectReason::channels_full) == "channels_full");
  CHECK(name(RejectReason::conflict) == "conflict");
  CHECK(name(RejectReason::invalid_version) == "invalid_version");
  CHECK(name(RejectReason::invalid_ttl) == "invalid_ttl");
  CHECK(name(RejectReason::invalid_batch) == "invalid_batch");
  CHECK(name(RejectReason::invalid_limit) == "invalid_limit");
  CHECK(name(RejectReason::invalid_code) == "invalid_code");
  CHECK(name(RejectReason::invalid_reason) == "invalid_reason");
  CHECK(name(RejectReason::invalid_number) == "invalid_number");
  CHECK(name(RejectReason::invalid_time) == "invalid_time");
  CHECK(name(RejectReason::no_such_member) == "no_such_member");
  CHECK(kRejectReasonNames.size() ==
        static_cast<std::size_t>(RejectReason::cluster_unavailable) + 1);
  CHECK(name(Op::set) == "set");
  CHECK(name(Op::merge) == "merge");
  CHECK(name(Op::remove) == "delete");
  CHECK(name(Op::broadcast) == "broadcast");
  CHECK(name(Op::drop) == "drop");
  CHECK(name(Op::batch) == "batch");
  CHECK(name(Op::will) == "will");
  CHECK(name(Op::barrier) == "barrier");
  CHECK(name(Op::state) == "state");
  CHECK(name(Op::members) == "members");
  CHECK(name(Op::clients) == "clients");
  CHECK(name(Op::channels) == "channels");
  CHECK(name(Op::stats) == "stats");
  CHECK(name(Op::backup) == "backup");
  CHECK(name(Op::disconnect) == "disconnect");
  CHECK(name(Op::receive) == "receive");
  CHECK(name(Op::done) == "done");
  CHECK(name(Op::extend) == "extend");
  CHECK(name(Op::release) == "release");
  CHECK(kOpNames.size() == static_cast<std::size_t>(Op::release) + 1);
  CHECK(kInboxRefusalNames[static_cast<std::size_t>(InboxRefusal::storage)] == "storage");
  CHECK(kSnapshotReasonNames[static_cast<std::size_t>(SnapshotReason::lag)] == "lag");
  CHECK(kSnapshotReasonNames[static_cast<std::size_t>(SnapshotReason::resume_failed)] ==
        "resume_failed");
  CHECK(kRefusalReasonNames[static_cast<std::size_t>(RefusalReason::origin)] == "origin");
  CHECK(kRefusalReasonNames[static_cast<std::size_t>(RefusalReason::open_files)] == "open_files");
  CHECK(kRefusalReasonNames.size() == static_cast<std::size_t>(RefusalReason::catching_up) + 1);
}

TEST_CASE("The table of close causes stands in the order of the enum and is complete") {
  std::set<std::string_view> names;
  for (std::size_t index = 0; index < kCloseCauses.size(); ++index) {
    CHECK(static_cast<std::size_t>(kCloseCauses[index].cause) == index);
    CHECK(names.insert(kCloseCauses[index].name).second);
    CHECK(code_index(static_cast<std::uint16_t>(kCloseCauses[index].code)) < kCountedCodes.size());
  }
  CHECK(kCloseCauses.size() == static_cast<std::size_t>(CloseCause::cluster_began_anew) + 1);
  CHECK(info(CloseCause::stalled).name == "stalled");
}

TEST_CASE("The table of refused subscriptions stands in the order of the enum and is complete") {
  for (std::size_t index = 0; index < kRefusedSubscriptions.size(); ++index) {
    CHECK(static_cast<std::size_t>(kRefusedSubscriptions[index].why) == index);
    CHECK(kRefusedSubscriptions[index].message.find_first_of("\"\\") == std::string_view::npos);
  }
  CHECK(kRefusedSubscriptions.size() ==
        static_cast<std::size_t>(RefusedSubscription::already_subscribed) + 1);
}

TEST_CASE("The close codes are those of RFC 6455 and the contract") {
  const auto code = [](CloseCause cause) { return static_cast<int>(info(cause).code); };
  CHECK(code(CloseCause::relay_stopping) == 1001);
  CHECK(code(CloseCause::protocol_error) == 1002);
  CHECK(code(CloseCause::invalid_utf8) == 1007);
  CHECK(code(CloseCause::invalid_deflate) == 1007);
  CHECK(code(CloseCause::message_too_large) == 1009);
  CHECK(code(CloseCause::over_capacity) == 1013);
  CHECK(code(CloseCause::connection_lost) == 1006);
  CHECK(code(CloseCause::rate_limited) == 4429);
  CHECK(code(CloseCause::dismissed) == 4000);
}

TEST_CASE("A close code without a label of its own is counted as other") {
  CHECK(code_index(1000) == 0);
  CHECK(kCountedCodes[code_index(1009)] == 1009);
  CHECK(code_index(4001) == kCountedCodes.size());
  CHECK(code_index(0) == kCountedCodes.size());
}

// Checks that docs/protocol.md has the name as `name`.
void check_documented(std::string_view name) {
  static const std::string kText = [] {
    std::ifstream file(SYNCRELAY_SOURCE_ROOT "/docs/protocol.md");
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }();
  const bool documented = kText.find('`' + std::string(name) + '`') != std::string::npos;
  CHECK_MESSAGE(documented, name);
}

TEST_CASE("The documentation names every reject reason") {
  for (const std::string_view name : kRejectReasonNames) check_documented(name);
}

TEST_CASE("The documentation names every refusal of a subscription") {
  for (const RefusedSubscriptionInfo& refused : kRefusedSubscriptions)
    check_documented(refused.name);
}

TEST_CASE("The documentation names every refusal of a message") {
  for (const RefusedMessageInfo& refused : kRefusedMessages) check_documented(refused.name);
}

TEST_CASE("The documentation names every close cause and refusal reason") {
  for (const CloseCauseInfo& cause : kCloseCauses) check_documented(cause.name);
  for (const std::string_view name : kRefusalReasonNames) check_documented(name);
}

}  // namespace
}  // namespace syncrelay
