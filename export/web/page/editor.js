// The easel: a picture and a mask that are painted with the pointer or with the keyboard.
import { mask } from "./masks.js";
import { Overlay } from "./overlay.js";
import { Picture } from "./picture.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Dispatches `change` when the picture or the mask has changed, and `move` when the keyboard's cursor has. */
export class Editor extends EventTarget {
  /** below: the canvas of the picture; above: that of the mask, which is painted on. */
  constructor(below, above, shape) {
    super();
    this.below = below;
    this.above = above;
    this.overlay = new Overlay(above, shape);
    this.shape = shape;
    this.picture = new Picture(shape);
    this.mask = mask("none", shape);
    this.cursor = { row: Math.floor(shape[0] / 2), column: Math.floor(shape[1] / 2) };
    this.tool = "hide";
    this.brush = 1;
    this.colour = new Array(shape[2]).fill(1);
    this.#listen();
    this.draw();
  }

  /** Puts a picture on the easel; the mask stays. */
  show(picture) {
    this.picture = picture.copy();
    this.#changed();
  }

  /** Hides a part by name. */
  hide(name) {
    this.mask = mask(name, this.shape);
    this.#changed();
  }

  /** The picture and the mask as they are now, whatever is painted later. */
  still() {
    return { picture: this.picture.copy(), mask: this.mask.slice() };
  }

  draw() {
    this.picture.paint(this.below);
    this.overlay.draw(this.mask, this.above.matches(":focus-visible") ? this.#square(this.cursor) : null);
  }

  #changed() {
    this.draw();
    this.dispatchEvent(new Event("change"));
  }

  /** The first and last rows and columns that the brush touches. */
  #square({ row, column }) {
    const before = Math.floor((this.brush - 1) / 2);
    const [height, width] = this.shape;
    return {
      top: Math.max(0, row - before),
      left: Math.max(0, column - before),
      bottom: Math.min(height - 1, row - before + this.brush - 1),
      right: Math.min(width - 1, column - before + this.brush - 1),
    };
  }

  #paint(place) {
    const { top, left, bottom, right } = this.#square(place);
    const [, width, channels] = this.shape;
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const pixel = row * width + column;
        if (this.tool === "hide" || this.tool === "reveal") this.mask[pixel] = this.tool === "reveal" ? 1 : 0;
        if (this.tool === "draw") this.picture.values.set(this.colour, pixel * channels);
        if (this.tool === "erase") this.picture.values.fill(-1, pixel * channels, (pixel + 1) * channels);
      }
    }
  }

  #listen() {
    this.above.addEventListener("keydown", (event) => this.#key(event));
    for (const event of ["focus", "blur"]) this.above.addEventListener(event, () => this.draw());
    let last = null;
    this.above.addEventListener("pointerdown", (event) => {
      this.above.setPointerCapture(event.pointerId);
      last = this.#place(event);
      this.#stroke(last, last);
    });
    this.above.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = this.#place(event);
      this.#stroke(last, next);
      last = next;
    });
    for (const event of ["pointerup", "pointercancel"]) this.above.addEventListener(event, () => (last = null));
  }

  /** Paints a line, since a fast pointer skips pixels. */
  #stroke(from, to) {
    const steps = Math.max(1, Math.abs(to.row - from.row), Math.abs(to.column - from.column));
    for (let i = 0; i <= steps; i++) {
      const along = (a, b) => Math.round(a + ((b - a) * i) / steps);
      this.#paint({ row: along(from.row, to.row), column: along(from.column, to.column) });
    }
    this.cursor = to;
    this.#changed();
  }

  #place(event) {
    const box = this.above.getBoundingClientRect();
    const [height, width] = this.shape;
    const inside = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return {
      row: inside((event.clientY - box.top) / box.height, height),
      column: inside((event.clientX - box.left) / box.width, width),
    };
  }

  #key(event) {
    if (event.key === " " || event.key === "Enter") {
      this.#paint(this.cursor);
      this.#changed();
    } else if (event.key in MOVES) {
      const [down, right] = MOVES[event.key];
      const [height, width] = this.shape;
      this.cursor.row = (this.cursor.row + down + height) % height;
      this.cursor.column = (this.cursor.column + right + width) % width;
      if (event.shiftKey) this.#paint(this.cursor);
      this.#changed();
    } else {
      return;
    }
    event.preventDefault();
    this.dispatchEvent(new Event("move"));
  }

  /** Where the cursor is and what is there, in words. */
  get place() {
    const { row, column } = this.cursor;
    const pixel = row * this.shape[1] + column;
    const light = Math.round((this.picture.values[pixel * this.shape[2]] + 1) * 50);
    return `Row ${row + 1}, column ${column + 1}: ${this.mask[pixel] ? `${light} % light` : "hidden"}.`;
  }
}
