// Small pictures in a list.

/** A picture in a list; with `choose`, a button that does this. */
export function tile(picture, caption, choose) {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  picture.paint(canvas);
  const holder = document.createElement(choose ? "button" : "figure");
  holder.append(canvas);
  if (choose) {
    Object.assign(holder, { type: "button", title: caption });
    holder.setAttribute("aria-label", caption);
    holder.addEventListener("click", choose);
    canvas.setAttribute("aria-hidden", "true");
  } else {
    const text = document.createElement("figcaption");
    text.textContent = caption;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption);
    holder.append(text);
  }
  item.append(holder);
  return item;
}
