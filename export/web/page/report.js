// What the page says of itself: what it does, and what went wrong.

const status = document.getElementById("status");
const trouble = document.getElementById("trouble");

export const report = {
  /** What is going on; the trouble before is over. */
  say(words) {
    status.textContent = words;
    status.hidden = false;
    trouble.hidden = true;
  },

  /** What failed, and stays on the page. */
  failed(error) {
    trouble.textContent = error?.message ?? String(error);
    trouble.hidden = false;
    status.hidden = true;
  },
};
