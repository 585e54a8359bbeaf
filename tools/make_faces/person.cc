#include "tools/make_faces/person.h"

#include <array>
#include <cmath>

namespace ranksweep::make_faces {
namespace {

constexpr std::array kSkins = {Color{0.98, 0.86, 0.76}, Color{0.95, 0.78, 0.64},
                               Color{0.88, 0.69, 0.52}, Color{0.76, 0.56, 0.40},
                               Color{0.60, 0.42, 0.29}, Color{0.44, 0.29, 0.20}};
constexpr std::array kHairs = {Color{0.10, 0.08, 0.08}, Color{0.26, 0.16, 0.10},
                               Color{0.45, 0.28, 0.14}, Color{0.80, 0.62, 0.32},
                               Color{0.62, 0.25, 0.12}, Color{0.66, 0.65, 0.64},
                               Color{0.36, 0.22, 0.13}};
constexpr std::array kIrises = {Color{0.30, 0.19, 0.10}, Color{0.22, 0.40, 0.55},
                                Color{0.25, 0.45, 0.30}, Color{0.40, 0.36, 0.32}};
constexpr std::array kHairStyles = {
    HairStyle::bald,          HairStyle::cropped,       HairStyle::parted, HairStyle::fringe,
    HairStyle::long_straight, HairStyle::long_straight, HairStyle::curly,  HairStyle::bun};
constexpr std::array kBeards = {Beard::none,   Beard::none, Beard::none,    Beard::none,
                                Beard::none,   Beard::none, Beard::stubble, Beard::moustache,
                                Beard::goatee, Beard::full};
constexpr std::array kHats = {Hat::none, Hat::none, Hat::none,   Hat::none,    Hat::none,
                              Hat::none, Hat::cap,  Hat::beanie, Hat::brimmed, Hat::band};
constexpr std::array kGlasses = {Glasses::none, Glasses::none,  Glasses::none,   Glasses::none,
                                 Glasses::none, Glasses::round, Glasses::square, Glasses::sun};

// Any colour, none of them garish.
Color any_color(Random& random) {
  const Color color = {random.uniform(0.1, 0.95), random.uniform(0.1, 0.95),
                       random.uniform(0.1, 0.95)};
  return mix(color, {0.6, 0.58, 0.55}, random.uniform(0.2, 0.6));
}

// Smiles of three kinds, none of them too faint for a person to see.
void draw_smile(Shot& shot, Random& random) {
  shot.mouth = random.pick(std::array{Mouth::closed, Mouth::teeth, Mouth::open});
  shot.curve = random.uniform(0.35, 0.6);
  shot.skew = random.uniform(-0.12, 0.12);
  shot.opening =
      shot.mouth == Mouth::teeth ? random.uniform(0.16, 0.34) : random.uniform(0.4, 0.75);
  shot.squint = random.uniform(0, 0.55);
  shot.cheeks = random.uniform(0.1, 1);
}

// Everything that a face does without smiling: a calm, stern or sulky mouth, and talk and surprise
// that open it as wide as a laugh.
void draw_no_smile(Shot& shot, Random& random) {
  shot.mouth = random.pick(std::array{Mouth::closed, Mouth::closed, Mouth::teeth, Mouth::open});
  shot.curve = random.uniform(-0.3, 0.03);
  shot.skew = random.uniform(-0.06, 0.06);
  shot.opening = shot.mouth == Mouth::teeth ? random.uniform(0.16, 0.34) : random.uniform(0.4, 0.8);
  shot.squint = random.uniform(0, 0.45);
  shot.cheeks = random.chance(0.3) ? random.uniform(0.1, 0.8) : 0;
}

}  // namespace

Person draw_person(Random random) {
  Person person;
  const int tone = random.below(static_cast<int>(kSkins.size()) - 1);
  person.skin = mix(kSkins[static_cast<std::size_t>(tone)],
                    kSkins[static_cast<std::size_t>(tone) + 1], random.uniform(0, 1));
  person.hair = darker(random.pick(kHairs), random.uniform(0, 0.25));
  person.iris = random.pick(kIrises);
  person.lips = mix(person.skin, {0.72, 0.22, 0.25}, random.uniform(0.25, 0.7));
  person.hair_style = random.pick(kHairStyles);
  person.beard = random.pick(kBeards);
  person.face_width = random.uniform(0.46, 0.56);
  person.jaw_width = random.uniform(0.66, 0.95);
  person.chin = random.uniform(0.62, 0.74);
  person.eye_distance = random.uniform(0.19, 0.24);
  person.eye_size = random.uniform(0.085, 0.115);
  person.eye_height = random.uniform(-0.1, -0.03);
  person.brow_thickness = random.uniform(0.025, 0.06);
  person.brow_height = random.uniform(0.13, 0.17);
  person.nose_length = random.uniform(0.2, 0.3);
  person.nose_width = random.uniform(0.06, 0.11);
  person.mouth_width = random.uniform(0.25, 0.32);
  person.mouth_height = random.uniform(0.37, 0.42);
  person.lip_thickness = random.uniform(0.02, 0.045);
  person.freckles = random.chance(0.15);
  person.wrinkles = random.chance(0.2);
  return person;
}

Shot draw_shot(bool smiles, Random random) {
  Shot shot;
  if (smiles) {
    draw_smile(shot, random);
  } else {
    draw_no_smile(shot, random);
  }
  shot.wink = random.chance(0.08) ? 1 : 0;
  shot.brow_lift = random.chance(0.25) ? random.uniform(0.03, 0.09) : random.uniform(-0.02, 0.02);
  shot.brow_slant = random.uniform(-0.25, 0.25);
  shot.gaze_x = random.uniform(-1, 1);
  shot.gaze_y = random.uniform(-0.6, 0.6);
  shot.tilt = random.uniform(-0.15, 0.15);
  shot.yaw = random.uniform(-0.7, 0.7);
  shot.pitch = random.uniform(-0.7, 0.7);
  shot.scale = random.uniform(1.15, 1.4);
  shot.shift_x = random.uniform(-0.08, 0.08);
  shot.shift_y = random.uniform(-0.08, 0.08);
  shot.hat = random.pick(kHats);
  shot.glasses = random.pick(kGlasses);
  shot.cloth = any_color(random);
  shot.backdrop = any_color(random);
  shot.backdrop_end = mix(shot.backdrop, any_color(random), random.uniform(0.2, 0.9));
  shot.hat_color = any_color(random);
  shot.light_angle = random.uniform(-M_PI, M_PI);
  shot.light_strength = random.uniform(0.05, 0.4);
  const double warmth = random.uniform(-0.14, 0.14), exposure = random.uniform(0.7, 1.2);
  shot.light = {exposure * (1 + warmth), exposure, exposure * (1 - warmth)};
  shot.blur = random.chance(0.5) ? random.uniform(0.3, 1.2) : 0;
  shot.noise = random.uniform(1, 5);
  shot.quality = 80 + random.below(16);
  shot.pattern = random.next();
  return shot;
}

}  // namespace ranksweep::make_faces
