#pragma once

#include <cstdint>
#include <memory>

#include "syncrelay/config/config.h"
#include "syncrelay/ws/first_page.h"

namespace syncrelay {

// The first page as the configuration wants it; null: there is none. `admin_port`: of the admin
// listener; 0 without one.
std::unique_ptr<FirstPage> make_first_page(const Config& config, std::uint16_t admin_port);

}  // namespace syncrelay
