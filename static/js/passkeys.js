// <passkey-form options="address" [creates]>: asks the browser for a passkey, posts what it answers.

const ENDED = "That did not work, or it was stopped. You can try again.";

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential) return;
    this.hidden = false;
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask().catch(() => this.say(ENDED));
    });
  }

  async ask() {
    this.say("");
    const options = await this.options();
    if (!options) return;
    const credential = this.hasAttribute("creates")
      ? await navigator.credentials.create({ publicKey: forCreating(options) })
      : await navigator.credentials.get({ publicKey: forGetting(options) });
    this.form.elements.credential.value = JSON.stringify(asJson(credential));
    // Not requestSubmit: that would ask again.
    this.form.submit();
  }

  // A page that answers with another page wants something first, such as a fresh proof.
  async options() {
    const token = this.form.elements.csrf_token.value;
    const answer = await fetch(this.getAttribute("options"), {
      method: "POST",
      credentials: "same-origin",
      headers: { "X-CSRFToken": token },
    });
    if (answer.redirected) window.location.reload();
    if (answer.redirected || !answer.ok) return this.say(answer.ok ? "" : ENDED);
    const options = await answer.json();
    return options.refused ? this.say("There were many tries. Please wait a quarter of an hour.") : options;
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

function forCreating(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(withBytes),
  };
}

function forGetting(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map(withBytes),
  };
}

function withBytes(descriptor) {
  return { ...descriptor, id: bytes(descriptor.id) };
}

function asJson(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const values = parts.filter((part) => response[part]).map((part) => [part, text(response[part])]);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { ...Object.fromEntries(values), transports: response.getTransports?.() ?? [] },
    clientExtensionResults: {},
  };
}

function bytes(base64url) {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

customElements.define("passkey-form", PasskeyForm);
