#include "page_text.h"

#include <unistd.h>

#include <string>
#include <string_view>

#include "syncrelay/config/runtime_dir.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

bool asks_for_tokens(const Config& config) {
  return !config.token_key.empty() || !config.token_jwks.empty();
}

bool is_wanted(const Config& config) {
  return config.page == Page::on || (config.page == Page::automatic && !asks_for_tokens(config));
}

void add(std::string& text, std::string_view name, std::string_view value) {
  text.append(",\"").append(name).append("\":");
  append_json_string(text, value);
}

// Without its last brace.
std::string for_all(const Config& config) {
  std::string text = R"({"version":")" SYNCRELAY_VERSION R"(")";
  const std::string_view optional = config.token_optional ? "optional" : "required";
  add(text, "tokens", asks_for_tokens(config) ? optional : "off");
  return text;
}

// What a backend or a shell of this user has to be told, because it is not where they look.
void add_endpoints(std::string& text, const Config& config) {
  const std::string usual = default_runtime_dir(getuid());
  if (config.commands.front() != default_commands_endpoint(usual))
    add(text, "commands", config.commands.front());
  if (config.control != default_control_endpoint(usual)) add(text, "control", config.control);
}

void add_admin(std::string& text, const Config& config, std::uint16_t port) {
  add(text, "admin_host", config.admin->host);
  text.append(",\"admin_port\":").append(std::to_string(port));
  text.append(",\"admin_tls\":").append(config.admin_tls ? "true" : "false");
}

}  // namespace

std::unique_ptr<FirstPage> make_first_page(const Config& config, std::uint16_t admin_port) {
  if (!is_wanted(config)) return nullptr;
  auto page = std::make_unique<FirstPage>();
  std::string text = for_all(config);
  page->about = text + "}\n";
  add_endpoints(text, config);
  if (config.admin) add_admin(text, config, admin_port);
  page->about_here = text + "}\n";
  return page;
}

}  // namespace syncrelay
