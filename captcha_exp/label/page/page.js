"use strict";
// Whatever comes from the server is shown as text, never as HTML.
const POLL_MS = 3000;
const at = (id) => document.getElementById(id);
const box = at("label");
let shown = null;
let busy;
let sent = 0;
let lost = false;

function setBusy(isBusy) {
  busy = isBusy;
  at("form").setAttribute("aria-busy", String(isBusy));
}
setBusy(true);

async function asked(path, options) {
  const response = await fetch(path, options).catch(() => null);
  lost = response === null;
  if (lost) throw new Error("The command has ended; start it again, and this page goes on.");
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

// A key that is pressed before the next image is there would answer what nobody has seen.
async function send(path, body) {
  if (busy || shown === null || (shown.number === null && path !== "/undo")) return;
  setBusy(true);
  sent += 1;
  at("problem").textContent = "";
  try {
    const content = JSON.stringify({ token: shown.token, number: shown.number, ...body });
    const headers = { "Content-Type": "application/json" };
    await show(await asked(path, { method: "POST", headers, body: content }), true);
  } catch (error) {
    tell(error);
  }
  setBusy(false);
}

function tell(error) {
  at("problem").textContent = error.message;
}

async function show(state, isNew) {
  // Another start of the command may have other numbers for the images.
  const same = shown !== null && !isNew && shown.token === state.token && shown.number === state.number;
  const untouched = shown === null || box.value === (shown.guess ?? "");
  const before = shown;
  shown = state;
  showProgress(state);
  at("form").hidden = state.number === null;
  at("done").textContent = state.number === null ? "No image is left to ask for. Ctrl-C in the terminal ends." : "";
  if (state.number === null) return;
  if (!same) await showImage(state);
  if (!same || (untouched && before.guess !== state.guess)) fill(state);
}

function showProgress(state) {
  const skipped = state.skipped ? `, ${state.skipped} skipped` : "";
  at("progress").textContent =
    `${state.labelled} labelled, ${state.test} of them for the test${skipped}; ${state.left} left`;
  at("model").textContent = state.model ? `Guesses: ${state.model}.` : "";
  at("training").textContent = state.training ? `In the background: ${state.training}` : "";
  at("undo").disabled = !state.undo;
}

async function showImage(state) {
  const image = at("image");
  image.alt = `The text to type, image ${state.number}`;
  image.src = `/images/${state.number}`;
  image.hidden = false;
  at("name").textContent = state.name;
  await image.decode().catch(() => { at("problem").textContent = "This image cannot be shown; skip it."; });
}

function fill(state) {
  box.value = state.guess;
  at("guess").textContent = told(state);
  box.focus();
  box.select();
}

function told(state) {
  if (state.undone) return "Taken back; this was its label.";
  if (state.split === "test") return "A test image: type it without a guess, so that the test stays honest.";
  if (state.confidence === null) return "No guess yet.";
  return `Guess, with a confidence of ${Math.round(100 * state.confidence)} %. Enter keeps it.`;
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send("/label", { label: box.value });
});
at("skip").addEventListener("click", () => send("/skip", {}));
at("undo").addEventListener("click", () => send("/undo", {}));
document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  // A key that is held down would go through the images unseen.
  if (event.repeat && ["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) event.preventDefault();
  else if (event.key === "ArrowDown") { event.preventDefault(); send("/skip", {}); }
  else if (event.key === "ArrowUp") { event.preventDefault(); send("/undo", {}); }
});

async function look() {
  const before = sent;
  const wasLost = lost;
  try {
    const state = await asked("/state");
    if (before !== sent) return; // an answer has come in between, and this state is older
    if (wasLost) tell({ message: "" });
    setBusy(true);
    await show(state, shown === null);
    setBusy(false);
  } catch (error) {
    tell(error);
  }
}
look();
setInterval(look, POLL_MS);
