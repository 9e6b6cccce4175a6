// Makes every page fit 1280×720: text, code and figures shrink together, never below FLOOR; a page with few words is set
// larger, and long lines of code are wrapped if they do not fit at UNWRAPPED. A figure is enlarged by a fifth at most. The
// scale is left in data-scale, for the test.
const FLOOR = 0.72, UNWRAPPED = 0.86, STEP = 0.02, LARGEST = 1.3, WIDEST = 1180, ENLARGED = 1.18;

function tooWide(page) {
  return [page, ...page.querySelectorAll("pre, table")].some((part) => part.scrollWidth > part.clientWidth + 1);
}

function shrink(page, from, to, fits) {
  let scale = from;
  page.style.setProperty("--scale", scale);
  while (!fits(page) && scale - STEP >= to - 1e-6) {
    scale -= STEP;
    page.style.setProperty("--scale", scale);
  }
  return scale;
}

function fit(page) {
  if (page.dataset.scale) return;
  for (const image of page.querySelectorAll("img")) {
    image.style.setProperty("--wide", Math.min(WIDEST, image.naturalWidth * ENLARGED) + "px");
  }
  const largest = page.querySelector("img") ? 1 : LARGEST;
  let scale = shrink(page, largest, UNWRAPPED, (page) => !tooWide(page));
  if (tooWide(page)) {
    page.classList.add("wrapped");
    scale = 1;
  }
  scale = shrink(page, scale, FLOOR, (page) => !tooWide(page) && page.scrollHeight <= page.clientHeight);
  page.dataset.scale = scale.toFixed(2);
}

function current() {
  const page = Reveal.getCurrentSlide();
  if (page) fit(page);
}

Reveal.initialize({
  width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false, hash: true, transition: "none",
  slideNumber: "c/t", controls: true, progress: true, plugins: [RevealNotes],
});
for (const event of ["ready", "slidechanged"]) Reveal.on(event, current);
Reveal.on("pdf-ready", () => document.querySelectorAll("section.page").forEach(fit));
