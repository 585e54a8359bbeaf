#pragma once

#include <optional>
#include <span>

#include "results/interval.h"

// What the losses of single images tell about their mean. Both functions draw at random from a
// fixed seed, so that they always give the same answer.
namespace ranksweep::results {

// The bootstrap interval of the mean at a confidence of 95 %: bias-corrected and accelerated, since
// losses are skewed (B. Efron, 1987, Better Bootstrap Confidence Intervals, J. Am. Stat. Assoc. 82,
// p. 171). None for fewer than two values, or one that is not finite.
std::optional<Interval> bootstrap_interval(std::span<const double> values);

// Whether a pair's `differences` on the same images can be told from chance, at a level of 5 %: the
// two-sided sign-flip test, which asks how often their sum would be as far from zero if each had
// either sign (R. A. Fisher, 1935, The Design of Experiments, section 21; with random flips, the
// observed one counted among them: B. Phipson, G. K. Smyth, 2010, Stat. Appl. Genet. Mol. Biol. 9).
// Nothing for no differences, or one that is not finite.
std::optional<bool> distinguishable(std::span<const double> differences);

}  // namespace ranksweep::results
