#pragma once

#include <cairo.h>
#include <memory>

#include "worker/data/image.h"

namespace ranksweep::make_faces {

struct Color {
  double red, green, blue;
};

inline Color mix(const Color& a, const Color& b, double share_of_b) {
  const auto blend = [share_of_b](double x, double y) { return x + (y - x) * share_of_b; };
  return {blend(a.red, b.red), blend(a.green, b.green), blend(a.blue, b.blue)};
}
inline Color darker(const Color& color, double by) { return mix(color, {0.08, 0.03, 0.05}, by); }
inline Color lighter(const Color& color, double by) { return mix(color, {1, 1, 1}, by); }

// A square picture to draw on with cairo. Its sides go from -1 to 1; y points down.
class Canvas {
 public:
  explicit Canvas(int size);

  cairo_t* get() { return context_.get(); }
  void fill(const Color& color, double alpha = 1);  // the current path, which ends with it
  void stroke(const Color& color, double width, double alpha = 1);
  // Fills the path with a gradient across the picture, from `from` at the upper left end of
  // direction `angle` to `to` at the other.
  void fill_gradient(const Color& from, const Color& to, double angle);
  // Fills the path with a spot that fades out.
  void fill_spot(double x, double y, double radius, const Color& color, double alpha);
  void ellipse(double x, double y, double radius_x, double radius_y);  // adds to the path
  void move(double x, double y) { cairo_move_to(get(), x, y); }
  void line(double x, double y) { cairo_line_to(get(), x, y); }
  void curve(double x1, double y1, double x2, double y2, double x, double y) {
    cairo_curve_to(get(), x1, y1, x2, y2, x, y);
  }
  void close() { cairo_close_path(get()); }

  worker::Image image() const;

 private:
  int size_;
  std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface_;
  std::unique_ptr<cairo_t, void (*)(cairo_t*)> context_;
};

// Keeps cairo's state (place, scale, clip) for a block and puts it back.
class Saved {
 public:
  explicit Saved(Canvas& canvas) : context_(canvas.get()) { cairo_save(context_); }
  Saved(const Saved&) = delete;
  Saved& operator=(const Saved&) = delete;
  ~Saved() { cairo_restore(context_); }

 private:
  cairo_t* context_;
};

}  // namespace ranksweep::make_faces
