// The month of availabilities: arrows move, a tap, Space or a number answers, a drag paints.
// HTML and the exchange with the server: components/availability.html.

import { warn } from "./toasts.js";

const CYCLE = ["none", "wanted", "possible", "last_resort"];
const KEYS = { 0: "none", 1: "wanted", 2: "possible", 3: "last_resort", Delete: "none" };
// How long a finger rests on a day before it draws, and how far it may stray meanwhile.
const HOLD_MILLISECONDS = 350;
const STRAY_PIXELS = 10;

class AvailabilityForm {
  constructor(form) {
    this.form = form;
    this.grid = form.querySelector(".avail-grid");
    this.days = [...form.querySelectorAll(".avail-day:enabled")];
    this.said = form.querySelector("[data-said]");
    this.sending = Promise.resolve();
    this.stroke = null;
    this.resting = null;
    this.swallowClick = false;
    if (!this.days.length) return;
    this.bootKeyboard();
    this.bootPointer();
    form.addEventListener("click", (event) => this.onClick(event));
  }

  // State. A day is its button; what it says is in its two halves.

  get halves() {
    const period = this.form.elements.period.value;
    return period === "day" ? ["am", "pm"] : [period];
  }

  read(day) {
    const answer = {};
    for (const half of day.querySelectorAll("[data-half]")) answer[half.dataset.half] = half.dataset.state;
    return answer;
  }

  draw(day, answer) {
    for (const half of day.querySelectorAll("[data-half]")) {
      const state = answer[half.dataset.half] ?? "none";
      half.dataset.state = state;
      half.className = `avail-half is-${state.replace("_", "-")}`;
      const mark = this.form.querySelector(`[data-mark=${state}]`).content.cloneNode(true);
      half.querySelector(".avail-mark").replaceChildren(mark);
    }
    const { am, pm } = this.read(day);
    day.classList.toggle("is-whole", am === pm);
  }

  next(day) {
    const chosen = this.form.elements.preference.value;
    if (chosen) return chosen;
    const answer = this.read(day);
    const now = answer[this.halves.find((half) => half in answer)] ?? "none";
    return CYCLE[(CYCLE.indexOf(now) + 1) % CYCLE.length];
  }

  // What is drawn at once is sent after; a refusal draws back what was there.

  paint(day, preference, before) {
    if (before.has(day)) return;
    before.set(day, this.read(day));
    const answer = this.read(day);
    for (const half of this.halves) answer[half] = preference;
    this.draw(day, answer);
  }

  commit(preference, before) {
    const fields = new URLSearchParams({
      csrf_token: this.form.elements.csrf_token.value,
      period: this.form.elements.period.value,
      preference,
    });
    for (const day of before.keys()) fields.append("day", day.value);
    this.announce([...before.keys()]);
    // One after the other, so that the last answer drawn is the last one stored.
    this.sending = this.sending.then(() => this.send(fields, before));
  }

  async send(fields, before) {
    let message;
    try {
      const response = await fetch(this.form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: fields,
      });
      const body = await response.json().catch(() => ({}));
      if (response.ok && body.days) {
        for (const day of before.keys()) if (body.days[day.value]) this.draw(day, body.days[day.value]);
        return;
      }
      message = body.error?.message;
    } catch {
      // The network failed: the general words will do.
    }
    for (const [day, answer] of before) this.draw(day, answer);
    warn(message);
  }

  announce(days) {
    this.said.textContent = days.map((day) => day.innerText.replace(/\s+/g, " ").trim()).join(". ");
  }

  // Keyboard: one day is in the tab order, the arrows move to the others.

  bootKeyboard() {
    this.grid.setAttribute("role", "grid");
    for (const day of this.days) day.tabIndex = -1;
    this.days[0].tabIndex = 0;
    this.grid.addEventListener("focusin", (event) => {
      const day = event.target.closest(".avail-day");
      if (!day) return;
      for (const other of this.days) other.tabIndex = other === day ? 0 : -1;
    });
    this.grid.addEventListener("keydown", (event) => {
      const day = event.target.closest(".avail-day");
      if (!day || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.shiftKey ? undefined : this.moved(day, event.key);
      if (target) target.focus();
      else if (event.key in KEYS) this.answer(day, KEYS[event.key]);
      else if (event.key.toLowerCase() !== "n" || !writeNote(day.value)) return;
      event.preventDefault();
    });
  }

  answer(day, preference) {
    const before = new Map();
    this.paint(day, preference, before);
    this.commit(preference, before);
  }

  moved(day, key) {
    const at = this.days.indexOf(day);
    const column = day.closest("td").cellIndex;
    const sameColumn = (list) => list.find((other) => other.closest("td").cellIndex === column);
    const sameRow = this.days.filter((other) => other.closest("tr") === day.closest("tr"));
    switch (key) {
      case "ArrowRight": return this.days[at + 1];
      case "ArrowLeft": return this.days[at - 1];
      case "ArrowDown": return sameColumn(this.days.slice(at + 1));
      case "ArrowUp": return sameColumn(this.days.slice(0, at).reverse());
      case "Home": return sameRow[0];
      case "End": return sameRow[sameRow.length - 1];
      default: return undefined;
    }
  }

  // Pointer: a mouse or a pen paints as it goes. A finger paints along a week, or in any direction
  // once it has rested on a day or painting was chosen; up and down it scrolls.

  bootPointer() {
    const toggle = this.form.querySelector("[data-paint]");
    toggle.addEventListener("click", () => {
      const on = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(on));
      this.grid.classList.toggle("is-painting", on);
    });
    this.grid.addEventListener("pointerdown", (event) => this.press(event));
    // Whether a drawing finger scrolls is decided by its touch events, and only by them.
    this.grid.addEventListener("touchmove", (event) => this.stroke && event.preventDefault(), { passive: false });
    this.grid.addEventListener("contextmenu", (event) => (this.stroke || this.resting) && event.preventDefault());
    document.addEventListener("pointermove", (event) => this.move(event));
    document.addEventListener("pointerup", () => this.release());
    document.addEventListener("pointercancel", () => this.release());
  }

  press(event) {
    const day = event.target.closest(".avail-day:enabled");
    if (!day || event.button !== 0 || !event.isPrimary) return;
    // A finger's events would otherwise all go to the day where it came down.
    if (event.target.hasPointerCapture(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
    if (event.pointerType !== "touch" || this.grid.classList.contains("is-painting")) {
      this.startStroke(day);
      return;
    }
    const rest = () => {
      this.resting = null;
      navigator.vibrate?.(10);
      this.startStroke(day);
    };
    this.resting = { day, x: event.clientX, y: event.clientY, timer: setTimeout(rest, HOLD_MILLISECONDS) };
  }

  move(event) {
    if (this.resting) this.stray(event);
    if (!this.stroke) return;
    // A quick hand leaves days out between two events.
    const points = event.getCoalescedEvents?.() ?? [];
    for (const point of points.length ? points : [event]) {
      const day = document.elementFromPoint(point.clientX, point.clientY)?.closest(".avail-day:enabled");
      if (day && this.grid.contains(day)) this.paintTo(day);
    }
  }

  // A finger that sets out sideways draws; the browser takes one that goes up or down.
  stray(event) {
    const { day, x, y, timer } = this.resting;
    const sideways = Math.abs(event.clientX - x);
    const along = Math.abs(event.clientY - y);
    if (Math.max(sideways, along) < STRAY_PIXELS) return;
    clearTimeout(timer);
    this.resting = null;
    if (sideways > along) this.startStroke(day);
  }

  startStroke(day) {
    this.stroke = { preference: this.next(day), before: new Map(), last: day };
    this.grid.classList.add("is-drawing");
    this.paint(day, this.stroke.preference, this.stroke.before);
  }

  paintTo(day) {
    const { preference, before, last } = this.stroke;
    if (day === last) return;
    this.stroke.last = day;
    const ends = [this.days.indexOf(last), this.days.indexOf(day)].sort((a, b) => a - b);
    const sameWeek = day.closest("tr") === last.closest("tr");
    for (const each of sameWeek ? this.days.slice(ends[0], ends[1] + 1) : [day]) this.paint(each, preference, before);
  }

  release() {
    if (this.resting) clearTimeout(this.resting.timer);
    this.resting = null;
    if (!this.stroke) return;
    const { preference, before } = this.stroke;
    this.stroke = null;
    this.grid.classList.remove("is-drawing");
    this.commit(preference, before);
    // The click that ends a press was already answered.
    this.swallowClick = true;
    setTimeout(() => { this.swallowClick = false; });
  }

  onClick(event) {
    const day = event.target.closest(".avail-day:enabled");
    if (!day) return;
    event.preventDefault();
    if (this.swallowClick && event.detail > 0) return;
    this.answer(day, this.next(day));
  }
}

// The form for a note, opened and ready to be written in.
function writeNote(iso) {
  const box = document.getElementById("note");
  if (!box) return false;
  box.open = true;
  box.querySelector("[name=note-day]").value = iso;
  box.querySelector("[name=note-text]").focus();
  return true;
}

for (const form of document.querySelectorAll("form[data-availability]")) new AvailabilityForm(form);
