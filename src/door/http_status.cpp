#include "syncrelay/door/http_status.h"

#include <array>
#include <utility>

#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNoCache =
    "\r\ncache-control: no-store\r\nx-content-type-options: nosniff";

// All others say that the command is wrong: 400.
constexpr std::pair<RejectReason, int> kStatuses[] = {
    {RejectReason::no_such_member, 404},
    {RejectReason::unknown_client, 404},
    {RejectReason::conflict, 409},
    {RejectReason::too_large, 413},
    {RejectReason::busy, 429},
    {RejectReason::state_full, 503},
    {RejectReason::channels_full, 503},
    {RejectReason::storage_full, 503},
    {RejectReason::storage_failed, 503},
    {RejectReason::storage_uncertain, 503},
    {RejectReason::cluster_unavailable, 503},
};

constexpr std::pair<int, std::string_view> kCodes[] = {
    {400, "bad_request"},       {401, "unauthorized"},           {403, "forbidden"},
    {404, "not_found"},         {405, "method_not_allowed"},     {408, "request_timeout"},
    {413, "too_large"},         {415, "unsupported_media_type"}, {421, "misdirected"},
    {429, "too_many_requests"}, {431, "head_too_large"},         {501, "not_implemented"},
    {503, "unavailable"},       {505, "http_version"},
};

}  // namespace

int status_of(RejectReason reason) {
  constexpr int kBadRequest = 400;
  for (const auto& [known, status] : kStatuses) {
    if (known == reason) return status;
  }
  return kBadRequest;
}

bool may_retry(int status) {
  return status == 429 || status == 503;
}

std::string_view code_of(int status) {
  for (const auto& [known, code] : kCodes) {
    if (known == status) return code;
  }
  return "bad_request";
}

HttpResponse fault_response(const HttpFault& fault) {
  std::string text = R"({"ok":false,"error":{"code":")";
  text.append(code_of(fault.status)).append(R"(","message":)");
  append_json_string(text, fault.detail);
  HttpResponse response{fault.status, kJson, text + "}}\n"};
  response.fields = kNoCache;
  if (may_retry(fault.status)) response.fields += "\r\nretry-after: 1";
  if (fault.status == 401) response.fields += "\r\nwww-authenticate: Bearer realm=\"syncrelay\"";
  return response;
}

HttpResponse relay_response(std::string text, const RejectReason* refused) {
  text += '\n';
  HttpResponse response{refused == nullptr ? 200 : status_of(*refused), kJson, std::move(text)};
  response.fields = kNoCache;
  if (may_retry(response.status)) response.fields += "\r\nretry-after: 1";
  return response;
}

}  // namespace syncrelay
