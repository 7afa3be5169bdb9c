// The model: what model.json says of it, and its LiteRT files, each with one signature.
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

/** Fetches a file, or throws an error that names it. */
async function fetched(path) {
  let response;
  try {
    response = await fetch(path);
  } catch {
    throw new Error(`${path} could not be fetched: is the server still running?`);
  }
  if (!response.ok) {
    throw new Error(`${path} is missing (${response.status}): write the page again with python -m export.web.`);
  }
  return response;
}

/** Loads everything; `say` is told what is being loaded. */
export async function load(say) {
  say("Loading model.json …");
  const about = await fetched("model.json").then((response) => response.json());
  say("Loading the runtime, 9 MB …");
  await startRuntime();
  const files = {};
  for (const [number, name] of about.files.entries()) {
    say(`Loading ${name}.tflite, file ${number + 1} of ${about.files.length} …`);
    files[name] = await compiled(name);
  }
  const starts = about.starts ? await fetched("starts.bin").then((response) => response.arrayBuffer()) : null;
  return new Model(about, files, starts && new Float32Array(starts));
}

async function startRuntime() {
  if (typeof WebAssembly === "undefined") {
    throw new Error("This browser has no WebAssembly, or it is turned off.");
  }
  try {
    await loadLiteRt("libraries/@litertjs/core/wasm/");
  } catch (error) {
    const reason = error?.message ?? `${error?.target?.src ?? "its script"} could not be loaded`;
    throw new Error(`The WebAssembly runtime did not start: ${reason}.`);
  }
}

async function compiled(name) {
  const content = await fetched(`models/${name}.tflite`).then((response) => response.arrayBuffer());
  try {
    return await loadAndCompile(new Uint8Array(content), { accelerator: "wasm" });
  } catch (error) {
    throw new Error(`models/${name}.tflite is damaged, or not of this runtime: ${error?.message ?? error}.`);
  }
}

export class Model {
  constructor(about, files, starts) {
    this.about = about;
    this.shape = about.image_shape;
    this.size = about.image_shape.reduce((product, side) => product * side, 1);
    this.files = files;
    this.starts = starts;
  }

  can(name) {
    return name in this.files;
  }

  /** The shape of one of a file's inputs. */
  inputShape(name, input) {
    return [...this.files[name].getInputDetails().find((details) => details.name === input).shape];
  }

  /** Runs a file once. given: numbers by the names of its inputs; others than these are left out. */
  async ask(name, given) {
    const inputs = {};
    for (const { name: input, shape, dtype } of this.files[name].getInputDetails()) {
      const values = dtype === "int32" ? Int32Array.from(given[input]) : given[input];
      inputs[input] = new Tensor(values, [...shape]);
    }
    const outputs = await this.files[name].run(inputs);
    const answer = {};
    for (const [output, tensor] of Object.entries(outputs)) answer[output] = tensor.toTypedArray().slice();
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return answer;
  }
}
