#pragma once

#include "tools/make_faces/canvas.h"
#include "tools/make_faces/random.h"

namespace ranksweep::make_faces {

enum class HairStyle { bald, cropped, parted, fringe, long_straight, curly, bun };
enum class Beard { none, stubble, moustache, goatee, full };
enum class Hat { none, cap, beanie, brimmed, band };
enum class Glasses { none, round, square, sun };
enum class Mouth { closed, teeth, open };

// What stays the same in all pictures of a person. Lengths in units of the head's size.
struct Person {
  Color skin, hair, iris, lips;
  HairStyle hair_style;
  Beard beard;
  double face_width, jaw_width, chin;  // about 0.5, 0.8 and 0.68
  double eye_distance, eye_size, eye_height;
  double brow_thickness, brow_height;
  double nose_length, nose_width;
  double mouth_width, mouth_height, lip_thickness;
  bool freckles, wrinkles;
};

// What differs from picture to picture. Nothing but the mouth, and less surely the eyes and the
// cheeks, depends on whether the person smiles.
struct Shot {
  Mouth mouth;
  double curve;    // how far the corners of the mouth lie above its middle, in mouth widths
  double skew;     // how much more on one side
  double opening;  // in mouth widths
  double squint;   // 0: eyes wide open, 1: shut
  double wink;     // further squint of the left eye
  double brow_lift;
  double brow_slant;
  double gaze_x, gaze_y;
  double cheeks;      // how much they stand out
  double tilt;        // radians, in the picture's plane
  double yaw, pitch;  // -1 to 1, out of it
  double scale, shift_x, shift_y;
  Hat hat;
  Glasses glasses;
  Color cloth, backdrop, backdrop_end, hat_color;
  double light_angle, light_strength;
  Color light;            // factors
  double blur;            // standard deviation in pixels of a picture of 160
  double noise;           // standard deviation of 255
  int quality;            // of the JPEG
  std::uint64_t pattern;  // seed of the background's shapes and the noise
};

Person draw_person(Random random);
Shot draw_shot(bool smiles, Random random);

}  // namespace ranksweep::make_faces
