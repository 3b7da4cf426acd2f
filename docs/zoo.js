// The table of all networks: sort, filter, choose columns, copy, and the plot of the same networks.
// Everything is read from the table that stands in the page. The address says what is shown, in
// the words of the fields: ?max_params=30M&sort=top1
"use strict";

(() => {
  const zoo = document.querySelector(".zoo");
  if (!zoo) return;

  const form = zoo.querySelector(".zoo-filters");
  const table = zoo.querySelector("table");
  const figure = zoo.querySelector(".zoo-plot");
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const place = Object.fromEntries(heads.map((head, i) => [head.dataset.key, i]));
  const boxes = [...form.querySelectorAll('[name="column"]')];
  const usual = boxes.filter((box) => box.checked).map((box) => box.value).join();
  const axis = figure.querySelector("select");
  const fields = [...form.elements].filter((field) => field.name && field.name !== "column");
  let order = { key: "", reverse: false };

  const text = (row, key) => row.cells[place[key]].dataset.value;
  const value = (row, key) => (text(row, key) === "" ? NaN : Number(text(row, key)));

  // ---- filters ------------------------------------------------------------------------------

  // "30M" -> 30e6; NaN for what is no number.
  function amount(written) {
    const found = /^\s*(\d[\d,]*\.?\d*|\.\d+)(e\d+)?\s*([kmg]?)\s*$/i.exec(written);
    if (!found) return NaN;
    const factor = { "": 1, k: 1e3, m: 1e6, g: 1e9 }[found[3].toLowerCase()];
    return Number(found[1].replaceAll(",", "") + (found[2] ?? "")) * factor;
  }

  // Field -> (row) => whether the row passes; fields left empty or not understood pass all.
  function test(field) {
    const { column, bound } = field.dataset;
    if (field.name === "text") {
      const words = field.value.toLowerCase().split(/\s+/);
      return (row) => words.every((word) => row.dataset.words.includes(word));
    }
    if (!column) return (row) => text(row, field.name) === field.value;
    const limit = amount(field.value);
    if (Number.isNaN(limit)) return () => true;
    return (row) => (bound === "min" ? value(row, column) >= limit : value(row, column) <= limit);
  }

  function filter() {
    const given = fields.filter((field) => field.value.trim() !== "");
    for (const field of fields.filter((field) => field.dataset.column)) {
      const unclear = field.value.trim() !== "" && Number.isNaN(amount(field.value));
      field.setAttribute("aria-invalid", unclear);
      field.setCustomValidity(unclear ? "A number such as 30M, 5G or 25,000,000" : "");
    }
    const tests = given.map(test);
    for (const row of rows) row.hidden = !tests.every((passes) => passes(row));
    const left = rows.filter((row) => !row.hidden).length;
    const unclear = given.filter((field) => field.getAttribute("aria-invalid") === "true");
    const not = unclear.map((field) => `“${field.value}” is no number such as 30M. `).join("");
    form.querySelector(".zoo-status").textContent = `${not}${left} of ${rows.length} networks`;
  }

  // ---- columns and order --------------------------------------------------------------------

  function choose() {
    const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const { value: key } of boxes) {
      for (const line of [table.tHead.rows[0], ...rows]) {
        line.cells[place[key]].hidden = !shown.has(key);
      }
    }
  }

  function compare(a, b) {
    const { key, reverse } = order;
    if (text(a, key) === "" || text(b, key) === "") {
      return (text(a, key) === "") - (text(b, key) === ""); // what has no value comes last
    }
    const numbers = "number" in heads[place[key]].dataset;
    const sign = numbers
      ? value(a, key) - value(b, key)
      : text(a, key).localeCompare(text(b, key), "en", { numeric: true });
    return reverse ? -sign : sign;
  }

  function sort() {
    for (const head of heads) {
      const here = head.dataset.key === order.key;
      if (here) head.setAttribute("aria-sort", order.reverse ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const sorted = order.key ? [...rows].sort(compare) : rows;
    table.tBodies[0].append(...sorted);
  }

  function addSortButtons() {
    for (const head of heads.filter((head) => head.dataset.key)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const again = order.key === head.dataset.key;
        order = { key: head.dataset.key, reverse: again && !order.reverse };
        sort();
        writeAddress();
      });
    }
  }

  // ---- copying ------------------------------------------------------------------------------

  function addCopyButtons() {
    for (const row of rows) {
      const code = row.querySelector("code");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "zoo-copy";
      button.textContent = "copy";
      button.setAttribute("aria-label", `copy ${code.textContent}`);
      button.addEventListener("click", () => copy(code, button));
      code.after(" ", button);
    }
  }

  async function copy(code, button) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code); // no clipboard here: ready for Ctrl+C
      button.textContent = "selected";
    }
    setTimeout(() => (button.textContent = "copy"), 2000);
  }

  // ---- the address --------------------------------------------------------------------------

  function readAddress() {
    const asked = new URLSearchParams(location.search);
    for (const field of fields) field.value = asked.get(field.name) ?? "";
    const keys = (asked.get("columns") ?? usual).split(",");
    for (const box of boxes) box.checked = keys.includes(box.value);
    const key = asked.get("sort");
    order = { key: key in place ? key : "", reverse: asked.get("reverse") === "1" };
    axis.value = asked.get("x") ?? axis.options[0].value;
    if (axis.selectedIndex < 0) axis.selectedIndex = 0;
  }

  function writeAddress() {
    const said = new URLSearchParams();
    for (const field of fields) if (field.value.trim()) said.set(field.name, field.value.trim());
    if (order.key) said.set("sort", order.key);
    if (order.key && order.reverse) said.set("reverse", "1");
    const keys = boxes.filter((box) => box.checked).map((box) => box.value).join();
    if (keys !== usual) said.set("columns", keys);
    if (axis.selectedIndex) said.set("x", axis.value);
    const query = said.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  }

  // ---- the plot -----------------------------------------------------------------------------

  const margin = { left: 40, right: 16, top: 12, bottom: 26 };
  const radius = 6;

  function element(name, attributes, ...inside) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, told] of Object.entries(attributes)) made.setAttribute(key, told);
    made.append(...inside);
    return made;
  }

  function short(number) {
    for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (number >= size) return `${number / size} ${unit}`;
    }
    return String(number);
  }

  // The networks with both figures on one dataset: accuracies on others are no match for them.
  function points() {
    const dataset = form.elements.dataset.value || "ImageNet-1k";
    const found = rows
      .filter((row) => text(row, "dataset") === dataset)
      .map((row) => ({
        row,
        title: text(row, "title"),
        cost: value(row, axis.value),
        top1: value(row, "top1"),
      }))
      .filter((point) => point.cost > 0 && !Number.isNaN(point.top1));
    return { dataset, found };
  }

  function draw() {
    const { dataset, found } = points();
    const canvas = figure.querySelector(".zoo-canvas");
    const cost = axis.selectedOptions[0].textContent;
    const caption = figure.querySelector(".zoo-caption");
    if (!found.length) {
      canvas.replaceChildren();
      caption.textContent = `No accuracy is published on ${dataset}.`;
      return;
    }
    caption.textContent =
      `Top-1 accuracy on ${dataset} in per cent against ${cost}, logarithmic. ` +
      "A point leads to its network; networks that do not pass the filters are faint.";
    const width = Math.max(280, canvas.clientWidth);
    const height = Math.round(Math.min(440, Math.max(260, 0.62 * width)));
    const scale = scales(found, width, height);
    const svg = element("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": `Top-1 accuracy on ${dataset} against ${cost}`,
    });
    svg.append(...grid(scale, width, height));
    const marks = found.map((point) => mark(point, scale));
    svg.append(...marks.sort((a, b) => a.dataset.out.localeCompare(b.dataset.out)).reverse());
    canvas.replaceChildren(svg);
    label(svg, width);
  }

  function scales(found, width, height) {
    const costs = found.map((point) => point.cost);
    const [low, high] = [Math.min(...costs) / 1.3, Math.max(...costs) * 1.3];
    const all = found.map((point) => point.top1);
    const step = [0.5, 1, 2, 5, 10].find((s) => (Math.max(...all) - Math.min(...all)) / s <= 6) ?? 20;
    const bottom = step * Math.floor(Math.min(...all) / step - 0.2);
    const top = Math.min(100, step * Math.ceil(Math.max(...all) / step + 0.2));
    const [wide, tall] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
    return {
      low, high, bottom, top, step,
      x: (cost) => margin.left + (wide * Math.log(cost / low)) / Math.log(high / low),
      y: (top1) => height - margin.bottom - (tall * (top1 - bottom)) / (top - bottom),
    };
  }

  function grid(scale, width, height) {
    const lines = [];
    for (let percent = scale.bottom; percent <= scale.top; percent += scale.step) {
      const y = scale.y(percent);
      lines.push(
        element("line", { x1: margin.left, x2: width - margin.right, y1: y, y2: y }),
        element("text", { x: margin.left - 6, y: y + 4, "text-anchor": "end" }, `${percent}`),
      );
    }
    const dense = Math.log10(scale.high / scale.low) * 3 * 55 < width;
    for (let power = Math.floor(Math.log10(scale.low)); 10 ** power < scale.high; power += 1) {
      for (const digit of dense ? [1, 2, 5] : [1]) {
        const tick = digit * 10 ** power;
        if (tick < scale.low || tick > scale.high) continue;
        const at = { x: scale.x(tick), y: height - 8, "text-anchor": "middle" };
        lines.push(element("text", at, short(tick)));
      }
    }
    return lines;
  }

  function mark(point, scale) {
    const out = point.row.hidden;
    const said = `${point.title}: ${point.top1} % at ${point.row.cells[place[axis.value]].textContent}`;
    const [x, y] = [scale.x(point.cost), scale.y(point.top1)];
    const link = element(
      "a",
      { href: point.row.querySelector("a").href, "aria-label": `${said} ${axis.selectedOptions[0].textContent}` },
      element("title", {}, said),
      element("circle", { cx: x, cy: y, r: radius }),
      element("text", { x, y }, point.title),
    );
    link.dataset.family = point.row.dataset.family;
    link.dataset.out = out;
    if (out) {
      link.setAttribute("tabindex", "-1");
      link.setAttribute("aria-hidden", "true");
    }
    point.row.onmouseenter = () => link.classList.add("hot");
    point.row.onmouseleave = () => link.classList.remove("hot");
    return link;
  }

  // Puts every name beside its point where it strikes no other; where none fits, it shows when the
  // point is pointed at.
  function label(svg, width) {
    const taken = [...svg.querySelectorAll("circle")].map((circle) => circle.getBBox());
    for (const link of svg.querySelectorAll("a")) {
      const name = link.querySelector("text");
      const [x, y] = ["cx", "cy"].map((key) => Number(link.querySelector("circle").getAttribute(key)));
      const size = name.getBBox();
      const beside = radius + 4;
      const spots = [
        [x + beside, y + 4],
        [x - beside - size.width, y + 4],
        [x - size.width / 2, y - beside],
        [x - size.width / 2, y + beside + 9],
      ].filter(([left]) => left >= margin.left && left + size.width <= width);
      const free = spots.find(([left, base]) => {
        const box = { x: left, y: base - 10, width: size.width, height: 13 };
        return !taken.some((other) => strikes(box, other));
      });
      const [left, base] = free ?? spots[0] ?? [margin.left, y - beside];
      name.setAttribute("x", left);
      name.setAttribute("y", base);
      link.classList.toggle("shy", !free || link.dataset.out === "true");
      if (free && link.dataset.out !== "true") {
        taken.push({ x: left, y: base - 10, width: size.width, height: 13 });
      }
    }
  }

  function strikes(a, b) {
    const apart = a.x >= b.x + b.width || b.x >= a.x + a.width;
    return !(apart || a.y >= b.y + b.height || b.y >= a.y + a.height);
  }

  // ---- at work ------------------------------------------------------------------------------

  function show() {
    filter();
    choose();
    sort();
    draw();
  }

  function changed() {
    show();
    writeAddress();
  }

  form.hidden = figure.hidden = false;
  addSortButtons();
  addCopyButtons();
  readAddress();
  show();
  form.addEventListener("input", changed);
  axis.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    order = { key: "", reverse: false };
    setTimeout(changed); // the fields are emptied after this event
  });
  new ResizeObserver(draw).observe(figure.querySelector(".zoo-canvas"));
})();
