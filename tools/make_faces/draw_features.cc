#include <algorithm>
#include <cmath>

#include "tools/make_faces/face.h"

namespace ranksweep::make_faces {
namespace {

constexpr Color kInk = {0.12, 0.07, 0.07};
constexpr Color kEyeWhite = {0.97, 0.96, 0.95};
constexpr Color kTeeth = {0.96, 0.95, 0.91};
constexpr Color kThroat = {0.30, 0.06, 0.08};
constexpr Color kTongue = {0.78, 0.35, 0.36};

void draw_eye(const Face& face, double side, double squint) {
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  const double rx = person.eye_size, ry = person.eye_size * 0.72 * (1 - squint);
  if (squint > 0.85) {  // shut: a lash line
    canvas.move(-rx, 0);
    canvas.curve(-rx * 0.5, rx * 0.45, rx * 0.5, rx * 0.45, rx, 0);
    canvas.stroke(kInk, 0.028);
    return;
  }
  const Saved saved(canvas);
  canvas.ellipse(0, 0, rx, ry);
  canvas.fill(kEyeWhite);
  {
    const Saved clipped(canvas);
    canvas.ellipse(0, 0, rx, ry);
    cairo_clip(canvas.get());
    const double x = face.shot.gaze_x * rx * 0.35, y = face.shot.gaze_y * rx * 0.25;
    canvas.ellipse(x, y, rx * 0.52, rx * 0.52);
    canvas.fill(person.iris);
    canvas.ellipse(x, y, rx * 0.26, rx * 0.26);
    canvas.fill({0.03, 0.02, 0.03});
    canvas.ellipse(x - rx * 0.18, y - rx * 0.2, rx * 0.13, rx * 0.13);
    canvas.fill({1, 1, 1}, 0.9);
  }
  canvas.move(-rx * 1.05, side < 0 ? 0.005 : 0);
  canvas.curve(-rx * 0.6, -ry * 1.35, rx * 0.6, -ry * 1.35, rx * 1.05, 0);
  canvas.stroke(kInk, 0.026);
  canvas.move(-rx * 0.8, ry * 0.85);
  canvas.curve(-rx * 0.4, ry * 1.3, rx * 0.4, ry * 1.3, rx * 0.8, ry * 0.85);
  canvas.stroke(darker(person.skin, 0.4), 0.014, 0.7);
}

void draw_brow(const Face& face, double side) {
  Canvas& canvas = face.canvas;
  const double length = face.person.eye_size * 1.25;
  const double slant = side * face.shot.brow_slant * 0.08;
  canvas.move(-length, slant + 0.02);
  canvas.curve(-length * 0.4, slant * 0.4 - 0.05, length * 0.4, -slant * 0.4 - 0.05, length,
               -slant + 0.02);
  canvas.stroke(darker(face.person.hair, 0.3), face.person.brow_thickness);
}

// The corners and middle lines of the mouth around (0, 0).
struct MouthShape {
  double width;         // half of it
  double left, right;   // heights of the corners: above the middle where negative
  double upper, lower;  // heights of the middle of the upper and the lower line
};

MouthShape mouth_shape(const Face& face) {
  const Shot& shot = face.shot;
  MouthShape shape;
  shape.width = face.person.mouth_width * (1 + 0.25 * std::max(0.0, shot.curve));
  // A mouth that opens in surprise or talk narrows and grows both ways; a laugh grows downwards.
  const bool round = shot.mouth == Mouth::open && shot.curve < 0.1;
  if (round) shape.width *= 0.72;
  shape.left = -shape.width * shot.curve * (1 - shot.skew * 3);
  shape.right = -shape.width * shot.curve * (1 + shot.skew * 3);
  const double opening = shot.mouth == Mouth::closed ? 0 : shape.width * shot.opening;
  shape.upper = shape.width * shot.curve * 0.75 - opening * (round ? 0.8 : 0.35);
  shape.lower = shape.upper + opening * 1.6;
  return shape;
}

// One of the mouth's lines, from the left corner to the right one, or back.
void line_right(Canvas& canvas, const MouthShape& s, double middle) {
  canvas.curve(-s.width * 0.5, middle, s.width * 0.5, middle, s.width, s.right);
}
void line_left(Canvas& canvas, const MouthShape& s, double middle) {
  canvas.curve(s.width * 0.5, middle, -s.width * 0.5, middle, -s.width, s.left);
}

void inner_path(Canvas& canvas, const MouthShape& s) {
  canvas.move(-s.width, s.left);
  line_right(canvas, s, s.upper);
  line_left(canvas, s, s.lower);
  canvas.close();
}

void draw_inside(const Face& face, const MouthShape& s) {
  Canvas& canvas = face.canvas;
  const Saved saved(canvas);
  inner_path(canvas, s);
  cairo_clip_preserve(canvas.get());
  canvas.fill(kThroat);
  const double gap = s.lower - s.upper;
  if (face.shot.mouth == Mouth::teeth) {
    inner_path(canvas, s);
    canvas.fill(kTeeth);
    const double middle = (s.upper + s.lower) / 2;
    canvas.move(-s.width, s.left);
    line_right(canvas, s, middle);
    canvas.stroke(darker(kTeeth, 0.35), 0.012);
    return;
  }
  canvas.ellipse(0, s.lower * 0.85, s.width * 0.55, gap * 0.4);
  canvas.fill(kTongue);
  canvas.move(-s.width, s.left - 0.1);
  line_right(canvas, s, s.upper - 0.1);
  canvas.line(s.width, s.right + gap * 0.1);
  line_left(canvas, s, s.upper + gap * 0.22);
  canvas.close();
  canvas.fill(kTeeth);
}

void draw_folds(const Face& face, const MouthShape& s) {
  const double strength = std::max(face.shot.cheeks * 0.6, face.person.wrinkles ? 0.5 : 0.0);
  for (const double side : {-1.0, 1.0}) {
    face.canvas.move(side * 0.13, -0.2);
    face.canvas.curve(side * 0.2, -0.15, side * (s.width + 0.06), -0.08, side * (s.width + 0.07),
                      0.03);
    face.canvas.stroke(darker(face.person.skin, 0.45), 0.018, strength);
  }
}

void lower_face_path(const Face& face, double top) {
  const double w = face.person.face_width * 1.05;
  face.canvas.move(-w, top);
  face.canvas.curve(-w * 0.7, top + 0.2, -0.3, 0.28, 0, 0.27);
  face.canvas.curve(0.3, 0.28, w * 0.7, top + 0.2, w, top);
  face.canvas.line(w, 1);
  face.canvas.line(-w, 1);
  face.canvas.close();
}

void draw_moustache(const Face& face) {
  face.canvas.move(-0.24, 0.34);
  face.canvas.curve(-0.15, 0.22, -0.05, 0.24, 0, 0.26);
  face.canvas.curve(0.05, 0.24, 0.15, 0.22, 0.24, 0.34);
  face.canvas.curve(0.12, 0.34, 0.05, 0.32, 0, 0.33);
  face.canvas.curve(-0.05, 0.32, -0.12, 0.34, -0.24, 0.34);
  face.canvas.fill(face.person.hair);
}

}  // namespace

void draw_eyes(const Face& face) {
  const Person& person = face.person;
  for (const double side : {-1.0, 1.0}) {
    const Saved saved(face.canvas);
    cairo_translate(face.canvas.get(), side * person.eye_distance, person.eye_height);
    const double squint = side < 0 ? std::max(face.shot.squint, face.shot.wink) : face.shot.squint;
    draw_eye(face, side, squint);
    cairo_translate(face.canvas.get(), 0, -person.brow_height - face.shot.brow_lift);
    draw_brow(face, side);
  }
}

void draw_nose(const Face& face) {
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  const double w = person.nose_width, bottom = person.eye_height + person.nose_length + 0.05;
  canvas.ellipse(0, bottom - 0.02, w, w * 0.7);
  canvas.fill(lighter(person.skin, 0.12), 0.6);
  canvas.move(-w, bottom - 0.01);
  canvas.curve(-w * 0.8, bottom + 0.05, w * 0.8, bottom + 0.05, w, bottom - 0.01);
  canvas.stroke(darker(person.skin, 0.45), 0.024);
  const double side = face.shot.yaw < 0 ? -1 : 1;
  canvas.move(side * w * 0.35, person.eye_height + 0.02);
  canvas.curve(side * w * 0.5, bottom - 0.12, side * w * 0.9, bottom - 0.1, side * w,
               bottom - 0.02);
  canvas.stroke(darker(person.skin, 0.3), 0.02, 0.6);
}

void draw_beard(const Face& face) {
  Canvas& canvas = face.canvas;
  const Color& hair = face.person.hair;
  const Saved saved(canvas);
  head_path(face);
  cairo_clip(canvas.get());
  switch (face.person.beard) {
    case Beard::none:
      return;
    case Beard::stubble:
      lower_face_path(face, 0.12);
      canvas.fill(hair, 0.25);
      return;
    case Beard::moustache:
      draw_moustache(face);
      return;
    case Beard::goatee:
      canvas.ellipse(0, face.person.chin - 0.06, 0.14, 0.13);
      canvas.fill(hair);
      draw_moustache(face);
      return;
    case Beard::full:
      lower_face_path(face, 0.05);
      canvas.fill(hair);
      return;
  }
}

void draw_mouth(const Face& face) {
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  const MouthShape s = mouth_shape(face);
  const double lip = person.lip_thickness;
  const Saved saved(canvas);
  cairo_translate(canvas.get(), 0, person.mouth_height);
  draw_folds(face, s);
  canvas.move(-s.width, s.left);
  line_right(canvas, s, s.upper - lip * 1.6);
  line_left(canvas, s, s.lower + lip * 1.8);
  canvas.close();
  canvas.fill(person.lips);
  if (face.shot.mouth == Mouth::closed) {
    canvas.move(-s.width, s.left);
    line_right(canvas, s, s.upper);
    canvas.stroke(darker(person.lips, 0.65), 0.026);
  } else {
    draw_inside(face, s);
    inner_path(canvas, s);
    canvas.stroke(darker(person.lips, 0.4), 0.014);
  }
  for (const double side : {-1.0, 1.0}) {
    canvas.ellipse(side * s.width, side < 0 ? s.left : s.right, 0.016, 0.016);
    canvas.fill(darker(person.skin, 0.5), 0.8);
  }
}

void draw_glasses(const Face& face) {
  if (face.shot.glasses == Glasses::none) return;
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  const double r = person.eye_distance * 0.78;
  const bool dark = face.shot.glasses == Glasses::sun;
  for (const double side : {-1.0, 1.0}) {
    const double x = side * person.eye_distance, y = person.eye_height + 0.01;
    if (face.shot.glasses == Glasses::round) {
      canvas.ellipse(x, y, r, r);
    } else {
      cairo_rectangle(canvas.get(), x - r, y - r * 0.72, 2 * r, r * 1.5);
    }
    cairo_path_t* outline = cairo_copy_path(canvas.get());
    canvas.fill(dark ? kInk : Color{0.9, 0.95, 1}, dark ? 0.92 : 0.12);
    cairo_append_path(canvas.get(), outline);
    cairo_path_destroy(outline);
    canvas.stroke(face.shot.hat_color, 0.03);
    canvas.move(x + side * r, y - 0.03);
    canvas.line(side * person.face_width, y - 0.05);
    canvas.stroke(face.shot.hat_color, 0.026);
  }
  canvas.move(-(person.eye_distance - r), person.eye_height);
  canvas.curve(-0.02, person.eye_height - 0.04, 0.02, person.eye_height - 0.04,
               person.eye_distance - r, person.eye_height);
  canvas.stroke(face.shot.hat_color, 0.028);
}

}  // namespace ranksweep::make_faces
