// How far several completions of one picture differ.
import { Picture } from "./picture.js";

// from none to most: dark to light, told apart in grey too
const RAMP = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

/** The mean of pictures, and each pixel's standard deviation, root mean square over its channels. */
export function spread(pictures) {
  const [height, width, channels] = pictures[0].shape;
  const mean = new Picture(pictures[0].shape, 0);
  for (const { values } of pictures) values.forEach((value, i) => (mean.values[i] += value / pictures.length));
  const deviation = new Float32Array(height * width);
  for (const { values } of pictures) {
    values.forEach((value, i) => {
      deviation[Math.floor(i / channels)] += (value - mean.values[i]) ** 2 / (pictures.length * channels);
    });
  }
  return { mean, deviation: deviation.map(Math.sqrt) };
}

/** Paints deviations on a canvas, from 0 to the largest; returns that. */
export function paintSpread(canvas, deviation, [height, width]) {
  const most = deviation.reduce((a, b) => Math.max(a, b), 0);
  Object.assign(canvas, { width, height });
  const data = new ImageData(width, height);
  deviation.forEach((value, pixel) => data.data.set([...colour(most && value / most), 255], 4 * pixel));
  canvas.getContext("2d").putImageData(data, 0, 0);
  return most;
}

function colour(position) {
  const place = position * (RAMP.length - 1);
  const below = Math.min(Math.floor(place), RAMP.length - 2);
  return RAMP[below].map((value, i) => value + (place - below) * (RAMP[below + 1][i] - value));
}
