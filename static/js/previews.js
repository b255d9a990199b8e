// A form with data-preview shows what would change as soon as a field does: it sends itself, keeps
// nothing, and takes over the region #preview of the answer. Without it there is a button.

const form = document.querySelector("form[data-preview]");
let asking;

function look() {
  // An answer that was overtaken says nothing about the wishes as they are.
  asking?.abort();
  asking = new XMLHttpRequest();
  // A button of the form is called "action", so the property is that button.
  asking.open("POST", form.getAttribute("action"));
  asking.responseType = "document";
  asking.addEventListener("load", (event) => show(event.target.response));
  const sent = new FormData(form);
  sent.set("action", "look");
  asking.send(sent);
}

function show(page) {
  const shown = page?.querySelector("#preview");
  if (shown) document.querySelector("#preview").replaceChildren(...shown.childNodes);
}

form?.addEventListener("change", look);
