// What scrolls can be reached with the keyboard and has a name; a head row without words goes.
const KINDS = [
  ["Table", ".pst-scrollable-table-container"], ["Formula", ".wide"], ["Code", ".highlight pre"],
  ["Output", ".cell_output .output, .cell_output pre"],
];

function reachable(element, name) {
  if (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight) {
    element.tabIndex = 0;
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", name);
  } else {
    for (const attribute of ["tabindex", "role", "aria-label"]) element.removeAttribute(attribute);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const head of document.querySelectorAll("table thead")) {
    if (!head.textContent.trim()) head.remove();
  }
  for (const cell of document.querySelectorAll("table tr:first-child th:empty")) {
    cell.replaceWith(document.createElement("td"));
  }
  const names = new Map();
  // Told of whatever changes a size: the window, a fold, a font, a picture.
  const sizes = new ResizeObserver((changes) => {
    for (const { target } of changes) reachable(target, names.get(target));
  });
  for (const [kind, selector] of KINDS) {
    document.querySelectorAll(selector).forEach((element, index) => {
      names.set(element, `${kind} ${index + 1}`);
      sizes.observe(element);
    });
  }
});
