#include "tools/make_faces/canvas.h"

#include <cmath>
#include <new>

namespace ranksweep::make_faces {
namespace {

using Pattern = std::unique_ptr<cairo_pattern_t, void (*)(cairo_pattern_t*)>;

}  // namespace

Canvas::Canvas(int size)
    : size_(size),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, size, size), cairo_surface_destroy),
      context_(cairo_create(surface_.get()), cairo_destroy) {
  if (cairo_status(get()) != CAIRO_STATUS_SUCCESS) throw std::bad_alloc();
  cairo_scale(get(), size / 2.0, size / 2.0);
  cairo_translate(get(), 1, 1);
  cairo_set_line_cap(get(), CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(get(), CAIRO_LINE_JOIN_ROUND);
}

void Canvas::fill(const Color& color, double alpha) {
  cairo_set_source_rgba(get(), color.red, color.green, color.blue, alpha);
  cairo_fill(get());
}

void Canvas::stroke(const Color& color, double width, double alpha) {
  cairo_set_source_rgba(get(), color.red, color.green, color.blue, alpha);
  cairo_set_line_width(get(), width);
  cairo_stroke(get());
}

void Canvas::fill_gradient(const Color& from, const Color& to, double angle) {
  const double x = std::cos(angle), y = std::sin(angle);
  const Pattern gradient(cairo_pattern_create_linear(-x, -y, x, y), cairo_pattern_destroy);
  cairo_pattern_add_color_stop_rgb(gradient.get(), 0, from.red, from.green, from.blue);
  cairo_pattern_add_color_stop_rgb(gradient.get(), 1, to.red, to.green, to.blue);
  cairo_set_source(get(), gradient.get());
  cairo_fill(get());
}

void Canvas::fill_spot(double x, double y, double radius, const Color& color, double alpha) {
  const Pattern spot(cairo_pattern_create_radial(x, y, 0, x, y, radius), cairo_pattern_destroy);
  cairo_pattern_add_color_stop_rgba(spot.get(), 0, color.red, color.green, color.blue, alpha);
  cairo_pattern_add_color_stop_rgba(spot.get(), 1, color.red, color.green, color.blue, 0);
  cairo_set_source(get(), spot.get());
  cairo_fill(get());
}

void Canvas::ellipse(double x, double y, double radius_x, double radius_y) {
  const Saved saved(*this);
  cairo_new_sub_path(get());
  cairo_translate(get(), x, y);
  cairo_scale(get(), radius_x, radius_y);
  cairo_arc(get(), 0, 0, 1, 0, 2 * M_PI);
}

worker::Image Canvas::image() const {
  cairo_surface_flush(surface_.get());
  const unsigned char* data = cairo_image_surface_get_data(surface_.get());
  const int stride = cairo_image_surface_get_stride(surface_.get());
  worker::Image image{size_, size_, {}};
  image.pixels.reserve(static_cast<std::size_t>(size_) * size_ * 3);
  for (int y = 0; y < size_; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + std::ptrdiff_t{y} * stride);
    for (int x = 0; x < size_; ++x) {
      for (const int shift : {16, 8, 0}) {
        image.pixels.push_back(static_cast<std::uint8_t>(row[x] >> shift));
      }
    }
  }
  return image;
}

}  // namespace ranksweep::make_faces
