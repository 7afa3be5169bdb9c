// A completion, one step of the model at a time; a new picture is one of which nothing is known.
import { below, foldIn, normals, ofRow, split } from "./draws.js";
import { Picture } from "./picture.js";
import { pause } from "./work.js";

/**
 * Yields the picture as it stands at the beginning and after each step.
 *
 * mask: 1 where a pixel is known, one number a pixel; options: seed, steps, label.
 */
export async function* completed(model, picture, mask, { seed, steps, label }) {
  const [starting, running] = seeds(model, seed);
  const held = perChannel(mask, model.shape[2]);
  const count = model.inputShape("complete_step", "noise").reduce((product, side) => product * side, 1);
  let values = blended(picture.values, held, start(model, starting, label));
  yield new Picture(model.shape, clipped(values, held));
  const still = new Float32Array(count);
  for (let step = 0; step < steps + model.about.denoising_steps; step++) {
    const noise = step < steps ? normals(foldIn(running, step), count) : still;
    const given = { image: values, mask, noise, label: [label] };
    values = (await model.ask("complete_step", given)).image;
    yield new Picture(model.shape, clipped(values, held));
  }
}

/** The last of these pictures, or null if the signal came before it. */
export async function outcome(model, picture, mask, asked, signal) {
  let last = null;
  for await (last of completed(model, picture, mask, asked)) {
    await pause();
    if (signal.aborted) return null;
  }
  return last;
}

/** Of what a completion starts from, and of its steps: those of the SavedModel's signature `complete`. */
function seeds(model, seed) {
  return model.about.latent_shape ? [null, ofRow(seed)] : split(ofRow(seed));
}

/** What stands at missing pixels before the first step. */
function start(model, starting, label) {
  const { start: reference, starts, classes } = model.about;
  const channels = model.shape[2];
  if (starts) {
    // picture i is of class i % classes
    const which = below(Math.floor(starts / classes), starting) * classes + label;
    return model.starts.slice(which * model.size, (which + 1) * model.size);
  }
  if (reference.std === 0) return new Float32Array(model.size).map((_, i) => reference.mean[i % channels]);
  return normals(starting, model.size).map((z, i) => reference.mean[i % channels] + reference.std * z);
}

function perChannel(mask, channels) {
  return Float32Array.from({ length: mask.length * channels }, (_, i) => mask[Math.floor(i / channels)]);
}

function blended(known, held, other) {
  return known.map((value, i) => (held[i] ? value : other[i]));
}

function clipped(values, held) {
  return values.map((value, i) => (held[i] ? value : Math.min(1, Math.max(-1, value))));
}
