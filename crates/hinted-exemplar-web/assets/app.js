// What links and forms cannot do alone: clicks with Alt, keys, and pages that change without a flash.
"use strict";

const main = document.getElementById("main");
const live = document.getElementById("live");
let latest = 0;

// Tiles of all columns, in the order of the page.
const tiles = () => [...main.querySelectorAll(".tile")];
const tileOf = (element) => element && element.closest ? element.closest(".tile") : null;
const typing = (element) => element.matches("input, select, textarea");

// Goes to a page of this site: only its main part is exchanged, and focus stays where it was. After a click the best rows are shown, which
// are at the top: who has scrolled down would see the new rows' end.
async function go(url, push, clicked) {
  const ours = ++latest;
  const focus = remember();
  main.setAttribute("aria-busy", "true");
  let answer, text;
  try {
    answer = await fetch(url, { headers: { accept: "text/html" } });
    text = await answer.text();
  } catch {
    if (ours === latest) {
      main.removeAttribute("aria-busy");
      say("The page's server does not answer.", true);
    }
    return;
  }
  if (ours !== latest) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("main");
  if (!fresh) {
    location.href = url;
    return;
  }
  const sql = main.querySelector("#sql")?.open;
  main.replaceChildren(...fresh.childNodes);
  main.removeAttribute("aria-busy");
  document.querySelector("header").replaceWith(page.querySelector("header"));
  document.title = page.title;
  if (push) history.pushState(null, "", answer.url);
  if (sql && main.querySelector("#sql")) main.querySelector("#sql").open = true;
  restore(focus, clicked);
  if (clicked && (main.querySelector("#results")?.getBoundingClientRect().top ?? 0) < 0) scrollTo(0, 0);
  const alert = main.querySelector(".trouble h2, .said .warning");
  say((main.querySelector("#results")?.textContent || "") + (alert ? ". " + alert.textContent : ""));
}

function say(text, visible) {
  live.textContent = text;
  live.classList.toggle("visually-hidden", !visible);
}

// Where focus was: a tile's number, or the id of a field.
function remember() {
  const element = document.activeElement;
  const tile = tileOf(element);
  if (tile) return { number: tiles().indexOf(tile), key: tile.dataset.key };
  if (element && main.contains(element)) return { id: element.id, name: element.name, tool: element.dataset.tool };
  return null;
}

function restore(focus, clicked) {
  if (!focus) return;
  let element = null;
  if (focus.number !== undefined) {
    const all = tiles();
    const tile = all.find((tile) => tile.dataset.key === focus.key) || all[Math.min(focus.number, all.length - 1)];
    element = tile && tile.querySelector(".more");
  } else if (focus.id) {
    element = document.getElementById(focus.id);
  } else if (focus.tool) {
    element = main.querySelector(`[data-tool="${CSS.escape(focus.tool)}"]`);
  } else {
    element = main.querySelector("#results");
  }
  if (element) element.focus({ preventScroll: clicked || focus.number === undefined });
}

function plainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    copyText(document.getElementById(copy.dataset.copy), copy);
    return;
  }
  const opener = event.target.closest("[data-open], [data-close]");
  if (opener) {
    help(opener.hasAttribute("data-open"));
    return;
  }
  const link = event.target.closest("a[href]");
  if (!link || !plainClick(event)) return;
  if (link.dataset.tool === "sql") {
    event.preventDefault();
    toggleSql();
    return;
  }
  if (!link.hasAttribute("data-go")) return;
  event.preventDefault();
  const tile = tileOf(link);
  const target = event.altKey && tile ? tile.querySelector(".not") : link;
  // A key's click has no number.
  go(target.href, true, event.detail > 0);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-go")) return;
  event.preventDefault();
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const sets = form.hasAttribute("data-change") ? [...new FormData(form)].filter(([name]) => name.startsWith("where_")) : [];
  const query = new URLSearchParams(fields.concat(sets.filter(([, value]) => value === "")));
  go(query.size ? form.action + "?" + query : form.action, true);
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && form.hasAttribute("data-change")) form.requestSubmit();
});

window.addEventListener("popstate", () => go(location.href, false));

// A missing or broken picture shows the row's name in its place; some may have failed before this script came.
const isBroken = (image) => image.classList.add("broken");
document.addEventListener("error", (event) => event.target.tagName === "IMG" && isBroken(event.target), true);
[...document.images].filter((image) => image.complete && !image.naturalWidth && image.currentSrc).forEach(isBroken);

// Texts of the vocabulary that go with what is typed.
let asked = 0;
document.addEventListener("input", async (event) => {
  if (event.target.getAttribute("list") !== "vocabulary") return;
  const ours = ++asked;
  const last = event.target.value.split(";").pop();
  const before = event.target.value.slice(0, event.target.value.length - last.length);
  const answer = await fetch("/suggest?q=" + encodeURIComponent(last.trim())).catch(() => null);
  if (!answer || !answer.ok || ours !== asked) return;
  const options = (await answer.json()).map((text) => {
    const option = document.createElement("option");
    option.value = before + (before ? " " : "") + text;
    return option;
  });
  document.getElementById("vocabulary")?.replaceChildren(...options);
});

function move(key) {
  const all = tiles();
  const now = all.indexOf(tileOf(document.activeElement));
  let next = now;
  if (now < 0) next = 0;
  else if (key === "ArrowRight") next = now + 1;
  else if (key === "ArrowLeft") next = now - 1;
  else next = rowwise(all, now, key === "ArrowDown" ? 1 : -1);
  const tile = all[Math.max(0, Math.min(next, all.length - 1))];
  if (tile) {
    tile.querySelector(".more").focus();
    tile.scrollIntoView({ block: "nearest" });
  }
}

// The tile of the next or last row that is nearest in its column.
function rowwise(all, now, direction) {
  const here = all[now].getBoundingClientRect();
  let best = now, nearest = Infinity;
  all.forEach((tile, i) => {
    const there = tile.getBoundingClientRect();
    const down = (there.top - here.top) * direction;
    const distance = down * 4 + Math.abs(there.left - here.left);
    if (down > here.height / 2 && distance < nearest) {
      best = i;
      nearest = distance;
    }
  });
  return best;
}

function help(open) {
  const box = document.getElementById("help");
  box.hidden = !open;
  (open ? box.querySelector("button") : main.querySelector("[data-open=help]"))?.focus();
}

function toggleSql() {
  const sql = document.getElementById("sql");
  if (!sql) return;
  sql.open = !sql.open;
  if (sql.open) {
    sql.scrollIntoView({ block: "nearest" });
    sql.querySelector("summary").focus();
  }
}

async function copyText(element, button) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    button.textContent = "Selected";
  }
}

const press = (selector) => {
  const link = main.querySelector(selector);
  if (link) link.click();
};

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const { key, target } = event;
  if (key === "Escape") {
    if (!document.getElementById("help").hidden) help(false);
    else if (typing(target)) target.blur();
    return;
  }
  if (typing(target)) return;
  const tile = tileOf(document.activeElement);
  if (key.startsWith("Arrow") && !target.closest("pre")) {
    if (!tile && !event.key.match(/Left|Right/) && target !== document.body && target.id !== "results") return;
    event.preventDefault();
    move(key);
    return;
  }
  const keys = {
    n: () => tile && tile.querySelector(".not").click(),
    r: () => main.querySelector(".why[data-keys] input.reason, .why input.reason")?.focus(),
    u: () => history.back(),
    "/": () => document.getElementById("text")?.select(),
    c: () => press("[data-tool=compare]"),
    s: toggleSql,
    "?": () => help(document.getElementById("help").hidden),
  };
  const action = /^[1-9]$/.test(key) ? () => press(`.why[data-keys] [data-number="${key}"]`) : keys[key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});
