#include <cmath>

#include "tools/make_faces/face.h"

namespace ranksweep::make_faces {
namespace {

bool has_long_hair(const Person& person) {
  return person.hair_style == HairStyle::long_straight || person.hair_style == HairStyle::curly;
}

// The scalp's edge: an arc from temple to temple, `height` above the brows, closed over the top.
void scalp_path(const Face& face, double height, double part) {
  const double w = face.person.face_width + 0.025;
  Canvas& canvas = face.canvas;
  canvas.move(-w, 0.02);
  canvas.curve(-w * 1.08, -0.95, w * 1.08, -0.95, w, 0.02);
  canvas.curve(w * 0.95, -0.2, w * 0.8, height, part, height);
  canvas.curve(-w * 0.8, height, -w * 0.95, -0.2, -w, 0.02);
  canvas.close();
}

void draw_curls(const Face& face) {
  Random random({face.shot.pattern, 3});
  for (int i = 0; i < 26; ++i) {
    const double angle = M_PI * (1.05 + 0.9 * i / 25.0);
    const double x = std::cos(angle) * (face.person.face_width + 0.04);
    const double y = std::sin(angle) * 0.6 - 0.02;
    face.canvas.ellipse(x, y, random.uniform(0.09, 0.14), random.uniform(0.09, 0.14));
    face.canvas.fill(lighter(face.person.hair, random.uniform(0, 0.08)));
  }
}

}  // namespace

void draw_backdrop(const Face& face) {
  Canvas& canvas = face.canvas;
  Random random({face.shot.pattern, 1});
  cairo_rectangle(canvas.get(), -1, -1, 2, 2);
  canvas.fill_gradient(face.shot.backdrop, face.shot.backdrop_end, random.uniform(0, 2 * M_PI));
  const int shapes = random.below(9);
  for (int i = 0; i < shapes; ++i) {
    const double x = random.uniform(-1.1, 1.1), y = random.uniform(-1.1, 1.1);
    const double size = random.uniform(0.08, 0.5);
    if (random.chance(0.5)) {
      canvas.ellipse(x, y, size, size);
    } else {
      cairo_rectangle(canvas.get(), x, y, size, random.uniform(0.1, 1.4));
    }
    canvas.fill(
        random.chance(0.5) ? lighter(face.shot.backdrop, 0.5) : darker(face.shot.backdrop_end, 0.4),
        random.uniform(0.1, 0.5));
  }
}

void draw_body(const Face& face) {
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  const double neck = person.face_width * 0.55;
  cairo_rectangle(canvas.get(), -neck, 0.3, 2 * neck, 0.7);
  canvas.fill(darker(person.skin, 0.22));
  canvas.move(-1.1, 1.9);
  canvas.curve(-1.05, 0.95, -0.6, 0.92, -neck * 1.05, 0.8);
  canvas.curve(-neck * 0.5, 1.02, neck * 0.5, 1.02, neck * 1.05, 0.8);
  canvas.curve(0.6, 0.92, 1.05, 0.95, 1.1, 1.9);
  canvas.close();
  canvas.fill(face.shot.cloth);
  canvas.move(-neck * 1.05, 0.8);
  canvas.curve(-neck * 0.5, 1.02, neck * 0.5, 1.02, neck * 1.05, 0.8);
  canvas.stroke(darker(face.shot.cloth, 0.3), 0.04);
}

void draw_hair_behind(const Face& face) {
  if (!has_long_hair(face.person)) {
    if (face.person.hair_style != HairStyle::bun) return;
    face.canvas.ellipse(0, -0.74, 0.2, 0.17);
    face.canvas.fill(darker(face.person.hair, 0.15));
    return;
  }
  const double w = face.person.face_width + 0.12;
  face.canvas.move(-w * 0.92, 0.72);
  face.canvas.curve(-w * 1.35, -1.05, w * 1.35, -1.05, w * 0.92, 0.72);
  face.canvas.curve(w * 0.85, 0.95, w * 0.4, 0.9, 0, 0.88);
  face.canvas.curve(-w * 0.4, 0.9, -w * 0.85, 0.95, -w * 0.92, 0.72);
  face.canvas.fill(darker(face.person.hair, 0.25));
}

void head_path(const Face& face) {
  const Person& person = face.person;
  const double w = person.face_width, jaw = w * person.jaw_width, chin = person.chin;
  Canvas& canvas = face.canvas;
  canvas.move(0, -0.66);
  canvas.curve(w * 0.75, -0.66, w, -0.38, w, -0.05);
  canvas.curve(w, 0.2, jaw, 0.4, jaw * 0.75, chin - 0.14);
  canvas.curve(jaw * 0.5, chin, jaw * 0.2, chin, 0, chin);
  canvas.curve(-jaw * 0.2, chin, -jaw * 0.5, chin, -jaw * 0.75, chin - 0.14);
  canvas.curve(-jaw, 0.4, -w, 0.2, -w, -0.05);
  canvas.curve(-w, -0.38, -w * 0.75, -0.66, 0, -0.66);
  canvas.close();
}

void draw_head(const Face& face) {
  Canvas& canvas = face.canvas;
  const Person& person = face.person;
  for (const double side : {-1.0, 1.0}) {
    const double x = side * person.face_width - 0.05 * face.shot.yaw;
    canvas.ellipse(x, 0.03, 0.09, 0.14);
    canvas.fill(darker(person.skin, 0.08));
    canvas.ellipse(x, 0.04, 0.045, 0.08);
    canvas.fill(darker(person.skin, 0.25));
  }
  head_path(face);
  canvas.fill(person.skin);

  const Saved saved(canvas);
  head_path(face);
  cairo_clip(canvas.get());
  const double x = std::cos(face.shot.light_angle), y = std::sin(face.shot.light_angle);
  cairo_rectangle(canvas.get(), -1, -1, 2, 2);
  canvas.fill_spot(-0.6 * x, -0.6 * y, 0.9, darker(person.skin, 0.7), face.shot.light_strength);
  cairo_rectangle(canvas.get(), -1, -1, 2, 2);
  canvas.fill_spot(0.35 * x, 0.35 * y, 0.6, lighter(person.skin, 0.6),
                   0.8 * face.shot.light_strength);
  for (const double side : {-1.0, 1.0}) {
    cairo_rectangle(canvas.get(), -1, -1, 2, 2);
    canvas.fill_spot(side * 0.3 + 0.13 * face.shot.yaw, 0.2, 0.2, {0.85, 0.3, 0.3},
                     0.1 + 0.2 * face.shot.cheeks);
  }
  if (!person.freckles) return;
  Random random({face.shot.pattern, 2});
  for (int i = 0; i < 24; ++i) {
    canvas.ellipse(random.uniform(-0.35, 0.35), random.uniform(0.05, 0.22), 0.012, 0.012);
    canvas.fill(darker(person.skin, 0.4), 0.7);
  }
}

void draw_hair_in_front(const Face& face) {
  const Person& person = face.person;
  Canvas& canvas = face.canvas;
  switch (person.hair_style) {
    case HairStyle::bald:
      return;
    case HairStyle::cropped:
    case HairStyle::bun:
      scalp_path(face, -0.46, 0);
      break;
    case HairStyle::parted:
      scalp_path(face, -0.44, -0.25);
      break;
    case HairStyle::fringe:
      scalp_path(face, -0.3, 0.05);
      break;
    case HairStyle::long_straight:
      scalp_path(face, -0.48, 0.12);
      break;
    case HairStyle::curly:
      scalp_path(face, -0.44, 0);
      canvas.fill(person.hair);
      draw_curls(face);
      return;
  }
  canvas.fill(person.hair);
  canvas.move(-person.face_width * 0.5, -0.62);
  canvas.curve(-0.2, -0.7, 0.1, -0.7, person.face_width * 0.5, -0.6);
  canvas.stroke(lighter(person.hair, 0.3), 0.05, 0.35);
}

void draw_hat(const Face& face) {
  Canvas& canvas = face.canvas;
  const double w = face.person.face_width + 0.06;
  const Color& color = face.shot.hat_color;
  if (face.shot.hat == Hat::none) return;
  if (face.shot.hat == Hat::band) {
    canvas.move(-w, -0.28);
    canvas.curve(-w * 0.5, -0.45, w * 0.5, -0.45, w, -0.28);
    canvas.stroke(color, 0.11);
    return;
  }
  canvas.move(-w, -0.3);
  canvas.curve(-w, -1.05, w, -1.05, w, -0.3);
  canvas.curve(w * 0.5, -0.42, -w * 0.5, -0.42, -w, -0.3);
  canvas.close();
  canvas.fill(color);
  if (face.shot.hat == Hat::brimmed) {
    canvas.ellipse(0, -0.36, w * 1.6, 0.1);
    canvas.fill(darker(color, 0.25));
  } else if (face.shot.hat == Hat::cap) {
    canvas.ellipse(0.25 * face.shot.yaw, -0.33, w * 0.85, 0.12);
    canvas.fill(darker(color, 0.35));
  } else {
    canvas.move(-w, -0.34);
    canvas.curve(-w * 0.5, -0.46, w * 0.5, -0.46, w, -0.34);
    canvas.stroke(lighter(color, 0.25), 0.13);
  }
}

}  // namespace ranksweep::make_faces
