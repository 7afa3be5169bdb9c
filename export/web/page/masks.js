// What is hidden at once: masks, 1 where a pixel is known.

const HIDDEN = {
  none: () => false,
  bottom: (row, _, height) => row >= height / 2,
  centre: (row, column, height, width) =>
    row >= height / 4 && row < (3 * height) / 4 && column >= width / 4 && column < (3 * width) / 4,
};

/** A mask by name: none, bottom, centre. */
export function mask(name, [height, width]) {
  const hidden = HIDDEN[name];
  return Float32Array.from({ length: height * width }, (_, pixel) =>
    hidden(Math.floor(pixel / width), pixel % width, height, width) ? 0 : 1,
  );
}
