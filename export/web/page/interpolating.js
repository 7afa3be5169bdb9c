// The section where a slider goes from one picture to another, by way of their latents.
import { decoded, prior } from "./generating.js";
import { lerp, slerp } from "./latents.js";
import { latest } from "./work.js";

const element = (id) => document.getElementById(id);

export async function interpolating(model, editor, report) {
  const latents = {};
  let seed = 1000;

  async function choose(end, from) {
    latents[end] = from === "easel"
      ? (await model.ask("encode", { image: editor.picture.values })).latent
      : prior(model, seed++);
    const picture = from === "easel" ? editor.picture : await decoded(model, latents[end]);
    picture.paint(element(end));
    await draw();
  }

  const draw = latest(async () => {
    const position = Number(element("position").value);
    if (!latents.first || !latents.second) return;
    const way = element("spherical").checked ? slerp : lerp;
    const picture = await decoded(model, way(latents.first, latents.second, position));
    picture.paint(element("between"));
    element("position-output").textContent = `${Math.round(position * 100)} %`;
  });

  const guarded = (work) => () => work().catch((error) => report.failed(error));
  for (const button of document.querySelectorAll("[data-end]")) {
    const { end, from } = button.dataset;
    button.hidden = from === "easel" && !model.can("encode");
    button.addEventListener("click", guarded(() => choose(end, from)));
  }
  for (const id of ["position", "spherical"]) element(id).addEventListener("input", guarded(draw));
  await choose("first", "prior");
  await choose("second", "prior");
}
