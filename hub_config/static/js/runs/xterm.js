// xterm.js under this portal's content policy: it takes no style from a page's text.
//
// xterm.js writes its rules into <style> elements and colours into `style` attributes.
// Both would be refused; the same through the CSSOM is a script's own doing and is not.
let loaded = null;

class Rules extends HTMLElement {
  sheet = new CSSStyleSheet();

  connectedCallback() {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== this.sheet);
  }

  set textContent(text) {
    this.sheet.replaceSync(text);
  }

  get textContent() {
    return "";
  }
}

function adapt() {
  customElements.define("kqi-rules", Rules);
  const make = document.createElement.bind(document);
  document.createElement = (name, ...more) => make(name === "style" ? "kqi-rules" : name, ...more);
  const set = Element.prototype.setAttribute;
  HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
}

// Fetched when a terminal is opened, not before: it is 340 kB.
export function loadTerminal({ xterm, fit, css }) {
  loaded ??= begin(xterm, fit, css).catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

async function begin(xterm, fit, css) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = css;
  const styled = new Promise((done, fail) => {
    style.addEventListener("load", done);
    style.addEventListener("error", () => fail(new Error(css)));
  });
  document.head.append(style);
  const [{ Terminal }, { FitAddon }] = await Promise.all([import(xterm), import(fit), styled]);
  if (!customElements.get("kqi-rules")) adapt();
  return { Terminal, FitAddon };
}
