// What scrolls sideways can be reached with the keyboard and has a name; a head row without words goes.
const KINDS = [
  ["Table", ".pst-scrollable-table-container"], ["Formula", ".wide"], ["Code", ".highlight pre"],
  ["Output", ".cell_output .output, .cell_output pre"],
];

function reachable() {
  for (const [kind, selector] of KINDS) {
    document.querySelectorAll(selector).forEach((element, index) => {
      if (element.scrollWidth > element.clientWidth) {
        element.tabIndex = 0;
        element.setAttribute("role", "region");
        element.setAttribute("aria-label", `${kind} ${index + 1}`);
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
      }
    });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const head of document.querySelectorAll("table thead")) {
    if (!head.textContent.trim()) head.remove();
  }
  for (const cell of document.querySelectorAll("table tr:first-child th:empty")) {
    cell.replaceWith(document.createElement("td"));
  }
  reachable();
  document.querySelectorAll("details").forEach((part) => part.addEventListener("toggle", reachable));
});
window.addEventListener("load", reachable);
window.addEventListener("resize", reachable);
