/**
 * <synthmark-notice>: says on a page that what stands beside it is AI-generated
 * (GB 45438-2025, 5.6). One file, no dependencies, no requests.
 *
 *   <script src="synthmark-notice.js" defer></script>
 *   <synthmark-notice>内容由AI生成</synthmark-notice>
 *
 * The text inside the tags is what shows where scripts are off. Attributes:
 *
 *   lang       "zh", "en" or "both" (default): what comes first; the Chinese
 *              elements are due in all of them
 *   wording    a wording of your own with both required elements, at most 40
 *              characters; what follows " · " is set smaller
 *   placement  "near" (default): a block in the text; "top", "bottom": a bar that
 *              stays at that edge of what scrolls; "background": a block, and a
 *              watermark over the positioned element around it
 *   variant    "content" (default) or "assistant": an AI talks with the user
 *   theme      "auto" (default), "light" or "dark"
 *
 * Events: "synthmark-notice-hidden" with detail.reason when the page hides it for
 * more than a second, "synthmark-notice-shown" when it is seen again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
(() => {
  "use strict";

  const NAME = "synthmark-notice";
  if (customElements.get(NAME)) return;

  const TEXTS = {
    content: { zh: "内容由AI生成", en: "AI-generated content" },
    assistant: {
      zh: "AI为您提供服务，回答由AI生成",
      en: "You are talking with AI. Its answers are AI-generated.",
    },
  };
  const CHOICES = {
    lang: ["both", "zh", "en"],
    placement: ["near", "top", "bottom", "background"],
    variant: ["content", "assistant"],
    theme: ["auto", "light", "dark"],
  };

  // These would keep it from those who listen, and are taken off.
  const SILENCING = ["aria-hidden", "inert"];

  // The rule of GB 45438-2025 for wordings. As part of another word, as in "AIGC" or
  // "MAIN", the two letters are not the element.
  const ELEMENTS = [/人工智能|(?<![A-Za-z])AI(?![A-Za-z])/u, /生成|合成/u];
  const NOT_TEXT = /[\p{C}\p{Zl}\p{Zp}]/u;
  const MAX_LENGTH = 40;
  const SEPARATOR = " · ";

  // Below these it does not count as seen: pixels, and opacity with all ancestors'.
  const LEAST_SIZE = 10;
  const LEAST_OPACITY = 0.5;
  const CHECK_MS = 1000;

  // An important rule of the shadow tree beats every rule of the page, even important
  // ones, style attributes and animations: `all` takes back whatever they say.
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host {
      all: initial !important;
      display: block !important;
      flex: 0 1 auto !important;
      min-width: min(100%, 10em) !important;
      box-sizing: border-box !important;
      max-width: 100% !important;
    }
    :host([placement="top"]), :host([placement="bottom"]) {
      position: sticky !important;
      z-index: 1000 !important;
    }
    :host([placement="top"]) { top: 0 !important; }
    :host([placement="bottom"]) { bottom: 0 !important; }

    .plate, .layer {
      font: 500 1em system-ui, -apple-system, "Segoe UI", "PingFang SC",
        "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif;
    }
    .plate {
      display: inline-flex;
      align-items: baseline;
      gap: .6em;
      box-sizing: border-box;
      max-width: 100%;
      margin: 0;
      padding: .5em .85em .5em .6em;
      border: 1px solid #d5d6da;
      border-radius: .6em;
      background: #f5f5f7;
      color: #18191c;
      color-scheme: light dark;
      border-color: light-dark(#d5d6da, #45474e);
      background: light-dark(#f5f5f7, #232428);
      color: light-dark(#18191c, #f3f3f5);
      direction: ltr;
      unicode-bidi: isolate;
      text-align: start;
      font-size: .9375em;
      line-height: 1.4;
      overflow-wrap: anywhere;
    }
    .light { color-scheme: light; }
    .dark { color-scheme: dark; }
    .bar {
      display: flex;
      justify-content: center;
      border-width: 0 0 1px;
      border-radius: 0;
      padding: .55em max(1em, env(safe-area-inset-right, 0px))
        .55em max(1em, env(safe-area-inset-left, 0px));
    }
    .bottom {
      border-width: 1px 0 0;
      padding-bottom: max(.55em, env(safe-area-inset-bottom, 0px));
    }
    .badge {
      position: relative;
      top: -.1em;
      flex: none;
      padding: .12em .42em;
      border: 1px solid transparent;
      border-radius: .35em;
      background: #18191c;
      color: #fff;
      background: light-dark(#18191c, #f3f3f5);
      color: light-dark(#fff, #18191c);
      font-size: .75em;
      font-weight: 700;
      letter-spacing: .03em;
      user-select: none;
    }
    .words {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      column-gap: .6em;
      min-width: 0;
    }
    .words > * { min-width: 0; }
    .second {
      color: #55575e;
      color: light-dark(#55575e, #b4b6bd);
      font-size: .87em;
      font-weight: 400;
    }

    .layer {
      position: absolute;
      inset: 0;
      z-index: 1;
      width: 100%;
      height: 100%;
      overflow: hidden;
      pointer-events: none;
      user-select: none;
      font-size: 18px;
      fill: #808080;
      opacity: .24;
    }
    .layer.page { position: fixed; }

    @media (forced-colors: active) {
      .layer { fill: CanvasText; }
    }
    @media print {
      :host([placement]) { position: static !important; }
      .plate {
        color-scheme: light;
        border-color: #000;
        background: #fff;
        color: #000;
        break-inside: avoid;
      }
      .badge { border-color: #000; background: #fff; color: #000; }
      .second { color: #000; }
    }
  `);

  /** Say what is wrong with a wording; "" for nothing. */
  function problemOf(text) {
    if (!text.trim()) return "it is empty";
    if ([...text].length > MAX_LENGTH) return `it has more than ${MAX_LENGTH} characters`;
    if (NOT_TEXT.test(text)) return "it holds control characters";
    if (!ELEMENTS[0].test(text)) return "it lacks 人工智能 or AI";
    if (!ELEMENTS[1].test(text)) return "it lacks 生成 or 合成";
    return "";
  }

  /** Split a wording into what is legal by itself and what follows it. */
  function segmentsOf(text) {
    const at = text.indexOf(SEPARATOR);
    const first = text.slice(0, Math.max(at, 0)).trim();
    const second = text.slice(at + SEPARATOR.length).trim();
    const legal = ELEMENTS.every((form) => form.test(first));
    return legal && second ? [first, second] : [text.trim()];
  }

  function make(name, className, textContent = "") {
    return Object.assign(document.createElement(name), { className, textContent });
  }

  /** Make the watermark: a pattern of vector text, which needs no file. */
  function watermark(text) {
    const em = 18;
    const length = [...text].reduce((sum, c) => sum + (c < "\u2e80" ? 0.6 : 1), 0);
    const [width, height] = [(length + 5) * em, 8 * em];
    const svg = (name, attributes, ...children) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) {
        made.setAttribute(key, value);
      }
      made.append(...children);
      return made;
    };
    // Every other row is shifted by half a tile, and so stands on both of its sides.
    const places = [[0, 1], [0.5, 5], [-0.5, 5]];
    const pattern = svg(
      "pattern",
      { id: "tile", patternUnits: "userSpaceOnUse", width, height,
        patternTransform: "rotate(-22)" },
      ...places.map(([x, y]) => svg("text", { x: x * width, y: (y + 1) * em }, text)),
    );
    const ground = svg("rect", { width: "100%", height: "100%", fill: "url(#tile)" });
    return svg("svg", { class: "layer", "aria-hidden": "true" }, pattern, ground);
  }

  const watched = new Set();
  const inSight = new WeakMap();
  let timer = 0;
  let observer = null;

  function watch(notice, plate) {
    observer ??= new IntersectionObserver(
      (entries) => {
        for (const one of entries) inSight.set(one.target, one.intersectionRatio);
      },
      { threshold: [0, 0.5, 0.99] },
    );
    observer.observe(plate);
    watched.add(notice);
    timer ||= setInterval(() => {
      if (document.visibilityState !== "visible") return;
      for (const one of watched) one.check();
    }, CHECK_MS);
  }

  function forget(notice, plate) {
    observer?.unobserve(plate);
    watched.delete(notice);
    if (!watched.size) {
      clearInterval(timer);
      timer = 0;
    }
  }

  /** Yield the elements around a notice, out of shadow trees too, with their styles. */
  function* around(host) {
    for (let at = host; at; at = at.assignedSlot ?? at.parentNode ?? at.host) {
      if (at instanceof Element) yield [at, getComputedStyle(at)];
    }
  }

  /** Return how much of a box, 0 to 1, lies in another. */
  function share(box, other) {
    const width = Math.min(box.right, other.right) - Math.max(box.left, other.left);
    const height = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
    return (Math.max(width, 0) * Math.max(height, 0)) / (box.width * box.height);
  }

  /** Say how the page hides a plate; "" when it does not. */
  function hiddenBy(host, plate) {
    if (!plate.getClientRects().length) return "not rendered";
    if (plate.checkVisibility?.() === false) return "not rendered";
    const box = plate.getBoundingClientRect();
    if (Math.min(box.width, box.height) < LEAST_SIZE) return "too small";
    let opacity = 1;
    for (const [, { opacity: own }] of around(host)) opacity *= Number(own);
    if (opacity < LEAST_OPACITY) return "transparent";
    if (box.right + scrollX <= 0 || box.bottom + scrollY <= 0) return "outside the page";
    const seen = inSight.get(plate);
    if (seen < 0.5) return isClipped(host, box) ? "clipped" : "";
    if (seen < 0.99 || document.querySelector(":modal")) return "";
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const top = host.getRootNode().elementFromPoint(x, y);
    return top && top !== host && !top.contains(host) ? "covered" : "";
  }

  /** Tell what is cut off from what is only scrolled out of sight. */
  function isClipped(host, box) {
    for (const [at, { overflowX, overflowY }] of around(host)) {
      const overflow = `${overflowX} ${overflowY}`;
      if (overflow === "visible visible" || at === document.scrollingElement) continue;
      if (share(box, at.getBoundingClientRect()) < 0.5) {
        return !/auto|scroll/.test(overflow);
      }
    }
    return share(box, { left: 0, top: 0, right: innerWidth, bottom: innerHeight }) > 0.5;
  }

  class SynthmarkNotice extends HTMLElement {
    static observedAttributes = [...Object.keys(CHOICES), "wording", ...SILENCING];

    #root = this.attachShadow({ mode: "closed" });
    #plate = make("p", "plate");
    #reason = "";
    #before = "";
    #told = new Set();

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [style];
      this.#root.append(this.#plate);
    }

    connectedCallback() {
      this.#draw();
      watch(this, this.#plate);
    }

    disconnectedCallback() {
      forget(this, this.#plate);
    }

    attributeChangedCallback(name, _, value) {
      if (SILENCING.includes(name)) {
        if (value !== null) this.removeAttribute(name);
      } else if (this.isConnected) {
        this.#draw();
      }
    }

    /** Look whether the page hides the notice, and tell when that changed. */
    check() {
      const reason = hiddenBy(this, this.#plate);
      // Twice in a row: what fades in, or passes over, does not hide it.
      const lasting = reason === this.#before;
      this.#before = reason;
      if (!lasting || reason === this.#reason) return;
      this.#reason = reason;
      const event = `${NAME}-${reason ? "hidden" : "shown"}`;
      if (reason) this.#warn(`the page hides the notice: ${reason}`);
      this.dispatchEvent(
        new CustomEvent(event, { bubbles: true, composed: true, detail: { reason } }),
      );
    }

    #draw() {
      const placement = this.#choice("placement");
      const assistant = this.#choice("variant") === "assistant";
      const bar = placement === "top" || placement === "bottom";
      const words = this.#words();
      const text = words.map(([word]) => word).join(SEPARATOR);

      const classes = ["plate", this.#choice("theme"), bar && "bar", placement];
      this.#plate.className = classes.filter(Boolean).join(" ");
      this.#plate.setAttribute("role", assistant ? "status" : "note");
      this.#plate.setAttribute("aria-label", text);
      const badge = make("span", "badge", "AI");
      badge.ariaHidden = "true";
      const line = make("span", "words");
      for (const [index, [word, language]] of words.entries()) {
        const part = make("span", index ? "second" : "first", word);
        part.lang = language;
        line.append(part);
      }
      this.#plate.replaceChildren(badge, line);

      this.#root.querySelector(".layer")?.remove();
      if (placement === "background") {
        const layer = watermark(words[0][0]);
        const styles = [...around(this)].slice(1).map(([, its]) => its.position);
        layer.classList.toggle("page", styles.every((name) => name === "static"));
        this.#root.append(layer);
      }
    }

    /** Return the wording in its parts, each with its language. */
    #words() {
      const own = this.getAttribute("wording");
      if (own !== null) {
        const problem = problemOf(own);
        if (!problem) {
          return segmentsOf(own).map((part, index) => [part, index ? "" : "zh-CN"]);
        }
        this.#warn(`the wording is not used, as ${problem}`);
      }
      const { zh, en } = TEXTS[this.#choice("variant")];
      const both = [[zh, "zh-CN"], [en, "en"]];
      const order = { zh: [both[0]], en: [both[1], both[0]], both };
      return order[this.#choice("lang")];
    }

    #choice(name) {
      const given = this.getAttribute(name);
      if (given === null || given === "") return CHOICES[name][0];
      const value = name === "lang" ? given.split("-")[0].toLowerCase() : given;
      if (CHOICES[name].includes(value)) return value;
      this.#warn(`${name} can be ${CHOICES[name].join(", ")}; ${CHOICES[name][0]} is used`);
      return CHOICES[name][0];
    }

    #warn(problem) {
      if (this.#told.has(problem)) return;
      this.#told.add(problem);
      console.warn(`<${NAME}> ${problem}`, this);
    }
  }

  customElements.define(NAME, SynthmarkNotice);
})();
