#include "tools/make_faces/face.h"

#include <cmath>

namespace ranksweep::make_faces {
namespace {

// A head that turns moves what lies on its front, the more the further it stands out.
void turn(const Face& face, double depth) {
  cairo_translate(face.canvas.get(), 0.13 * depth * face.shot.yaw, 0.06 * depth * face.shot.pitch);
  cairo_scale(face.canvas.get(), 1 - 0.14 * std::abs(face.shot.yaw), 1);
}

void draw_front(const Face& face, double depth, void (*draw)(const Face&)) {
  const Saved saved(face.canvas);
  turn(face, depth);
  draw(face);
}

}  // namespace

worker::Image draw_face(const Person& person, const Shot& shot, int size) {
  Canvas canvas(size);
  const Face face{canvas, person, shot};
  draw_backdrop(face);
  {
    const Saved saved(canvas);
    cairo_translate(canvas.get(), shot.shift_x, 0.05 + shot.shift_y);
    cairo_scale(canvas.get(), shot.scale, shot.scale);
    draw_body(face);
    cairo_rotate(canvas.get(), shot.tilt);
    draw_hair_behind(face);
    draw_head(face);
    draw_front(face, 0.8, draw_beard);
    draw_front(face, 1, draw_eyes);
    draw_front(face, 1, draw_mouth);
    draw_front(face, 1.3, draw_nose);
    draw_hair_in_front(face);
    draw_front(face, 1.1, draw_glasses);
    draw_hat(face);
  }
  worker::Image image = canvas.image();
  develop(shot, image);
  return image;
}

}  // namespace ranksweep::make_faces
