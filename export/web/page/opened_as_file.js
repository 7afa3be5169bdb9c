// Browsers load modules over HTTP alone: without this, a page opened as a file would wait for ever.
if (location.protocol === "file:") {
  const trouble = document.getElementById("trouble");
  trouble.textContent =
    "This page was opened as a file, which browsers allow no modules. Serve its directory instead: " +
    "python -m http.server --bind 127.0.0.1";
  trouble.hidden = false;
  document.getElementById("status").hidden = true;
}
