#include "worker/augmentation/contact_sheet.h"

#include <algorithm>
#include <cairo.h>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

namespace ranksweep::worker {
namespace {

constexpr double kGap = 6;
constexpr double kHeadingHeight = 26;
constexpr double kFontSize = 13;
constexpr double kLetterWidth = 7.5;  // about, at that size

using Surface = std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)>;
using Context = std::unique_ptr<cairo_t, void (*)(cairo_t*)>;

Surface make_surface(int width, int height) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height),
                  cairo_surface_destroy);
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
    throw std::runtime_error(
        fmt::format("a sheet of {} x {} pixels is too large; ask for fewer images", width, height));
  }
  return surface;
}

void draw_image(cairo_t* context, const Image& image, double x, double y) {
  const Surface surface = make_surface(image.width, image.height);
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  const std::uint8_t* rgb = image.pixels.data();
  for (int row = 0; row < image.height; ++row) {
    auto* line = reinterpret_cast<std::uint32_t*>(data + std::ptrdiff_t{row} * stride);
    for (int column = 0; column < image.width; ++column, rgb += 3) {
      line[column] = std::uint32_t{rgb[0]} << 16 | std::uint32_t{rgb[1]} << 8 | rgb[2];
    }
  }
  cairo_surface_mark_dirty(surface.get());
  cairo_set_source_surface(context, surface.get(), x, y);
  cairo_paint(context);
}

void draw_text(cairo_t* context, const std::string& text, double x, double y) {
  cairo_set_source_rgb(context, 0.1, 0.1, 0.1);
  cairo_move_to(context, x, y);
  cairo_show_text(context, text.c_str());
}

double label_width(const std::vector<ContactRow>& rows) {
  std::size_t letters = 0;
  for (const ContactRow& row : rows) letters = std::max(letters, row.label.size());
  return kLetterWidth * static_cast<double>(letters) + 2 * kGap;
}

}  // namespace

void write_contact_sheet(const std::vector<std::string>& headings,
                         const std::vector<ContactRow>& rows, const std::filesystem::path& path) {
  const Image& first = rows.at(0).images.at(0);
  const double left = label_width(rows);
  const double step_x = first.width + kGap, step_y = first.height + kGap;
  const Surface surface =
      make_surface(static_cast<int>(left + step_x * static_cast<double>(headings.size())),
                   static_cast<int>(kHeadingHeight + step_y * static_cast<double>(rows.size())));
  const Context context(cairo_create(surface.get()), cairo_destroy);
  cairo_set_source_rgb(context.get(), 1, 1, 1);
  cairo_paint(context.get());
  cairo_select_font_face(context.get(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context.get(), kFontSize);
  for (std::size_t column = 0; column < headings.size(); ++column) {
    draw_text(context.get(), headings[column], left + step_x * static_cast<double>(column), 18);
  }
  double y = kHeadingHeight;
  for (const ContactRow& row : rows) {
    draw_text(context.get(), row.label, kGap, y + first.height / 2.0);
    double x = left;
    for (const Image& image : row.images) {
      draw_image(context.get(), image, x, y);
      x += step_x;
    }
    y += step_y;
  }
  const cairo_status_t status = cairo_surface_write_to_png(surface.get(), path.c_str());
  if (status != CAIRO_STATUS_SUCCESS) {
    throw std::runtime_error(fmt::format("{}: cannot be written: {}; check the folder",
                                         path.string(), cairo_status_to_string(status)));
  }
}

}  // namespace ranksweep::worker
