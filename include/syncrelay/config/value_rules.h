#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncrelay::config {

// Why a text is no value of the options that these are named for, to be read behind the value;
// nullopt: it is one.
using Reason = std::optional<std::string>;

Reason host_problem(std::string_view host);
Reason host_name_problem(std::string_view name);
Reason network_problem(std::string_view network);
Reason state_key_problem(std::string_view key);
Reason channel_pattern_problem(std::string_view pattern);
Reason some_channel_problem(std::string_view pattern);
Reason event_type_problem(std::string_view type);
Reason hello_type_problem(std::string_view type);
Reason members_key_problem(std::string_view key);
Reason runtime_dir_problem(std::string_view dir);
Reason directory_problem(std::string_view dir);
Reason key_set_problem(std::string_view file);
Reason cookie_problem(std::string_view name);
Reason group_problem(std::string_view group);

}  // namespace syncrelay::config
