// Filters the table of all checks. The page is whole without it.
"use strict";
(() => {
  const filter = document.querySelector(".filter");
  if (!filter) return;
  const rows = [...document.querySelectorAll("table.checks tbody tr")];
  const details = document.querySelector("details.all");
  const apply = () => {
    const states = new Set([...filter.querySelectorAll("input:checked")].map((box) => box.value));
    const words = filter.querySelector("[type=search]").value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const hidden = !states.has(row.dataset.state) || !row.textContent.toLowerCase().includes(words);
      row.hidden = hidden;
      if (!hidden) shown += 1;
    }
    filter.querySelector("output").textContent = `${shown} of ${rows.length}`;
  };
  filter.hidden = false;
  filter.addEventListener("input", () => {
    details.open = true;
    apply();
  });
  apply();
})();
