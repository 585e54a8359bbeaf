#pragma once

#include "tools/make_faces/person.h"

namespace ranksweep::make_faces {

// Draws a person as the shot has them: size x size pixels.
worker::Image draw_face(const Person& person, const Shot& shot, int size);

// Parts of a face, in the head's own place: (0, 0) between nose and eyes, 1 about the head's
// height, y pointing down. Each leaves the canvas as it found it.
struct Face {
  Canvas& canvas;
  const Person& person;
  const Shot& shot;
};
void draw_backdrop(const Face& face);
void draw_body(const Face& face);
void draw_hair_behind(const Face& face);
void draw_head(const Face& face);
void draw_eyes(const Face& face);
void draw_nose(const Face& face);
void draw_beard(const Face& face);
void draw_mouth(const Face& face);
void draw_hair_in_front(const Face& face);
void draw_glasses(const Face& face);
void draw_hat(const Face& face);
void head_path(const Face& face);  // adds the outline of the head to the path

// What a camera adds: the light's direction and colour, blur and noise.
void develop(const Shot& shot, worker::Image& image);

}  // namespace ranksweep::make_faces
