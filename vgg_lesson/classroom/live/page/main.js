// The page: its three parts, its addresses, its tour.
import { counting } from "./blocks.js";
import { garmentFromFile, garmentFromColours } from "./photo.js";
import { see } from "./see.js";
import { follow, fresh, stall } from "./stall.js";
import { mostOf, reach, trace } from "./count.js";
import { build, bytes, explain, forward, initialise, room, settle, toInput } from "./net.js";
import { $ } from "./paint.js";

/** @type {{title: string, text: string, at: string, look: string}[]} */
const TOUR = [
  { title: "A network that answers at once", at: "see&layer=conv1_1&map=1", look: "pad-a", text: "An ankle boot it has never trained on. Draw on it, or rub something out: all eleven layers are computed anew at every stroke." },
  { title: "Eight convolutions, five pools", at: "see&layer=conv2_1&map=5&row=8&column=8", look: "layers", text: "The first maps still look like a boot: edges, surfaces. Each pool halves the grid, and soon the number of maps doubles." },
  { title: "How far does one cell see?", at: "see&layer=conv4_1&map=20&row=2&column=2", look: "pad-a", text: "The orange frame is the receptive field of one cell of conv4_1: 3×3 windows, stacked, with pools between them. Move through the layers and watch it grow." },
  { title: "One cell is one sum", at: "see&layer=conv3_1&map=6&row=3&column=3", look: "sum", text: "Kernel times window, added over all channels, plus bias, through batch norm and ReLU. The numbers add up to the cell." },
  { title: "Two garments, layer by layer", at: "see&image=0&with=1&show=d&layer=conv5_2", look: "layers", text: "A boot and a pullover: blue where the boot gives more, orange where the pullover does. After training, the difference lives to the end." },
  { title: "Now the same network, untrained", at: "stall&init=default&depth=11&seed=0", look: "curve", text: "Fresh weights by PyTorch’s default rule. Each layer takes away part of the difference. Look at the ten scores: where do the two columns part?" },
  { title: "Deeper is worse", at: "stall&init=default&depth=19&seed=0", look: "scores", text: "Nineteen layers. The loss stands at ln 10, and no gradient can say which way to go: to this network both pictures are the same." },
  { title: "One line frees it", at: "stall&init=he&depth=19&seed=0", look: "inits", text: "He’s rule draws weights with variance 2 / fan-in. The same nineteen layers now keep the two garments apart." },
  { title: "What that does to training", at: "stall&init=he&depth=11&seed=0&step=300", look: "film", text: "Two recorded runs with the same settings but for the initial weights: one leaves the line of guessing within a hundred steps, the other does not in three thousand." },
  { title: "What does it cost?", at: "count&by=params", look: "blocks", text: "The paper’s VGG-11 on 224×224 images. Nearly all parameters sit in the layers that do least of the work. Switch to multiplications and see the picture turn over." },
];

/** Everything that can be looked at from outside: by the tests, and by whoever opens the console. @type {any} */
const live = { build, bytes, explain, follow, forward, fresh, garmentFromFile, garmentFromColours, initialise, mostOf, reach, room, settle, toInput, trace };
/** @type {Record<string, {open: (asked: URLSearchParams) => unknown, address: () => string, redraw: () => void}>} */
const parts = {};
let part = "see", stop = -1, timer = 0;

const app = {
  data: /** @type {any} */ (null),
  /** Say what changed to those who cannot see it, once it has settled. @param {string} text */
  say(text) { clearTimeout(timer); timer = window.setTimeout(() => { $("status").textContent = text; }, 250); },
  /** @param {string} text */
  warn(text) { $("notice").textContent = text; $("notice").hidden = !text; },
  moved() { try { history.replaceState(null, "", `#${part}&${parts[part].address()}`); } catch { /* a frame without an address of its own */ } },
};

/** Show the state of an address such as "stall&init=default&depth=19". @param {string} address */
function open(address) {
  const [name, ...rest] = address.replace(/^#/, "").split("&");
  app.warn(name && !(name in parts) ? `There is no part ${name}; there are ${Object.keys(parts).join(", ")}.` : "");
  part = name in parts ? name : "see";
  for (const key of Object.keys(parts)) $(`${key}-part`).hidden = key !== part;
  document.querySelectorAll("nav a").forEach((link) => /** @type {HTMLElement} */ (link).dataset.part === part ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current"));
  live.opened = Promise.resolve(parts[part].open(new URLSearchParams(rest.join("&"))));
}

/** A stop of the tour; past the last, or before the first, it ends. @param {number} next */
function tour(next) {
  document.querySelectorAll(".lit").forEach((lit) => lit.classList.remove("lit"));
  stop = next < TOUR.length ? next : -1;
  $("guide").hidden = stop < 0;
  if (stop < 0) return $("tour").focus();
  const { title, text, at, look } = TOUR[stop];
  open(at);
  app.moved();
  $("guide-count").textContent = `${stop + 1} of ${TOUR.length}`;
  $("guide-title").textContent = title;
  $("guide-text").textContent = text;
  $("guide-back").disabled = stop === 0;
  $("guide-next").textContent = stop === TOUR.length - 1 ? "Done" : "Next";
  $(look).classList.add("lit");
  $(look).scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  $("guide-next").focus({ preventScroll: true });
  app.say(`${title}. ${text}`);
}

function start() {
  try { app.data = JSON.parse($("data").textContent); } catch { throw new Error("The data on this page are damaged. Get the page again."); }
  if (!$("weights").textContent.trim()) throw new Error("This page carries no weights, so no network can run. Get the page again, or make it with: python -m vgg_lesson live");
  Object.assign(parts, { see: see(app), stall: stall(app), count: counting(app) });
  Object.assign(live, { parts, data: app.data });
  const asked = decodeURIComponent(location.hash.slice(1)) || document.documentElement.dataset.address || "see";
  if (asked.split("&")[0] === "tour") tour(0); else open(asked);
  addEventListener("hashchange", () => open(decodeURIComponent(location.hash)));
  document.querySelectorAll("nav a").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    open(/** @type {HTMLElement} */ (link).dataset.part || "see");
    app.moved();
    app.say(document.querySelector(`#${part}-title`)?.textContent || "");
  }));
  let waiting = 0;
  const redraw = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; parts[part].redraw(); }); };
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  $("tour").onclick = () => tour(0);
  $("guide-next").onclick = () => tour(stop + 1);
  $("guide-back").onclick = () => tour(stop - 1);
  $("guide-leave").onclick = () => tour(-1);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && stop >= 0) tour(-1); });
  $("share").onclick = async () => {
    app.moved();
    try { await navigator.clipboard.writeText(location.href); app.say("The address is copied."); $("share").textContent = "Copied"; setTimeout(() => { $("share").textContent = "Copy address"; }, 2000); }
    catch { app.warn(`Copy it from here: ${location.href}`); }
  };
}

Object.assign(globalThis, { vggLive: live });
try { start(); } catch (error) { app.warn(/** @type {Error} */ (error).message); $("main").hidden = true; }
