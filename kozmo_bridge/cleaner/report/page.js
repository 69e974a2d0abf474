(() => {
  "use strict";
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  all("[hidden]:not(#nothing)").forEach((part) => part.removeAttribute("hidden"));

  const columns = all("details.column");
  const find = document.getElementById("find");
  const chips = all(".chip");
  const found = document.getElementById("found");
  const toggle = document.getElementById("all");

  const filter = () => {
    const words = find.value.trim().toLowerCase();
    const pressed = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true");
    const kinds = new Set(pressed.map((chip) => chip.dataset.kind).filter(Boolean));
    const noted = pressed.some((chip) => "noted" in chip.dataset);
    let shown = 0;
    for (const column of columns) {
      const fits = column.dataset.name.includes(words) &&
        (!kinds.size || kinds.has(column.dataset.kind)) && (!noted || "noted" in column.dataset);
      column.hidden = !fits;
      shown += fits;
    }
    found.textContent = shown < columns.length ? `${shown} of ${columns.length} shown` : "";
    document.getElementById("nothing").hidden = shown > 0;
  };
  const label = () => {
    const open = columns.some((column) => !column.hidden && column.open);
    toggle.textContent = open ? "Close all" : "Open all";
    return open;
  };
  if (find) {
    find.addEventListener("input", filter);
    chips.forEach((chip) => chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
      label();
    }));
    toggle.addEventListener("click", () => {
      const open = label();
      columns.forEach((column) => { if (!column.hidden) column.open = !open; });
      toggle.textContent = open ? "Open all" : "Close all";
    });
  }

  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.column")) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#c']");
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: copy it with your keys";
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  all(".copy").forEach((button) => button.addEventListener("click", () => copy(button)));

  const chosen = all(".chosen");
  chosen.forEach((box) => box.addEventListener("change", () => {
    const taken = chosen.filter((each) => each.checked)
      .map((each) => document.getElementById(each.dataset.rule).textContent);
    document.getElementById("rules").textContent =
      taken.length ? `[\n  ${taken.join(",\n  ")}\n]` : "[]";
  }));

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = columns.filter((column) => !column.open);
    closed.forEach((column) => { column.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((column) => { column.open = false; }));
})();
