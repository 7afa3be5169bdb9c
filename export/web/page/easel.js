// What stands around the easel: tools, pictures to choose from, and what to hide.
import { Editor } from "./editor.js";
import { fromFile, Picture } from "./picture.js";
import { tile } from "./tiles.js";

const element = (id) => document.getElementById(id);

/** The easel, ready to paint on. */
export async function easel(model, report) {
  const editor = new Editor(element("picture"), element("editor"), model.shape);
  tools(editor, model);
  element("clear").addEventListener("click", () => editor.show(new Picture(model.shape)));
  element("upload").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    try {
      editor.show(await fromFile(file, model.shape));
      report.say(`Opened ${file.name}.`);
    } catch {
      report.failed(new Error(`${file.name}: expected a picture and could not read one.`));
    }
    target.value = "";
  });
  for (const button of document.querySelectorAll("[data-hide]")) {
    button.addEventListener("click", () => editor.hide(button.dataset.hide));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => editor.draw());
  await examples(editor, model);
  return editor;
}

function tools(editor, model) {
  const [height, width, channels] = model.shape;
  const brush = element("brush");
  brush.max = Math.max(2, Math.floor(Math.min(height, width) / 4));
  brush.value = Math.max(1, Math.floor(Math.min(height, width) / 8));
  editor.brush = Number(brush.value);
  brush.addEventListener("input", () => (editor.brush = Number(brush.value)));
  for (const tool of document.querySelectorAll("[name=tool]")) {
    if (tool.checked) editor.tool = tool.value;
    tool.addEventListener("change", () => (editor.tool = tool.value));
  }
  element("colour-field").hidden = channels === 1;
  element("colour").addEventListener("input", ({ target }) => {
    editor.colour = [1, 3, 5].map((at) => parseInt(target.value.slice(at, at + 2), 16) / 127.5 - 1);
  });
  editor.addEventListener("move", () => (element("cursor").textContent = editor.place));
}

/** Held-out pictures to choose from; the first is put on the easel. */
async function examples(editor, model) {
  for (const [number, path] of model.about.examples.entries()) {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path} is missing (${response.status}).`);
    const picture = await fromFile(await response.blob(), model.shape);
    if (number === 0) editor.show(picture);
    const choose = () => editor.show(picture);
    element("examples").append(tile(picture, `Put held-out picture ${number + 1} on the easel`, choose));
  }
  element("examples-field").hidden = !model.about.examples.length;
}
