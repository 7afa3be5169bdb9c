// A picture, or a clip: numbers in [-1, 1], frame by frame, row by row, channels last.

const FRAME_TIME = 80; // milliseconds
const playing = new WeakMap(); // the timer of each canvas that plays a clip

export class Picture {
  /** shape: [height, width, channels], before these the frames of a clip; values: as many numbers, or one for all. */
  constructor(shape, values = -1) {
    this.shape = shape;
    const size = shape.reduce((product, side) => product * side, 1);
    this.values = typeof values === "number" ? new Float32Array(size).fill(values) : values;
  }

  get frames() {
    return this.shape.length === 4 ? this.shape[0] : 1;
  }

  copy() {
    return new Picture(this.shape, this.values.slice());
  }

  /** Paints it on a canvas, one pixel each; CSS enlarges. A clip plays until the canvas is left or painted anew. */
  paint(canvas) {
    clearInterval(playing.get(canvas));
    this.paintFrame(canvas, 0);
    if (this.frames === 1) return;
    let frame = 0;
    let attached = false;
    const timer = setInterval(() => {
      if (attached && !canvas.isConnected) clearInterval(timer);
      attached = canvas.isConnected;
      frame = (frame + 1) % this.frames;
      this.paintFrame(canvas, frame);
    }, FRAME_TIME);
    playing.set(canvas, timer);
  }

  paintFrame(canvas, frame) {
    const [height, width, channels] = this.shape.slice(-3);
    const begin = frame * height * width * channels;
    Object.assign(canvas, { width, height });
    const data = new ImageData(width, height);
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let i = 0; i < 3; i++) {
        const value = this.values[begin + pixel * channels + (channels === 1 ? 0 : i)];
        data.data[4 * pixel + i] = Math.round((value + 1) * 127.5); // which also clips
      }
      data.data[4 * pixel + 3] = 255;
    }
    canvas.getContext("2d").putImageData(data, 0, 0);
  }

  /** Without the pixels within a margin of the border. */
  cut(margin) {
    const [height, width, channels] = this.shape;
    const inner = new Picture([height - 2 * margin, width - 2 * margin, channels]);
    for (let row = margin; row < height - margin; row++) {
      const from = (row * width + margin) * channels;
      const values = this.values.subarray(from, from + (width - 2 * margin) * channels);
      inner.values.set(values, (row - margin) * (width - 2 * margin) * channels);
    }
    return inner;
  }
}

/** A picture from an image file: its largest middle part of the right proportions, resized. */
export async function fromFile(blob, shape) {
  const [height, width, channels] = shape;
  const image = await createImageBitmap(blob);
  const scale = Math.min(image.width / width, image.height / height);
  const [sw, sh] = [width * scale, height * scale];
  const resized = await createImageBitmap(image, (image.width - sw) / 2, (image.height - sh) / 2, sw, sh, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: scale === 1 ? "pixelated" : "high",
  });
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(resized, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const picture = new Picture(shape);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [red, green, blue] = data.subarray(4 * pixel, 4 * pixel + 3);
    // Rec. 601's luma, which is what Pillow makes of colours too
    const parts = channels === 1 ? [0.299 * red + 0.587 * green + 0.114 * blue] : [red, green, blue];
    picture.values.set(parts.map((part) => part / 127.5 - 1), pixel * channels);
  }
  return picture;
}
