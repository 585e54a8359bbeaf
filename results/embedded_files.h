#pragma once

#include <string_view>

namespace ranksweep::results {

// Files of this folder, compiled into the program by embed.cmake.
extern const std::string_view kTablesSql;  // schema/tables.sql
extern const std::string_view kViewsSql;   // schema/views.sql

}  // namespace ranksweep::results
