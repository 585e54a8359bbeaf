#pragma once

#include <string_view>

namespace ranksweep::results {

// Files of this folder, compiled into the program by embed.cmake.
extern const std::string_view kTablesSql;         // schema/tables.sql
extern const std::string_view kViewsSql;          // schema/views.sql
extern const std::string_view kMigration1To2Sql;  // schema/1_to_2.sql
extern const std::string_view kReportHtml;
extern const std::string_view kReportCss;
extern const std::string_view kReportJs;
extern const std::string_view kLiveJs;
extern const std::string_view kChartJs;  // of Debian's libjs-chart.js

// SHA-256 of each in base64, for a content security policy.
extern const std::string_view kReportCssSha256;
extern const std::string_view kReportJsSha256;
extern const std::string_view kLiveJsSha256;
extern const std::string_view kChartJsSha256;

}  // namespace ranksweep::results
