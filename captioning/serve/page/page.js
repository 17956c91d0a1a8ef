"use strict";

// The page sends each image once. Later requests name it by the key in the first answer; if the server has forgotten
// it, the image is sent again.

const $ = (id) => document.getElementById(id);
const cards = []; // {file, key, element, result}
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const candidatesShown = 5;
let seed = 1;
let perRequest = 8;
let model = {}; // what the server says of it
let round = 0; // of the last change of options; older answers are dropped

function options() {
  const temperature = Number($("temperature").value);
  const beam = Number($("beam").value);
  const chosen =
    temperature > 0
      ? { temperature, top_p: Number($("top-p").value), seed, candidates: candidatesShown }
      : { beam, candidates: Math.min(beam, candidatesShown) };
  if (model.places) chosen.attention = 1;
  return chosen;
}

async function api(path, init = {}) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const answer = await fetch(path, { ...init, headers });
  const body = await answer.json().catch(() => ({ error: "the server answered with status " + answer.status }));
  return { status: answer.status, body, wait: Number(answer.headers.get("Retry-After")) };
}

// ask requests captions of cards, and shows them.
async function ask(some, mine) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options())) form.append(name, value);
  for (const card of some) {
    if (card.key) form.append("key", card.key);
    else form.append("image", card.file, card.file.name || "pasted image");
  }
  let reply;
  for (let tries = 0; ; tries++) {
    reply = await api("api/caption", { method: "POST", body: form }).catch(() => null);
    if (!reply || reply.status !== 503 || tries === 20 || mine !== round) break;
    await new Promise((done) => setTimeout(done, 1000 * (reply.wait || 1)));
  }
  if (mine !== round) return;
  const images = reply && reply.body.images;
  const forgotten = [];
  some.forEach((card, i) => {
    const error = !reply ? "The server does not answer: is it running?" : reply.body.error;
    const result = images ? images[i] : { error };
    if (result.forgotten && card.key) {
      card.key = "";
      forgotten.push(card);
      return;
    }
    card.key = result.key || "";
    card.result = result;
    show(card);
  });
  if (forgotten.length > 0) await ask(forgotten, mine);
}

// refresh captions all cards, or those given, a few at a time.
async function refresh(some = cards) {
  const mine = some === cards ? ++round : round;
  const list = some.filter((card) => card.element.isConnected);
  for (const card of list) card.element.classList.add("busy");
  for (let i = 0; i < list.length && mine === round; i += perRequest) {
    if (list.length > 1) say(`Captioning ${i + 1} to ${Math.min(i + perRequest, list.length)} of ${list.length}…`);
    else say("Captioning…");
    await ask(list.slice(i, i + perRequest), mine);
  }
  if (mine === round) say("");
}

function say(text) {
  $("status").textContent = text;
}

function percent(p) {
  return p >= 0.1 ? Math.round(100 * p) + " %" : Number((100 * p).toPrecision(2)) + " %";
}

function show(card) {
  const element = card.element;
  const { candidates = [], error = "" } = card.result;
  element.classList.remove("busy");
  element.querySelector(".error").textContent = error;
  const best = element.querySelector(".caption");
  const list = element.querySelector(".candidates");
  best.replaceChildren();
  list.replaceChildren();
  card.canvas.hidden = true;
  if (candidates.length > 0) {
    const attention = candidates[0].attention || [];
    for (const [i, w] of candidates[0].words.filter((w) => w.word !== "<end>").entries()) {
      const span = document.createElement("span");
      span.className = "word";
      span.textContent = w.word;
      span.title = percent(w.probability);
      span.style.backgroundColor = `rgba(var(--unsure), ${(0.75 * (1 - w.probability) ** 2).toFixed(2)})`;
      if (attention[i]) {
        span.tabIndex = 0;
        span.onmouseenter = span.onfocus = () => shade(card, attention[i]);
        span.onmouseleave = span.onblur = () => (card.canvas.hidden = true);
      }
      best.append(span, " ");
    }
    best.append(chance(candidates[0].probability));
  }
  for (const candidate of candidates.slice(1)) {
    const item = document.createElement("li");
    item.append(candidate.caption, chance(candidate.probability));
    list.append(item);
  }
  list.start = 2;
  card.image.alt = candidates.length > 0 ? candidates[0].caption : "";
  element.querySelector(".copy").disabled = candidates.length === 0;
}

// shade darkens the places of a card's image with small weights. They cover the square in the middle that the model sees.
function shade(card, weights) {
  const side = Math.round(Math.sqrt(weights.length));
  const { image, canvas } = card;
  canvas.width = canvas.height = side;
  const pixels = new ImageData(side, side);
  const largest = Math.max(...weights);
  weights.forEach((w, i) => (pixels.data[4 * i + 3] = Math.round(204 * (1 - w / largest))));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  const square = model.seen * Math.min(image.naturalWidth, image.naturalHeight) * scale;
  canvas.style.width = canvas.style.height = square + "px";
  canvas.style.left = image.offsetLeft + (image.clientWidth - square) / 2 + "px";
  canvas.style.top = image.offsetTop + (image.clientHeight - square) / 2 + "px";
  canvas.hidden = false;
}

function chance(p) {
  const span = document.createElement("span");
  span.className = "probability";
  span.textContent = percent(p);
  return span;
}

function add(files) {
  const fresh = [];
  for (const file of files) {
    const element = $("card").content.firstElementChild.cloneNode(true);
    const image = element.querySelector("img");
    const card = { file, key: "", element, image, canvas: element.querySelector("canvas"), result: {} };
    element.querySelector("h2").textContent = file.name || "pasted image";
    image.src = URL.createObjectURL(file);
    image.onerror = () => image.remove(); // the error beside it says why
    element.querySelector(".copy").onclick = (event) => copy(card, event.target);
    element.querySelector(".remove").onclick = () => {
      URL.revokeObjectURL(image.src);
      element.remove();
      cards.splice(cards.indexOf(card), 1);
    };
    element.querySelector(".copy").disabled = true;
    $("cards").prepend(element);
    cards.push(card);
    fresh.push(card);
  }
  refresh(fresh);
}

async function copy(card, button) {
  const text = JSON.stringify({ name: card.file.name, options: options(), ...card.result }, null, 1);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => (button.textContent = "Copy as JSON"), 1500);
}

function label() {
  const drawn = Number($("temperature").value) > 0;
  for (const name of ["beam", "temperature", "top-p"]) $(name + "-value").textContent = $(name).value;
  $("beam").parentElement.classList.toggle("off", drawn);
  $("top-p").parentElement.classList.toggle("off", !drawn);
  $("beam").disabled = drawn;
  $("top-p").disabled = !drawn;
  $("again").disabled = !drawn;
}

let timer;
$("controls").addEventListener("input", () => {
  label();
  clearTimeout(timer);
  timer = setTimeout(() => refresh(), 150);
});
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("again").onclick = () => {
  seed++;
  refresh();
};
$("files").onchange = (event) => {
  add([...event.target.files]);
  event.target.value = "";
};
$("files").onfocus = () => document.querySelector("label.button").classList.add("focus");
$("files").onblur = () => document.querySelector("label.button").classList.remove("focus");
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length > 0) add([...event.clipboardData.files]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
});
document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files.length > 0) add([...event.dataTransfer.files]);
});

label();
api("api/model").then(
  ({ status, body }) => {
    if (status === 401) {
      $("model").textContent = "This server needs a token: open the page as …/#token=TOKEN";
      return;
    }
    model = body;
    perRequest = Math.min(perRequest, body.max_images);
    $("looks").hidden = !model.places;
    $("model").textContent =
      `${body.name}: ${body.cell} ${body.embedding}/${body.hidden}, ${body.vocabulary} words, ${body.encoder}, ` +
      `trained on ${body.dataset}`;
  },
  () => ($("model").textContent = "The server does not answer."),
);
