"use strict";
(() => {
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = ""; said.textContent = text; };
  const value = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (table, place) => {
    const heads = [...table.tHead.rows[0].cells];
    const rising = heads[place].getAttribute("aria-sort") !== "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[place].setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => (rising ? 1 : -1) * order(value(a, place), value(b, place)));
    body.append(...rows);
    say(`Sorted by ${heads[place].textContent}, ${rising ? "ascending" : "descending"}.`);
  };
  const text = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()).join("\t")).join("\n");
  const copy = async (table) => {
    try {
      await navigator.clipboard.writeText(text(table));
    } catch {
      const area = document.createElement("textarea");
      area.value = text(table);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say("The table is copied: paste it into a spreadsheet.");
  };
  for (const table of document.querySelectorAll("table")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, place));
      head.replaceChildren(button);
    });
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy table";
    button.setAttribute("aria-label", `Copy table: ${table.caption ? table.caption.textContent : ""}`);
    button.addEventListener("click", () => copy(table));
    table.closest(".scroll").before(button);
  }
  const opened = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", opened);
  opened();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
})();
