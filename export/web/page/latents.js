// Ways between two latents.

/** The straight way: 0 is the first, 1 the second. */
export function lerp(first, second, position) {
  return first.map((value, i) => (1 - position) * value + position * second[i]);
}

/** The way along the great circle, which keeps the length that draws of the prior have. */
export function slerp(first, second, position) {
  const [u, v] = [first, second].map((latent) => latent.map((value) => value / norm(latent)));
  // Kahan's formula loses no digits to small angles
  const angle = 2 * Math.atan2(norm(u.map((value, i) => value - v[i])), norm(u.map((value, i) => value + v[i])));
  if (!(Math.sin(angle) > 1e-6)) return lerp(first, second, position);
  const [a, b] = [Math.sin((1 - position) * angle), Math.sin(position * angle)];
  return first.map((value, i) => (a * value + b * second[i]) / Math.sin(angle));
}

function norm(latent) {
  return Math.sqrt(latent.reduce((sum, value) => sum + value * value, 0));
}
