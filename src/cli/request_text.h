#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

// What commands to a relay are put together from, and what is wrong with its answers.
namespace syncrelay {

// Names a command, so that the relay knows it when it comes again.
std::string random_id();

// In seconds, as a command says it.
std::string seconds(std::chrono::milliseconds time);

// The members that say which channels are meant.
std::string channel_members(const std::vector<std::string>& channels);

// The token that lets in who connects as a client; empty: none.
Result<std::string, FileError> token_of(const Request& request);

// Why a disconnect closed nothing: who it named is not there.
std::string nobody_there(const Request& request);

// Why this is no positive answer; nullopt when it is one.
std::optional<std::string> fault_of(const std::string& answer, const std::string& control);

}  // namespace syncrelay
