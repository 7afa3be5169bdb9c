// A completion, one step of the model at a time; a new picture is one of which nothing is known.
import { below, foldIn, normals, ofRow, split } from "./draws.js";
import { Picture } from "./picture.js";
import { pause } from "./work.js";

/**
 * Yields the picture as it stands at the beginning and after each step.
 *
 * mask: 1 where a pixel is known, one number a pixel; options: seed, steps, refineSteps, label.
 */
export async function* completed(model, picture, mask, { seed, steps, refineSteps, label }) {
  const held = perChannel(mask, model.shape[2]);
  const known = picture.values;
  let values = blended(known, held, start(model, seed, label));
  yield new Picture(model.shape, clipped(values, held));
  for (const [name, noise] of plan(model, { seed, steps, refineSteps })) {
    values = (await model.ask(name, { image: values, mask, label: [label], ...noise() })).image;
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

/** How many steps a completion takes in all. */
export function stepsInAll(model, { steps, refineSteps }) {
  return steps + (model.can("refine_step") ? refineSteps : 0) + model.about.denoising_steps;
}

/** The files that are asked one after the other, each with its noise: that of the SavedModel's `complete`. */
function* plan(model, { seed, steps, refineSteps }) {
  const row = ofRow(seed);
  const still = () => ({ noise: new Float32Array(model.size) });
  if (model.about.latent_shape) {
    for (let i = 0; i < steps; i++) yield ["complete_step", () => latentNoise(model, foldIn(row, i))];
    const refining = foldIn(row, -1);
    for (let i = 0; model.can("refine_step") && i < refineSteps; i++) {
      yield ["refine_step", () => ({ noise: normals(foldIn(refining, i), model.size) })];
    }
    return;
  }
  const [, running] = split(row);
  for (let i = 0; i < steps; i++) yield ["complete_step", () => ({ noise: normals(foldIn(running, i), model.size) })];
  for (let i = 0; i < model.about.denoising_steps; i++) yield ["complete_step", still];
}

/** What latents are inferred with: a draw, or a start and one for each step where they are sampled. */
function latentNoise(model, seed) {
  const { latent_shape: shape, inference_steps: steps } = model.about;
  const count = shape.reduce((product, side) => product * side, 1);
  if (!steps) return { latent_noise: normals(seed, count) };
  const [starting, running] = split(seed);
  const drawn = new Float32Array((1 + steps) * count);
  drawn.set(normals(starting, count));
  for (let i = 0; i < steps; i++) drawn.set(normals(foldIn(running, i), count), (1 + i) * count);
  return { latent_noise: drawn };
}

/** What stands at missing pixels before the first step. */
function start(model, seed, label) {
  const { start: reference, starts, classes } = model.about;
  const channels = model.shape[2];
  if (reference.std === 0) return new Float32Array(model.size).map((_, i) => reference.mean[i % channels]);
  const [starting] = split(ofRow(seed));
  if (starts) {
    // picture i is of class i % classes
    const which = below(Math.floor(starts / classes), starting) * classes + label;
    return model.starts.slice(which * model.size, (which + 1) * model.size);
  }
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
