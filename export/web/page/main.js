// The page: loads the model, then shows what it can.
import { completing } from "./completing.js";
import { easel } from "./easel.js";
import { generating } from "./generating.js";
import { interpolating } from "./interpolating.js";
import { load } from "./model.js";
import { report } from "./report.js";

const element = (id) => document.getElementById(id);

async function begin() {
  const model = await load(report.say);
  describe(model.about);
  const editor = model.can("complete_step") ? await easel(model, report) : null;
  for (const part of document.querySelectorAll(".of-easel")) part.hidden = !editor;
  if (editor) {
    completing(model, editor, report);
    editor.hide("bottom");
  }
  generating(model, editor, report);
  element("interpolating").hidden = !model.can("decode");
  if (model.can("decode")) await interpolating(model, editor, report);
  document.querySelector("main").inert = false;
  report.say("Ready.");
}

/** Says what the model is, and what its pictures are. */
function describe({ algorithm, nets, dataset, updates, version, image_shape, classes, files }) {
  const [height, width] = image_shape.slice(-3);
  const frames = image_shape.length === 4 ? `${image_shape[0]} frames of ` : "";
  const name = algorithm.replaceAll("_", " ");
  element("title").textContent = document.title =
    files.includes("complete_step") ? "Complete a picture" : frames ? "New clips" : "New pictures";
  element("about").textContent =
    `A ${name} that has seen ${dataset} (${frames}${width} × ${height} pixels), in this browser alone: nothing is uploaded.`;
  element("made").textContent = `${algorithm}, nets ${nets}, ${updates.toLocaleString("en")} updates; tfgen ${version}.`;
  for (let label = 0; label < classes && classes > 1; label++) element("class").append(new Option(label));
  element("class-field").hidden = classes === 1;
  for (const canvas of document.querySelectorAll("canvas")) canvas.style.aspectRatio = `${width} / ${height}`;
}

begin().catch((error) => report.failed(error));
