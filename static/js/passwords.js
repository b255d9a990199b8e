// <show-password>: lets one look at the password in the field inside.

class ShowPassword extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("input[type=password]");
    if (!field) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button plain small";
    button.setAttribute("aria-controls", field.id);
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide password" : "Show password";
    };
    button.addEventListener("click", () => show(field.type === "password"));
    // What is sent as text a browser would offer again to the next person.
    field.form?.addEventListener("submit", () => show(false));
    show(false);
    field.after(button);
  }
}

customElements.define("show-password", ShowPassword);
