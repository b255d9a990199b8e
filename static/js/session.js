// <stay-signed-in>: warns before somebody is signed out, and keeps what they typed until they are
// back. Attributes: ends-in (seconds), person (a mark of who opened the page), addresses of status,
// stay and sign-in.

const WARN_SECONDS = 120;
const ASK_AGAIN_SECONDS = 10;

class StaySignedIn extends HTMLElement {
  connectedCallback() {
    this.typed = false;
    document.addEventListener("input", () => (this.typed = true));
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.lookIn(Number(this.getAttribute("ends-in")) - WARN_SECONDS);
  }

  lookIn(seconds) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.look(), Math.max(seconds, 1) * 1000);
  }

  // Another tab may have put the limit off, or signed out: the server knows.
  async look() {
    const now = await this.ask(this.getAttribute("status"));
    if (!now) this.lookIn(ASK_AGAIN_SECONDS);
    else if (!now.signed_in) this.over();
    else if (now.person !== this.getAttribute("person")) window.location.reload();
    else this.goOn(now);
  }

  goOn(now) {
    for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = now.token;
    if (now.seconds > WARN_SECONDS) {
      this.dialog?.remove();
      this.lookIn(now.seconds - WARN_SECONDS);
    } else {
      this.warn();
      this.lookIn(now.seconds);
    }
  }

  warn() {
    this.make("Are you still there?", [
      "In about two minutes you are signed out, so that nobody else reads this page. What you typed stays here.",
    ]);
    this.add("button", "Stay signed in").addEventListener("click", () => this.stay());
    this.open();
  }

  async stay() {
    const token = document.querySelector("input[name=csrf_token]")?.value ?? "";
    const now = await this.ask(this.getAttribute("stay"), { method: "POST", headers: { "X-CSRFToken": token } });
    if (now?.seconds > WARN_SECONDS) this.goOn({ ...now, token });
    else if (now?.signed_in) this.atTheEnd(now);
    else this.look();
  }

  atTheEnd(now) {
    this.make("Please finish soon", [
      "You have been signed in for as long as one can be. Send what you typed now; otherwise you can sign in again and send it then.",
    ]);
    this.add("button", "Go on").addEventListener("click", () => this.dialog.remove());
    this.open();
    this.lookIn(now.seconds);
  }

  // The page is covered, not thrown away, where somebody had typed; elsewhere nothing is kept.
  over() {
    if (!this.typed) {
      window.location.replace(this.getAttribute("sign-in"));
      return;
    }
    this.make("You are signed out", [
      "What you typed is still on this page. Sign in again, then come back here and send it.",
    ]);
    this.dialog.classList.add("covers");
    const link = this.add("a", "Sign in, in a new tab");
    link.href = this.getAttribute("sign-in").split("?")[0];
    link.target = "_blank";
    this.add("button", "I have signed in", "quiet").addEventListener("click", () => this.look());
    // Not modal: whoever needs help now must reach the line above.
    this.append(this.dialog);
    this.dialog.show();
  }

  make(heading, paragraphs) {
    this.dialog?.remove();
    this.dialog = document.createElement("dialog");
    this.dialog.className = "session";
    this.dialog.setAttribute("aria-labelledby", "session-heading");
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    const title = document.createElement("h2");
    title.id = "session-heading";
    title.textContent = heading;
    this.dialog.append(title, ...paragraphs.map(paragraph));
    this.row = document.createElement("div");
    this.row.className = "row";
    this.dialog.append(this.row);
  }

  // Once its buttons are there, so that the first one has the focus.
  open() {
    this.append(this.dialog);
    this.dialog.showModal();
  }

  add(kind, words, look = "") {
    const one = document.createElement(kind);
    if (kind === "button") one.type = "button";
    one.className = `button ${look}`;
    one.textContent = words;
    this.row.append(one);
    return one;
  }

  async ask(address, how = {}) {
    try {
      const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", ...how });
      return answer.redirected ? { signed_in: false } : await answer.json();
    } catch {
      return null;
    }
  }
}

function paragraph(words) {
  const one = document.createElement("p");
  one.textContent = words;
  return one;
}

customElements.define("stay-signed-in", StaySignedIn);
