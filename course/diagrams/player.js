/* The player: brings the outputs of `player()` to life. One text for all of them, so that a page can allow it by its
   hash; what differs is in the JSON beside it. Titles and captions are read from the list of steps in words, which is
   there with and without this script. No globals, no ids, nothing fetched. */
(() => {
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z", back: "M11.5 3v10L4 8z", play: "M4 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z", next: "M4.5 3v10L12 8z", last: "M11 3h2v10h-2zM3 3v10l7-5z",
  flag: "M3 1h1.5v14H3zM5 2h8l-2 3 2 3H5z",
};

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function start(root) {
  const source = root.querySelector("script.kl-data");
  if (!source || root.klPlayer) return;
  root.klPlayer = true;
  for (const old of root.querySelectorAll(".kl-bar")) old.remove();  // of a page saved while it was alive
  const data = JSON.parse(source.textContent), words = data.words;
  const steps = [...root.querySelectorAll(".kl-twin li")];
  const last = data.frames.length - 1;
  const marks = steps.flatMap((li, i) => li.querySelector("mark") ? [i] : []);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let current = -1, timer = 0;

  const stage = root.querySelector(".kl-stage"), now = root.querySelector(".kl-now");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  svg.setAttribute("role", "img");
  stage.replaceChildren(svg);
  now.classList.add("kl-live");

  const button = (name, word, action) => {
    const made = element("button", {type: "button", "aria-label": word, title: word}, icon(name));
    made.addEventListener("click", action);
    return made;
  };
  const first = button("first", words.first, () => stop(0));
  const back = button("back", words.back, () => stop(current - 1));
  const play = button("play", words.play, toggle);
  play.className = "kl-play";
  const next = button("next", words.next, () => stop(current + 1));
  const end = button("last", words.last, () => stop(last));
  const range = element("input", {type: "range", min: 0, max: last, step: 1, "aria-label": words.slider});
  const slider = element("span", {class: "kl-slider"}, range, ...flags());
  slider.classList.toggle("kl-flagged", marks.length > 0);
  const count = element("span", {class: "kl-count"});
  const bar = element("div", {class: "kl-bar"}, first, back, play, next, end);
  if (marks.length) {
    const jump = button("flag", words.jump, () => stop(marks.find(i => i > current) ?? marks[0]));
    jump.className = "kl-jump";
    jump.append(words.mark);
    bar.append(jump);
  }
  bar.append(slider, count);
  stage.after(bar);
  range.addEventListener("input", () => stop(Number(range.value)));

  function flags() {
    const at = i => `(8px + (100% - 16px) * ${i / Math.max(last, 1)})`;  // the middle of the thumb at step i
    const all = marks.map(i => {
      const made = element("span", {class: "kl-flag", "aria-hidden": "true"}, icon("flag"));
      made.style.left = `calc${at(i)}`;
      return made;
    });
    if (marks.length !== 1) return all;  // several reasons would cover each other
    const [i] = marks, word = element("span", {class: "kl-why", "aria-hidden": "true"});
    word.textContent = steps[i].querySelector("mark").textContent.slice(2);
    word.style[i > last / 2 ? "right" : "left"] = i > last / 2 ? `calc(100% - ${at(i)} + 4px)` : `calc(${at(i)} + 16px)`;
    word.style.maxWidth = i > last / 2 ? `calc(${at(i)} - 4px)` : `calc(84% - ${at(i)})`;
    return [...all, word];
  }

  function indices(i) {
    return data.frames[i].split(" ").filter(Boolean).flatMap(part => {
      const [from, to = from] = part.split("-").map(n => parseInt(n, 36));
      return Array.from({length: to - from + 1}, (_, k) => from + k);
    });
  }

  function show(i) {
    i = Math.max(0, Math.min(last, i));
    if (i === current) return;
    const shown = indices(i);
    const before = Math.abs(i - current) === 1 && current >= 0 ? new Set(indices(current)) : null;
    svg.innerHTML = shown.map(k => {
      const text = data.fragments[k];
      const fresh = before && !before.has(k) && !/^<g [^>]*>$/.test(text);
      return fresh ? `<g class='kl-new'>${text}</g>` : text;
    }).join("");
    if (current >= 0) steps[current].removeAttribute("aria-current");
    steps[i].setAttribute("aria-current", "step");
    current = i;
    now.replaceChildren(...[...steps[i].childNodes].map(node => node.cloneNode(true)));
    const place = `${i + 1} / ${last + 1}`;
    count.textContent = place;
    range.value = i;
    range.setAttribute("aria-valuetext", `${words.step} ${place}: ${steps[i].textContent}`);
    svg.setAttribute("aria-label", `${root.getAttribute("aria-label")}. ${steps[i].textContent}`);
    for (const made of [first, back]) made.setAttribute("aria-disabled", i === 0);
    for (const made of [next, end]) made.setAttribute("aria-disabled", i === last);
  }

  function stop(i) {
    clearTimeout(timer);
    timer = 0;
    dress();
    show(i);
  }

  function dress() {
    const name = timer ? "pause" : "play";
    play.replaceChildren(icon(name));
    play.title = words[name];
    play.setAttribute("aria-label", words[name]);
    now.setAttribute("aria-live", timer ? "off" : "polite");  // a reader that speaks cannot keep up with playing
  }

  function toggle() {
    if (timer) return stop(current);
    if (current === last) show(0);
    wait();
    dress();
  }

  function wait() {
    const pace = Math.max(350, Math.min(1100, 30000 / (last + 1)));
    timer = setTimeout(() => {
      if (!root.isConnected) return stop(current);
      show(current + 1);
      current === last ? stop(last) : wait();
    }, calm.matches ? Math.max(2000, 2 * pace) : pace);
  }

  const KEYS = {
    ArrowRight: () => stop(current + 1), ArrowUp: () => stop(current + 1),
    ArrowLeft: () => stop(current - 1), ArrowDown: () => stop(current - 1),
    PageUp: () => stop(current + 10), PageDown: () => stop(current - 10),
    Home: () => stop(0), End: () => stop(last), " ": toggle,
  };
  root.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const pressed = event.target.closest("button,summary,ol");
    if (pressed && (event.key === " " || event.key === "Enter")) return event.stopPropagation();  // the browser's: press
    if (event.target.closest("details") || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  });
  root.tabIndex = 0;
  dress();
  show(data.start);
}

const own = document.currentScript && document.currentScript.closest(".kl-player");
for (const root of own ? [own] : document.querySelectorAll(".kl-player")) start(root);
})();
