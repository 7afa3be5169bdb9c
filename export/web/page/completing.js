// The section where a picture is completed: once, step by step, or several times.
import { completed, outcome, stepsInAll } from "./completion.js";
import { number, options } from "./fields.js";
import { paintSpread, spread } from "./spread.js";
import { tile } from "./tiles.js";
import { latest, pause, starts } from "./work.js";

const FRAMES = 8; // kept of each completion
const SLOW = 350; // milliseconds that each of few steps is shown

const element = (id) => document.getElementById(id);

export function completing(model, editor, report) {
  element("steps").value = Math.max(1, model.about.steps);
  element("refine-steps").value = model.about.refine_steps;
  element("refine-field").hidden = !model.can("refine_step");
  element("several-count").value = model.about.latent_shape ? 20 : 6;
  const weigh = latest(() => showEnergy(model, editor.picture, element("picture-energy")));
  for (const changing of [editor, element("class")]) {
    changing.addEventListener("change", () => weigh().catch(report.failed));
  }

  starts(element("complete"), async (signal) => {
    const asked = options();
    await watch(model, editor, asked, stepsInAll(model, asked), signal, report);
    if (!signal.aborted) element("seed").value = (asked.seed + 1) % 1_000_000; // the next one is another
  }, report);

  starts(element("several"), async (signal) => {
    const asked = options();
    const count = number("several-count");
    const found = await several(model, editor, asked, count, signal, report);
    if (found.length > 1) showSpread(found, editor);
  }, report);
}

/** Shows one completion as it forms, and a film of it. */
async function watch(model, editor, asked, steps, signal, report) {
  const canvas = element("completion");
  const film = element("film");
  film.replaceChildren();
  element("film-field").hidden = false;
  let step = 0;
  let picture;
  report.say(`Completing in ${steps} steps …`);
  const begun = editor.still();
  for await (picture of completed(model, begun.picture, begun.mask, asked)) {
    picture.paint(canvas);
    element("completion-caption").textContent = `Completion, step ${step} of ${steps}`;
    if (kept(step, steps)) film.append(tile(picture, step ? `step ${step}` : "start"));
    await pause(steps <= FRAMES ? SLOW : 0);
    if (signal.aborted) break;
    step++;
  }
  canvas.setAttribute("aria-label", `Completion with seed ${asked.seed}`);
  await showEnergy(model, picture, element("completion-energy"));
  const done = signal.aborted ? "Stopped" : "Completed";
  element("completion-caption").textContent = `Completion, seed ${asked.seed}`;
  report.say(`${done} with seed ${asked.seed}.`);
}

/** Whether a step is one of those that the film keeps: the first, the last, and some evenly between. */
function kept(step, steps) {
  const frames = Math.min(FRAMES, steps);
  const frame = Math.round((step * frames) / steps);
  return step === Math.round((frame * steps) / frames);
}

/** Completes with one seed after the other; fewer times if it is stopped. */
async function several(model, editor, asked, count, signal, report) {
  const { picture, mask } = editor.still();
  const found = [];
  for (let i = 0; i < count; i++) {
    report.say(`Completing: ${i + 1} of ${count}.`);
    const completion = await outcome(model, picture, mask, { ...asked, seed: asked.seed + i }, signal);
    if (!completion) break;
    found.push(completion);
  }
  const done = found.length < count ? "Stopped after" : "Completed";
  report.say(`${done} ${found.length} times, with the seeds from ${asked.seed} on.`);
  return found;
}

function showSpread(found, editor) {
  const { mean, deviation } = spread(found);
  mean.paint(element("mean"));
  const most = paintSpread(element("spread"), deviation, mean.shape);
  element("spread-most").textContent = most.toFixed(2);
  element("spread").setAttribute("aria-label", `Spread of ${found.length} completions, at most ${most.toFixed(2)}`);
  const tiles = found.map((picture, i) =>
    tile(picture, `Put completion ${i + 1} on the easel`, () => editor.show(picture)),
  );
  element("completions").replaceChildren(...tiles);
  element("spread-field").hidden = false;
}

/** Says a picture's energy, if the model has one. */
async function showEnergy(model, picture, output) {
  if (!model.can("energy")) return;
  const label = [Number(element("class").value || 0)];
  const { energy } = await model.ask("energy", { image: picture.values, label });
  output.textContent = `energy ${energy[0].toFixed(1).replace("-", "−")} nats`;
}
