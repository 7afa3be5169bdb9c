// Randomness without state, as tfgen.random draws it: the same seed gives the same numbers here and there. A seed is two
// integers of 32 bits. Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011 (Philox4x32-10), with the
// constants of TensorFlow's stateless draws.

const ROUNDS = 10;
const SCRAMBLING = [0x3ec8f720, 0x02461e29]; // the key that makes keys of seeds

/** The seed that all others are folded from. */
export function root(seed) {
  return foldIn([0, 0], seed);
}

/** The seed of the only row of a request to an exported model, as `python -m export.client --seed=...` makes it. */
export function ofRow(seed) {
  return foldIn(root(seed), 0);
}

/** A new seed, determined by a seed and an integer, such as a step. */
export function foldIn(seed, data) {
  return [bits(seed, 1)[0], data >>> 0];
}

/** `count` independent seeds from one. */
export function split(seed, count = 2) {
  const drawn = bits(seed, 2 * count);
  return Array.from({ length: count }, (_, i) => [drawn[2 * i], drawn[2 * i + 1]]);
}

/** An integer from 0 to below `bound`. */
export function below(bound, seed) {
  return bits(seed, 1)[0] % bound;
}

/** Standard normal numbers, by Box and Muller's two at a time. */
export function normals(seed, count) {
  const drawn = bits(seed, count + (count % 2));
  const values = new Float32Array(drawn.length);
  for (let i = 0; i < drawn.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(Math.max(unit(drawn[i]), 1e-7)));
    const angle = 2 * Math.PI * unit(drawn[i + 1]);
    values[i] = radius * Math.sin(angle);
    values[i + 1] = radius * Math.cos(angle);
  }
  return values.subarray(0, count);
}

/** A number in [0, 1) from the lower 23 bits, as many as a float's mantissa has. */
function unit(word) {
  return (word & 0x7fffff) / 2 ** 23;
}

/** Words of 32 bits. */
function bits(seed, count) {
  const [first, second] = seed.map((word) => word | 0);
  // a seed's words are widened to 64 bits with their sign
  const mixed = philox([first, first >> 31, second, second >> 31], SCRAMBLING);
  const words = new Uint32Array(4 * Math.ceil(count / 4));
  for (let i = 0; 4 * i < count; i++) words.set(philox([i, 0, mixed[2], mixed[3]], mixed), 4 * i);
  return words.subarray(0, count);
}

/** Four words of a counter's four, under a key of two. */
function philox(counter, key) {
  let [a, b, c, d] = counter.map((word) => word >>> 0);
  let [first, second] = key;
  for (let round = 0; round < ROUNDS; round++) {
    [a, b, c, d] = [
      (high(c, 0xcd9e8d57) ^ b ^ first) >>> 0,
      Math.imul(c, 0xcd9e8d57) >>> 0,
      (high(a, 0xd2511f53) ^ d ^ second) >>> 0,
      Math.imul(a, 0xd2511f53) >>> 0,
    ];
    first = (first + 0x9e3779b9) >>> 0;
    second = (second + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** The upper 32 bits of a product of 64. */
function high(a, b) {
  const [low, middle] = [(a & 0xffff) * (b & 0xffff), (a >>> 16) * (b & 0xffff) + (a & 0xffff) * (b >>> 16)];
  return (a >>> 16) * (b >>> 16) + Math.floor((middle + Math.floor(low / 65536)) / 65536);
}
