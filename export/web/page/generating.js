// The section where new pictures are made: decoded from draws of the prior, or sampled from the energy.
import { outcome } from "./completion.js";
import { normals, ofRow, split } from "./draws.js";
import { number, options } from "./fields.js";
import { mask } from "./masks.js";
import { Picture } from "./picture.js";
import { tile } from "./tiles.js";
import { pause, starts } from "./work.js";

/** A new picture from a draw of the prior. */
export async function decoded(model, latent) {
  const { image } = await model.ask("decode", { latent });
  return new Picture(model.shape, image.map((value) => Math.min(1, Math.max(-1, value))));
}

/** A draw of the prior: that of the SavedModel's signature `generate`. */
export function prior(model, seed) {
  const count = model.inputShape("decode", "latent").reduce((product, side) => product * side, 1);
  return normals(split(ofRow(seed))[0], count);
}

/** editor: where a picture can be put, or null. */
export function generating(model, editor, report) {
  const [button, count] = ["generate", "generate-count"].map((id) => document.getElementById(id));
  const list = document.getElementById("generated");
  count.value = model.can("decode") ? 12 : 4;
  let seed = 1;
  starts(button, async (signal) => {
    const wanted = number("generate-count");
    list.replaceChildren();
    report.say(`Generating ${wanted} pictures …`);
    for (let i = 0; i < wanted; i++) {
      const picture = model.can("decode")
        ? await decoded(model, prior(model, seed))
        : await sampled(model, { ...options(), seed }, signal);
      if (!picture || signal.aborted) break;
      seed++;
      const choose = editor && (() => editor.show(picture));
      const caption = editor ? `Put generated picture ${i + 1} on the easel` : `${i + 1}`;
      list.append(tile(shown(model, picture), caption, choose));
      await pause();
    }
    report.say(`Generated ${list.children.length} pictures.`);
  }, report);
}

/** A new picture under the energy, a completion of which nothing is known; null if it was stopped. */
function sampled(model, asked, signal) {
  const unknown = mask("none", model.shape).fill(0);
  return outcome(model, new Picture(model.shape), unknown, asked, signal);
}

/** Without the border that fewer filters see. */
function shown(model, picture) {
  return model.about.margin ? picture.cut(model.about.margin) : picture;
}
