// What lies over the picture on the easel: hatching where it is hidden, and the keyboard's cursor.

const SIDE = 640; // pixels of the longer side, at most a little fewer
const HATCH = 20; // pixels from line to line

export class Overlay {
  constructor(canvas, [height, width]) {
    this.canvas = canvas;
    this.scale = Math.max(1, Math.floor(SIDE / Math.max(height, width)));
    this.columns = width;
    Object.assign(canvas, { width: width * this.scale, height: height * this.scale });
  }

  /** mask: 1 where a pixel is known; square: the cursor's first and last rows and columns, or null. */
  draw(mask, square) {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.fillStyle = this.#hatching(context);
    mask.forEach((known, pixel) => {
      if (known) return;
      const [row, column] = [Math.floor(pixel / this.columns), pixel % this.columns];
      context.fillRect(column * this.scale, row * this.scale, this.scale, this.scale);
    });
    if (square) this.#outline(context, square);
  }

  #hatching(context) {
    const cell = new OffscreenCanvas(HATCH, HATCH);
    const brush = cell.getContext("2d");
    const style = getComputedStyle(this.canvas);
    brush.fillStyle = style.getPropertyValue("--hidden");
    brush.fillRect(0, 0, HATCH, HATCH);
    brush.strokeStyle = style.getPropertyValue("--hatch");
    brush.lineWidth = 3;
    for (const shift of [-HATCH, 0, HATCH]) {
      brush.moveTo(shift - 1, HATCH + 1);
      brush.lineTo(shift + HATCH + 1, -1);
    }
    brush.stroke();
    return context.createPattern(cell, "repeat");
  }

  #outline(context, { top, left, bottom, right }) {
    const box = [left, top, right - left + 1, bottom - top + 1].map((side) => side * this.scale);
    for (const [colour, width] of [["#000", 9], ["#fff", 5]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.strokeRect(...box);
    }
  }
}
