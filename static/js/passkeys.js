// <passkey-form options="address" [creates] [offers]>: asks the browser for a passkey, posts what it
// answers. With `offers` the browser also offers passkeys in the field for the address (WebAuthn
// Level 3, conditional mediation): nothing is asked until one is chosen there.

const ENDED = "That did not work, or it was stopped. You can try again.";
// A challenge is good for five minutes; a page may be open for longer.
const OFFERED_FOR = 4 * 60 * 1000;

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential) return;
    this.hidden = false;
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask().catch(() => this.say(ENDED));
    });
    // Without it, or if it fails, the button and the password are there all the same.
    if (this.hasAttribute("offers")) this.beginOffering();
  }

  disconnectedCallback() {
    this.withdraw();
  }

  async ask() {
    this.say("");
    await this.withdraw();
    const options = await this.options();
    if (!options) return;
    this.send(
      this.hasAttribute("creates")
        ? await navigator.credentials.create({ publicKey: forCreating(options) })
        : await navigator.credentials.get({ publicKey: forGetting(options) }),
    );
  }

  beginOffering() {
    this.offering = this.offer().catch(() => {});
  }

  async offer() {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    const options = await this.options({ quietly: true });
    if (!options || this.asked) return;
    this.offered = new AbortController();
    this.again = setTimeout(() => this.renew(), OFFERED_FOR);
    const { signal } = this.offered;
    this.send(
      await navigator.credentials.get({ publicKey: forGetting(options), mediation: "conditional", signal }),
    );
  }

  renew() {
    this.offered.abort();
    this.beginOffering();
  }

  // Only one question at a time may wait in a page.
  async withdraw() {
    this.asked = true;
    clearTimeout(this.again);
    this.offered?.abort();
    await this.offering;
  }

  send(credential) {
    this.form.elements.credential.value = JSON.stringify(asJson(credential));
    // Not requestSubmit: that would ask again.
    this.form.submit();
  }

  // A page that answers with another page wants something first, such as a fresh proof.
  async options({ quietly = false } = {}) {
    const token = this.form.elements.csrf_token.value;
    const answer = await fetch(this.getAttribute("options"), {
      method: "POST",
      credentials: "same-origin",
      headers: { "X-CSRFToken": token },
    });
    if (quietly && (answer.redirected || !answer.ok)) return null;
    if (answer.redirected) window.location.reload();
    if (answer.redirected || !answer.ok) return this.say(answer.ok ? "" : ENDED);
    const options = await answer.json();
    if (options.refused && quietly) return null;
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
