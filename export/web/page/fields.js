// Numbers that are asked of the person before the page.

const element = (id) => document.getElementById(id);

/** A field's whole number; an error that names the field and its range unless it is one. */
export function number(id) {
  const field = element(id);
  const value = Number(field.value);
  if (field.value !== "" && field.checkValidity() && Number.isInteger(value)) return value;
  const name = field.labels[0].textContent.trim();
  throw new Error(`${name}: expected a whole number from ${field.min} to ${field.max}.`);
}

/** What is asked of each completion. */
export function options() {
  return {
    seed: number("seed"),
    steps: number("steps"),
    refineSteps: number("refine-steps"),
    label: Number(element("class").value || 0),
  };
}
