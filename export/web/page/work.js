// Work that a button starts, and that the same button ends.

const still = matchMedia("(prefers-reduced-motion: reduce)");
let shown = 0;

/** Lets the browser draw; without milliseconds, only if it has not for a while. */
export async function pause(milliseconds = 0) {
  if (!milliseconds || still.matches) {
    if (performance.now() - shown < 30) return;
    milliseconds = 0;
  }
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  shown = performance.now();
}

/**
 * Makes a button start `work(signal)`, or stop it while it goes on.
 *
 * report: told `failed(error)` of what goes wrong.
 */
export function starts(button, work, report) {
  const label = button.textContent;
  let running = null;
  button.addEventListener("click", async () => {
    if (running) return running.abort();
    running = new AbortController();
    button.textContent = "Stop";
    try {
      await work(running.signal);
    } catch (error) {
      report.failed(error);
    } finally {
      running = null;
      button.textContent = label;
    }
  });
}

/** The same work, once at a time: asked for again while it goes on, it is done once more at the end. */
export function latest(work) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await work();
      }
    } finally {
      running = false;
    }
  };
}
